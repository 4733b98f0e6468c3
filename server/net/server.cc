#include "server/net/server.h"

#include <signal.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "server/net/log_output.h"
#include "server/net/open_files.h"
#include "server/net/random_bytes.h"

namespace sluice::net {
namespace {

constexpr size_t kReadBufferBytes = 64 * 1024;
// A storm of new connections leaves room for the ones that are served.
constexpr uint64_t kAcceptsPerRound = 64;
// How many connections a tenth of a second looks at: a full round of 10,000 takes a second.
constexpr size_t kChecksPerRound = 1000;
// How long a clean stop waits for clients to take the replies that are theirs.
constexpr uint64_t kDrainMs = 1000;

constexpr std::string_view kTooManyClients = "-ERR max number of clients reached\r\n";
constexpr std::string_view kProtected =
    "-DENIED Sluice runs in protected mode: the default user has no password, so only clients of this "
    "machine may "
    "connect. To serve others: set a password (requirepass), or, where the network keeps strangers out, "
    "protected-mode no. "
    "Either can be done in the conf file, or from this machine with CONFIG SET.\r\n";

std::string RandomHex() {
  std::array<char, 20> bytes{};
  RandomBytes(bytes);
  return commands::acl::ToHexText({bytes.data(), bytes.size()});
}

uint64_t UnixMilliseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

Server& Of(void* data) {
  return *static_cast<Server*>(data);
}

}  // namespace

Server::Server(Config config, Start start, engine::Journal& journal)
    : config_(std::move(config)),
      start_(std::move(start)),
      run_id_(RandomHex()),
      started_unix_ms_(UnixMilliseconds()),
      journal_(journal),
      dispatcher_(journal, *this),
      ticker_(journal, dispatcher_, config_),
      shared_{.config = config_,
              .settings = settings_,
              .users = users_,
              .dispatcher = dispatcher_,
              .ticker = ticker_,
              .traffic = {},
              .read_buffer = std::vector<char>(kReadBufferBytes),
              .cipher_buffer = {},
              .on_closed = [this](Connection& connection) { connections_.erase(connection.session().id); }} {
  uv_loop_init(&loop_);
  loop_.data = this;
  const uint64_t clients = RaiseOpenFiles(config_.maxclients);
  if (clients < config_.maxclients) {
    spdlog::warn("maxclients lowered from {} to {}: the open-files limit (ulimit -n) allows no more",
                 config_.maxclients, clients);
    config_.maxclients = clients;
  }
  ApplyConfig();
  if (config_.supervised != Supervision::kNo) notifier_ = admin::ServiceNotifier::FromEnvironment();
  if (config_.supervised == Supervision::kSystemd && !notifier_.listening()) {
    spdlog::warn("supervised systemd: NOTIFY_SOCKET is not set, so nobody is told how this server does");
  }
}

Server::~Server() {
  metrics_server_.reset();
  journal_.StopWorkers();  // they wake the loop
  CloseAll();
}

std::optional<std::string> Server::Listen() {
  if (auto error = LoadUsers()) return error;
  if (config_.tls_port != 0) {
    auto context = MakeTlsContext(config_);
    if (!context) return context.error();
    tls_context_ = std::move(*context);
    shared_.cipher_buffer.resize(kReadBufferBytes);
  }
  if (auto error = ListenTcp(config_.port, false)) return error;
  if (auto error = ListenTcp(config_.tls_port, true)) return error;
  if (!config_.unixsocket.empty()) {
    listeners_.push_back(std::make_unique<Listener>(loop_, false, [this](Listener& one) { Accept(one); }));
    if (auto error =
            listeners_.back()->ListenUnix(config_.unixsocket, static_cast<uint32_t>(config_.unixsocketperm),
                                          static_cast<int>(config_.tcp_backlog))) {
      return error;
    }
  }
  if (std::none_of(listeners_.begin(), listeners_.end(), [](const auto& one) { return one->listening(); })) {
    return "nothing to listen on: port and tls-port are 0 or no bind address exists, and unixsocket is empty";
  }
  return ListenForMetrics();
}

std::optional<std::string> Server::ListenTcp(uint64_t port, bool tls) {
  if (port == 0) return std::nullopt;
  for (const std::string& address : config_.bind) {
    listeners_.push_back(std::make_unique<Listener>(loop_, tls, [this](Listener& one) { Accept(one); }));
    if (auto error = listeners_.back()->ListenTcp(address, static_cast<uint16_t>(port),
                                                  static_cast<int>(config_.tcp_backlog))) {
      return error;
    }
  }
  return std::nullopt;
}

void Server::StartHandles() {
  uv_check_init(&loop_, &after_poll_);
  uv_check_start(&after_poll_, [](uv_check_t* check) { Of(check->loop->data).AfterPoll(); });
  uv_idle_init(&loop_, &busy_);
  uv_timer_init(&loop_, &tenth_second_);
  uv_timer_start(
      &tenth_second_, [](uv_timer_t* timer) { Of(timer->loop->data).EveryTenthSecond(); }, 100, 100);
  uv_timer_init(&loop_, &deadline_);
  uv_timer_init(&loop_, &drain_);
  if (const int fd = journal_.log().completion_fd(); fd >= 0) {
    uv_poll_init(&loop_, &commits_, fd);
    // The tick that this opens takes the completion in.
    uv_poll_start(&commits_, UV_READABLE,
                  [](uv_poll_t* poll, int, int) { Of(poll->loop->data).ticker_.Begin(); });
  }
  uv_async_init(&loop_, &workers_, [](uv_async_t* async) { Of(async->loop->data).ticker_.Begin(); });
  journal_.checkpointer().set_notify([this] { uv_async_send(&workers_); });
  journal_.compactor().set_notify([this] { uv_async_send(&workers_); });
  journal_.cold_reads().set_notify([this] { uv_async_send(&workers_); });
  const auto on_signal = [](uv_signal_t* signal, int number) {
    Server& server = Of(signal->loop->data);
    server.ticker_.Begin();
    if (number != SIGHUP) {
      server.stop_reason_ = number == SIGTERM ? "SIGTERM" : "SIGINT";
    } else if (const auto error = OpenLogOutput(server.config_.logfile, server.config_.loglevel)) {
      spdlog::warn("The log file cannot be opened again: {}", *error);
    }
  };
  const std::array numbers = {SIGTERM, SIGINT, SIGHUP};
  for (size_t i = 0; i < numbers.size(); ++i) {
    uv_signal_init(&loop_, &signals_[i]);
    uv_signal_start(&signals_[i], on_signal, numbers[i]);
  }
}

void Server::Run() {
  StartHandles();
  if (notifier_.listening()) notifier_.Ready("serving on port " + std::to_string(Facts().tcp_port));
  metrics_board_.SetReady(true);
  uv_run(&loop_, UV_RUN_DEFAULT);
}

// ---- clients come

void Server::Accept(Listener& listener) {
  if (stopping_) return;
  if (accepted_this_round_ == kAcceptsPerRound) return listener.Postpone();
  ++accepted_this_round_;
  ticker_.Begin();
  const uint64_t id = ++last_id_;
  Connection& connection =
      *connections_.emplace(id, std::make_unique<Connection>(loop_, shared_, id, listener.is_unix()))
           .first->second;
  if (listener.is_tls()) connection.UseTls(*tls_context_);
  if (connection.Accept(listener.stream(), listener.name())) {
    Admit(connection);
  } else {
    connection.Close();
  }
}

void Server::Admit(Connection& connection) {
  ++shared_.traffic.connections_received;
  if (connections_.size() > config_.maxclients) {
    ++shared_.traffic.connections_rejected;
    return connection.Refuse(kTooManyClients);
  }
  if (config_.protected_mode && users_.default_user()->nopass() && !connection.is_local()) {
    spdlog::debug("{} refused: protected mode", connection.session().peer);
    return connection.Refuse(kProtected);
  }
  connection.Start();
}

// ---- the loop's rounds

void Server::AfterPoll() {
  accepted_this_round_ = 0;
  if (ticker_.has_work()) ticker_.End();
  if (stop_reason_ != nullptr && !stopping_) Stop(stop_reason_);
  if (stopping_) return Drained();
  for (const auto& listener : listeners_) listener->Resume();
  ArmDeadline();
  if (ticker_.has_work() != (uv_is_active(reinterpret_cast<uv_handle_t*>(&busy_)) != 0)) {
    if (ticker_.has_work()) {
      uv_idle_start(&busy_, [](uv_idle_t*) {});
    } else {
      uv_idle_stop(&busy_);
    }
  }
}

void Server::ArmDeadline() {
  std::optional<uint64_t> deadline_ms = dispatcher_.next_deadline_ms();
  if (deadline_ms && *deadline_ms <= ticker_.now().monotonic_ms) {
    // More is due than one tick does. The next one is not the timer's: libuv runs timers until none is due,
    // and looks at no socket in between.
    ticker_.Begin();
    deadline_ms.reset();
  }
  if (deadline_ms == armed_deadline_ms_) return;
  uv_update_time(&loop_);
  const uint64_t now_ms = uv_now(&loop_);
  if (deadline_ms && *deadline_ms <= now_ms) {
    // Due already: the next tick's, and not the timer's. libuv runs timers until none is due, and looks at no
    // socket in between: whoever is due all the time would keep everybody else out.
    ticker_.Begin();
    deadline_ms.reset();
  }
  armed_deadline_ms_ = deadline_ms;
  if (!deadline_ms) {
    uv_timer_stop(&deadline_);
    return;
  }
  // The tick that this opens answers the calls that are due.
  uv_timer_start(
      &deadline_,
      [](uv_timer_t* timer) {
        Server& server = Of(timer->loop->data);
        server.armed_deadline_ms_.reset();
        server.ticker_.Begin();
        server.AfterPoll();
      },
      *deadline_ms - now_ms, 0);
}

void Server::EveryTenthSecond() {
  ticker_.Begin();
  notifier_.Beat(ticker_.now().monotonic_ms);
  metrics_board_.Beat();
  if (!stopping_) {
    PublishMetrics();
    journal_.log().Tick(ticker_.now().monotonic_ms);
    CheckConnections();
    NoteCheckpoints();
    if (config_.maxmemory_clients != 0) EvictClients();
    input_rate_.Sample(ticker_.now().monotonic_ms, shared_.traffic.input_bytes);
    output_rate_.Sample(ticker_.now().monotonic_ms, shared_.traffic.output_bytes);
  }
  AfterPoll();
}

void Server::NoteCheckpoints() {
  const engine::CheckpointStatus& status = journal_.checkpointer().status();
  if (status.finished == noted_checkpoints_) return;
  noted_checkpoints_ = status.finished;
  if (status.last_failed) {
    spdlog::warn("A checkpoint failed: {}. Nothing is lost; a start replays more", status.last_error);
  } else {
    spdlog::info("Checkpoint at LSN {}: {} bytes in {} ms", storage::Value(status.newest.lsn),
                 status.last_bytes, status.last_took_ms);
  }
}

void Server::CheckConnections() {
  auto next = connections_.upper_bound(checked_id_);
  for (size_t i = 0; i < kChecksPerRound && next != connections_.end(); ++i, ++next) {
    next->second->CheckTime(ticker_.now());
    checked_id_ = next->first;
  }
  if (next == connections_.end()) checked_id_ = 0;
}

// Closes clients, those that hold the most memory first, until the others are below maxmemory-clients.
void Server::EvictClients() {
  const uint64_t most = config_.maxmemory_clients;
  uint64_t total = 0;
  std::vector<std::pair<size_t, Connection*>> by_size;
  for (const auto& [id, connection] : connections_) {
    if (connection->closing()) continue;
    const size_t bytes = connection->memory_bytes();
    total += bytes;
    if (!connection->session().no_evict) by_size.emplace_back(bytes, connection.get());
  }
  if (total <= most) return;
  std::sort(by_size.begin(), by_size.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  for (const auto& [bytes, connection] : by_size) {
    if (total <= most) return;
    connection->Evict();
    total -= bytes;
  }
}

// ---- the end

void Server::Stop(const char* why) {
  spdlog::info("{}: stopping. Everything recorded is made durable first", why);
  stopping_ = true;
  notifier_.Stopping();
  metrics_board_.SetReady(false);
  // The next SIGTERM or SIGINT ends the process on the spot, even where the disk keeps us waiting below: the
  // kernel does it, once the loop's handlers are gone.
  for (uv_signal_t& signal : signals_) {
    if (signal.signum != SIGHUP) uv_signal_stop(&signal);
  }
  for (const auto& listener : listeners_) listener->Close();
  ticker_.Finish(checkpoint_at_stop_);
  NoteCheckpoints();
  spdlog::info("The log is closed; bye");
  uv_idle_stop(&busy_);
  uv_timer_start(
      &drain_, [](uv_timer_t* timer) { uv_stop(timer->loop); }, kDrainMs, 0);
}

// Leaves once the clients have taken what is theirs; the drain timer ends it for those that never will.
void Server::Drained() {
  const bool drained = std::all_of(connections_.begin(), connections_.end(), [](const auto& entry) {
    return entry.second->closing() || entry.second->unsent() == 0;
  });
  if (drained) uv_stop(&loop_);
}

void Server::CloseAll() {
  ticker_.Begin();
  for (const auto& [id, connection] : connections_) connection->Close();
  ticker_.CloseDoomed();
  for (const auto& listener : listeners_) listener->Close();
  uv_walk(
      &loop_,
      [](uv_handle_t* handle, void*) {
        if (uv_is_closing(handle) == 0) uv_close(handle, nullptr);
      },
      nullptr);
  uv_run(&loop_, UV_RUN_DEFAULT);
  uv_loop_close(&loop_);
}

}  // namespace sluice::net
