#include "server/net/connection.h"

#include <spdlog/spdlog.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "server/net/address.h"
#include "server/net/keep_alive.h"

namespace sluice::net {
namespace {

// Half a request shorter than this is read on in the shared buffer, behind a copy of what is there; a longer
// one grows in memory of its own.
constexpr size_t kCarryBytes = 16 * 1024;
// What a connection may send ahead of its turn before its reading stops.
constexpr size_t kReadAheadBytes = 64 * 1024;
// Replies waiting in memory at which a client must read before more of its requests are executed; above what
// clients pipeline before they read, below the limit at which they are closed.
constexpr size_t kPauseOutputBytes = 32 * 1024 * 1024;
constexpr size_t kUnauthenticatedOutputBytes = 1024 * 1024;
// A request costs about as much as eight looks at the clock.
constexpr uint64_t kRequestsPerClock = 8;
// uv_buf_init counts in 32 bits.
constexpr size_t kMaxWriteBytes = 1024 * 1024 * 1024;
// Memory that an empty output may keep for the next reply, while there is traffic.
constexpr size_t kKeptOutputBytes = 64 * 1024;

protocol::RequestLimits Limits(const Config& config) {
  return {.max_bulk_bytes = config.proto_max_bulk_len};
}

}  // namespace

Connection::Connection(uv_loop_t& loop, Shared& shared, uint64_t id, bool is_unix)
    : shared_(shared), session_(id), parser_(Limits(shared.config)), is_local_(is_unix) {
  if (is_unix) {
    uv_pipe_init(&loop, &handle_.pipe, 0);
  } else {
    uv_tcp_init(&loop, &handle_.tcp);
  }
  session_.is_unix = is_unix;
  handle_.base.data = this;
  write_.data = this;
}

bool Connection::Accept(uv_stream_t* listener, const std::string& local) {
  if (uv_accept(listener, &handle_.stream) != 0) return false;
  uv_fileno(&handle_.base, &session_.fd);
  if (handle_.base.type == UV_NAMED_PIPE) {
    session_.local = session_.peer = local + ":0";
  } else {
    const sockaddr_storage peer = PeerAddress(session_.fd);
    is_local_ = IsLoopback(peer);
    session_.peer = AddressText(peer);
    session_.local = AddressText(LocalAddress(session_.fd));
    uv_tcp_nodelay(&handle_.tcp, 1);
    if (shared_.config.tcp_keepalive != 0) KeepAlive(session_.fd, shared_.config.tcp_keepalive);
  }
  session_.connected_ms = session_.active_ms = shared_.ticker.now().unix_ms();
  last_read_ms_ = shared_.ticker.now().monotonic_ms;
  shared_.users.Greet(session_);
  parser_.set_authenticated(session_.authenticated);
  return true;
}

void Connection::Start() {
  UpdateReading();
}

void Connection::Refuse(std::string_view reply) {
  if (tls_ == nullptr) TrySend(reply);
  Close();
}

// ---- receiving

void Connection::ProvideBuffer(uv_handle_t* handle, size_t, uv_buf_t* buffer) {
  Connection& connection = *static_cast<Connection*>(handle->data);
  const std::span<char> room =
      connection.tls_ == nullptr ? connection.Room() : std::span<char>(connection.shared_.cipher_buffer);
  *buffer = uv_buf_init(room.data(), static_cast<unsigned>(room.size()));
}

// Where the next bytes of requests go: behind a copy of what is held, in the shared buffer, or into `held_`.
std::span<char> Connection::Room() {
  std::vector<char>& shared = shared_.read_buffer;
  if (held_.size() >= kCarryBytes || pause_ != Pause::kNone) return held_.Room(parser_.bytes_needed());
  held_.bytes().copy(shared.data(), held_.size());
  return std::span(shared).subspan(held_.size());
}

void Connection::HandleRead(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
  Connection& connection = *static_cast<Connection*>(stream->data);
  if (count == 0 || connection.closing()) return;
  Ticker& ticker = connection.shared_.ticker;
  ticker.Begin();
  if (count > 0) {
    const std::string_view bytes(buffer->base, static_cast<size_t>(count));
    connection.tls_ == nullptr ? connection.Received(bytes) : connection.ReceivedCipher(bytes);
  } else if (count == UV_EOF) {
    connection.ReceivedEnd();
  } else {
    connection.Close();
  }
  // Many sockets may be readable in one round of the loop: commit in between, not only behind the last.
  if (ticker.TimeIsUp()) ticker.End();
}

// `fresh` stands in Room(): in the shared buffer, behind a copy of what was held, or already in `held_`.
void Connection::Received(std::string_view fresh) {
  const commands::Time& now = shared_.ticker.now();
  last_read_ms_ = now.monotonic_ms;
  session_.active_ms = now.unix_ms();
  session_.input_bytes += fresh.size();
  shared_.traffic.input_bytes += fresh.size();
  if (shared_.ticker.finished()) return;

  const char* shared = shared_.read_buffer.data();
  if (fresh.data() == shared + held_.size()) {
    const std::string_view input(shared, held_.size() + fresh.size());
    held_.Consume(held_.size());
    Hold(input.substr(Execute(input)));
  } else {
    held_.Received(fresh.size());
    if (pause_ == Pause::kNone) held_.Consume(Execute(held_.bytes()));
  }
  AfterExecuting();
}

void Connection::ReceivedEnd() {
  ended_ = true;
  AfterExecuting();
}

void Connection::Hold(std::string_view bytes) {
  if (!closing() && !held_.Append(bytes)) Close();
}

// ---- executing

// Executes the requests at the front of `input`, as many as it may now; returns how many bytes they had.
size_t Connection::Execute(std::string_view input) {
  if (shared_.config.enable_debug_command == DebugCommands::kLocal) {
    shared_.settings.debug_commands = is_local_;
  }
  size_t at = 0;
  bool executed = false;
  bool last_is_whole = false;
  size_t looked_at = 0;  // requests, of those that come next
  while (at < input.size() && !closing() && !session_.close) {
    if (session_.waits()) {
      pause_ = Pause::kBlocked;
      break;
    }
    if (unsent() > kPauseOutputBytes) {
      pause_ = Pause::kOutput;
      break;
    }
    if (TurnIsOver()) {
      pause_ = Pause::kTurn;
      shared_.ticker.Queue(*this);
      break;
    }
    // Not at the first one: it is the only one, mostly.
    if (looked_at == 0 && at != 0) looked_at = shared_.dispatcher.LookAhead(session_, input.substr(at));
    last_is_whole = false;  // the parser has one request at a time
    const protocol::RequestParser::Status status = parser_.Parse(input.substr(at));
    if (status == protocol::RequestParser::Status::kNeedMore) break;
    if (status == protocol::RequestParser::Status::kError) {
      FailProtocol();
      at = input.size();
      break;
    }
    if (status == protocol::RequestParser::Status::kRequest) {
      const protocol::Request& request = parser_.request();
      if (IsForeign(request)) {
        at = input.size();
        break;
      }
      if (!shared_.ticker.MayWrite() && shared_.dispatcher.IsWrite(request)) {
        pause_ = Pause::kCommit;
        shared_.ticker.HoldWriter(*this);
        break;
      }
      ++tick_requests_;
      if (looked_at != 0) --looked_at;
      shared_.dispatcher.Execute(session_, request);
      executed = last_is_whole = true;
      parser_.set_authenticated(session_.authenticated);
      CheckOutputLimits();
    }
    at += parser_.consumed();
  }
  if (executed) shared_.dispatcher.EndTurn(session_, last_is_whole ? &parser_.request() : nullptr);
  return at;
}

bool Connection::TurnIsOver() {
  if (tick_ != shared_.ticker.number()) {
    tick_ = shared_.ticker.number();
    tick_requests_ = 0;
  }
  if (tick_requests_ >= shared_.config.max_requests_per_tick) return true;
  return tick_requests_ % kRequestsPerClock == kRequestsPerClock - 1 && shared_.ticker.TimeIsUp();
}

// A browser that was lured into talking to us sends a request line or a header as the first word. What
// follows is under a stranger's control, so nothing more of it is executed.
bool Connection::IsForeign(const protocol::Request& request) {
  const std::string_view word = request[0];
  const char first = word.empty() ? '\0' : static_cast<char>(word[0] | 0x20);
  const bool post = first == 'p' && word.size() == 4 && strncasecmp(word.data(), "post", 4) == 0;
  const bool host = first == 'h' && word.size() == 5 && strncasecmp(word.data(), "host:", 5) == 0;
  if (!post && !host) return false;
  if (shared_.foreign_pace.Allow(shared_.ticker.now().monotonic_ms)) {
    spdlog::warn("{} speaks HTTP: closed. Somebody may be trying to reach this server through a browser",
                 session_.peer);
  }
  Close();
  return true;
}

void Connection::FailProtocol() {
  ++shared_.traffic.protocol_errors;
  if (shared_.limit_pace.Allow(shared_.ticker.now().monotonic_ms)) {
    spdlog::debug("{} does not speak the protocol: {}", session_.peer, parser_.error());
  }
  protocol::ReplyWriter(session_.output.bytes(), session_.version).Error(parser_.error());
  session_.close = true;
}

void Connection::AfterExecuting() {
  if (closing()) return;
  session_.query_buffer = held_.size();
  if (held_.size() > shared_.config.client_query_buffer_limit) {
    ++shared_.traffic.query_buffer_closed;
    if (shared_.limit_pace.Allow(shared_.ticker.now().monotonic_ms)) {
      spdlog::warn("{} closed: more than client-query-buffer-limit bytes without a whole request",
                   session_.peer);
    }
    return Close();
  }
  if (ended_ && session_.waits() && (!session_.cold || session_.blocked)) {
    // Nobody is left to take what the call waits for; the replies before it may still have a reader. (One
    // that waits for the disk waits for nobody, and is answered as if it had not.)
    shared_.dispatcher.Drop(session_);
    session_.close = true;
  }
  if (ended_ && pause_ == Pause::kNone && !session_.waits()) session_.close = true;
  if (session_.close || !session_.output.empty()) shared_.ticker.Touch(*this);
  UpdateReading();
}

void Connection::Wake() {
  if (closing()) return;
  CheckOutputLimits();
  shared_.ticker.Touch(*this);
  if (pause_ == Pause::kBlocked || ended_ || session_.close) shared_.ticker.Queue(*this);
}

void Connection::TakeTurn() {
  if (closing()) return;
  pause_ = Pause::kNone;
  held_.Consume(Execute(held_.bytes()));
  AfterExecuting();
}

// Blocked clients are read on, so that their going away is noticed. Who is about to have a turn is read on
// too, for to stop and start again would cost two system calls. The others send later.
void Connection::UpdateReading() {
  const bool soon = pause_ == Pause::kTurn || pause_ == Pause::kBlocked;
  const bool wanted = !closing() && !ended_ && !session_.close &&
                      (pause_ == Pause::kNone || (soon && held_.size() < kReadAheadBytes));
  if (wanted == reading_) return;
  reading_ = wanted;
  if (!wanted) {
    uv_read_stop(&handle_.stream);
  } else if (uv_read_start(&handle_.stream, &ProvideBuffer, &HandleRead) != 0) {
    Close();
  }
}

// ---- sending

const OutputLimit& Connection::OutputLimits() const {
  const ClientClass client_class = session_.subscriptions ? ClientClass::kPubsub : ClientClass::kNormal;
  return shared_.config.output_limits[static_cast<size_t>(client_class)];
}

void Connection::CheckOutputLimits() {
  const uint64_t hard = OutputLimits().hard_bytes;
  const bool beyond =
      (hard != 0 && unsent() > hard) || (!session_.authenticated && unsent() > kUnauthenticatedOutputBytes);
  if (!beyond || closing()) return;
  ++shared_.traffic.output_buffer_closed;
  if (shared_.limit_pace.Allow(shared_.ticker.now().monotonic_ms)) {
    spdlog::warn("{} closed: {} bytes of replies not read", session_.peer, unsent());
  }
  Close();
}

void Connection::Evict() {
  if (shared_.limit_pace.Allow(shared_.ticker.now().monotonic_ms)) {
    spdlog::warn("{} closed: clients are above maxmemory-clients, and it holds the most ({} bytes)",
                 session_.peer, memory_bytes());
  }
  ++shared_.traffic.clients_evicted;
  Close();
}

bool Connection::Send(storage::Lsn committed) {
  commands::Output& output = session_.output;
  // A write under way comes back to this when it is done.
  if (writing_ != nullptr || !cipher_.empty()) return false;
  if (tls_ != nullptr) {
    const bool all_sent = SendSealed(committed);
    // What waits inside TLS is held for the client as well.
    session_.writing_bytes = cipher_.size() + tls_->unsealed();
    if (!all_sent) return false;
  } else {
    while (const size_t ready = std::min(output.Releasable(committed), kMaxWriteBytes)) {
      if (!SendPlain(ready)) return false;
    }
  }
  if (!output.empty()) return true;
  if (output.bytes().capacity() > kKeptOutputBytes) std::string().swap(output.bytes());
  if (session_.close) {
    Close();
  } else if (pause_ == Pause::kOutput) {
    shared_.ticker.Queue(*this);
  }
  return false;
}

// How many of `bytes` the socket takes at once; nullopt where it is broken. No write is under way.
std::optional<size_t> Connection::TrySend(std::string_view bytes) {
  // By send(), which costs less than write(): that one the kernel has for any file.
  const ssize_t sent = send(session_.fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<size_t>(sent);
  if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) return 0;
  return std::nullopt;
}

// False where the kernel did not take all `ready` bytes at once.
bool Connection::SendPlain(size_t ready) {
  commands::Output& output = session_.output;
  const std::optional<size_t> sent = TrySend(output.front().substr(0, ready));
  if (!sent) {
    Close();
    return false;
  }
  if (*sent < ready) {
    StartWrite(ready, *sent);
    return false;
  }
  CountSent(ready);
  output.Consume(ready);
  return true;
}

// The kernel took `sent` of the `ready` bytes: the others go when it has room. They must stand still until
// then, so they leave the output; without a copy where they are all of it, or shared with others.
void Connection::StartWrite(size_t ready, size_t sent) {
  size_t from = 0;
  writing_ = session_.output.Take(ready, &from);
  session_.writing_bytes = ready;
  WriteOn(std::string_view(*writing_).substr(from + sent, ready - sent));
}

// `rest` stands still until the kernel has room for it.
void Connection::WriteOn(std::string_view rest) {
  uv_buf_t buffer = uv_buf_init(const_cast<char*>(rest.data()), static_cast<unsigned>(rest.size()));
  if (uv_write(&write_, &handle_.stream, &buffer, 1, &HandleWritten) != 0) return Close();
  CheckOutputLimits();
}

void Connection::HandleWritten(uv_write_t* write, int status) {
  Connection& connection = *static_cast<Connection*>(write->data);
  if (connection.closing()) return;
  connection.shared_.ticker.Begin();
  if (status != 0) return connection.Close();
  if (connection.tls_ == nullptr) {
    connection.CountSent(connection.session_.writing_bytes);
    connection.writing_.reset();
    connection.session_.writing_bytes = 0;
  } else {
    connection.CountSent(connection.cipher_.size());
    std::string().swap(connection.cipher_);
    connection.session_.writing_bytes = connection.tls_->unsealed();
  }
  connection.shared_.ticker.Touch(connection);
}

void Connection::CountSent(size_t bytes) {
  session_.output_bytes += bytes;
  shared_.traffic.output_bytes += bytes;
}

// ---- the end

void Connection::Close() {
  session_.close = true;  // no message is sent to it any more
  if (!closed_) shared_.ticker.Doom(*this);
}

void Connection::CloseSocket() {
  closed_ = true;
  reading_ = false;
  if (tls_ != nullptr) SayGoodbye();
  uv_close(&handle_.base, &HandleClosed);
}

void Connection::HandleClosed(uv_handle_t* handle) {
  Connection& connection = *static_cast<Connection*>(handle->data);
  connection.shared_.on_closed(connection);
}

void Connection::CheckTime(const commands::Time& now) {
  if (closing()) return;
  // Until the handshake is done nothing counts as read, so this is the time since the connection came.
  if (tls_ != nullptr && !tls_->handshake_done() &&
      now.monotonic_ms - last_read_ms_ > shared_.config.tls_handshake_timeout * 1000) {
    spdlog::debug("{} closed: no TLS handshake", session_.peer);
    return Close();
  }
  const uint64_t timeout_ms = shared_.config.timeout * 1000;
  if (timeout_ms != 0 && !session_.waits() && !session_.subscriptions &&
      now.monotonic_ms - last_read_ms_ > timeout_ms) {
    spdlog::debug("{} closed: idle", session_.peer);
    return Close();
  }
  const OutputLimit& limit = OutputLimits();
  if (limit.soft_bytes == 0 || unsent() <= limit.soft_bytes) {
    soft_since_ms_ = 0;
  } else if (soft_since_ms_ == 0) {
    soft_since_ms_ = now.monotonic_ms;
  } else if (now.monotonic_ms - soft_since_ms_ > limit.soft_seconds * 1000) {
    ++shared_.traffic.output_buffer_closed;
    spdlog::warn("{} closed: above the soft output limit for {} s", session_.peer, limit.soft_seconds);
    return Close();
  }
  const bool quiet = now.monotonic_ms - last_read_ms_ > 1000;
  if (quiet && session_.output.empty() && session_.output.bytes().capacity() > 256) {
    std::string().swap(session_.output.bytes());
  }
}

void Connection::UpdateLimits() {
  parser_.set_limits(Limits(shared_.config));
}

}  // namespace sluice::net
