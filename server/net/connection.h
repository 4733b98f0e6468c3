// One client: its socket, the bytes that it sent and nobody used yet, and its session.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/request_parser.h"
#include "server/commands/acl_users.h"
#include "server/commands/dispatcher.h"
#include "server/commands/session.h"
#include "server/config.h"
#include "server/net/input_buffer.h"
#include "server/net/log_pace.h"
#include "server/net/ticker.h"
#include "server/net/tls_stream.h"
#include "server/net/traffic.h"

namespace sluice::net {

class Connection;

// What the connections of one loop share.
struct Shared {
  const Config& config;
  commands::Settings& settings;
  const commands::acl::Users& users;
  commands::Dispatcher& dispatcher;
  Ticker& ticker;
  Traffic traffic;
  std::vector<char> read_buffer;               // one socket is read at a time
  std::vector<char> cipher_buffer;             // likewise, of TLS
  std::function<void(Connection&)> on_closed;  // the loop has let go of it: destroy it
  LogPace foreign_pace{60 * 1000};             // lines about other protocols
  LogPace limit_pace{1000};                    // lines about clients closed at a limit
};

// Reads into the loop's shared buffer and executes from there; owns bytes only where a request is half
// received or must wait. Executing pauses for a reason (Pause), and whatever takes the reason away gives the
// connection its next turn.
//
// Owned by the server. Close() at any time; the object dies when the loop calls Shared::on_closed.
class Connection {
 public:
  Connection(uv_loop_t& loop, Shared& shared, uint64_t id, bool is_unix);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Takes the waiting connection of `listener`. False where that failed: Close() it. `local`: the listener's
  // name, which is the peer's name too where it is a unix socket.
  bool Accept(uv_stream_t* listener, const std::string& local);
  // Speaks TLS from the first byte on. Before Start().
  void UseTls(SSL_CTX& context) { tls_ = std::make_unique<TlsStream>(context); }
  // Begins to read.
  void Start();
  // Instead of Start(): one error reply ("-ERR ...\r\n"), as far as the socket takes it, then the end. With
  // TLS only the end: there is no telling anything before the handshake.
  void Refuse(std::string_view reply);

  commands::Session& session() { return session_; }
  bool is_local() const { return is_local_; }
  bool closing() const { return lists_.doomed || closed_; }
  // Bytes of replies that the kernel has not taken.
  size_t unsent() const { return session_.output.size() + session_.writing_bytes; }
  // What the client holds in memory, for maxmemory-clients.
  size_t memory_bytes() const { return sizeof *this - sizeof session_ + session_.memory_bytes(); }
  // Closes it, the largest of those that are too many.
  void Evict();

  // Its blocked call was answered by another connection's request, or it was sent a message.
  void Wake();
  // Executes what it held back. The ticker calls it, once Queue()d.
  void TakeTurn();
  // Sends what is committed. True where output is left that waits for a commit.
  bool Send(storage::Lsn committed);
  // Closes the connection at the end of the tick; nothing more is executed.
  void Close();
  // The ticker's last call.
  void CloseSocket();

  // Limits that time brings: idle for `timeout` seconds, above the soft output limit for too long. Gives back
  // memory that a quiet connection keeps for nothing.
  void CheckTime(const commands::Time& now);
  // Takes over limits that CONFIG SET changed.
  void UpdateLimits();

  // In which of the ticker's lists it stands.
  struct Lists {
    bool touched = false;
    bool queued = false;
    bool held = false;
    bool doomed = false;
  };
  Lists& lists() { return lists_; }

 private:
  // Why requests that have arrived are not executed.
  enum class Pause : uint8_t {
    kNone,
    kTurn,     // had its share of this tick
    kBlocked,  // a call of its own waits
    kCommit,   // a write comes next, and too much is uncommitted
    kOutput,   // does not read its replies
  };

  static void ProvideBuffer(uv_handle_t* handle, size_t suggested, uv_buf_t* buffer);
  static void HandleRead(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer);
  static void HandleWritten(uv_write_t* write, int status);
  static void HandleClosed(uv_handle_t* handle);

  std::span<char> Room();
  void Received(std::string_view fresh);
  void ReceivedCipher(std::string_view cipher);
  void ReceivedEnd();
  size_t Execute(std::string_view input);
  bool TurnIsOver();
  bool IsForeign(const protocol::Request& request);
  void FailProtocol();
  void AfterExecuting();
  void Hold(std::string_view bytes);
  const OutputLimit& OutputLimits() const;
  void CheckOutputLimits();
  std::optional<size_t> TrySend(std::string_view bytes);
  bool SendPlain(size_t ready);
  bool SendSealed(storage::Lsn committed);
  void SayGoodbye();
  void StartWrite(size_t ready, size_t sent);
  void WriteOn(std::string_view rest);
  void CountSent(size_t bytes);
  void UpdateReading();
  union Handle {
    uv_handle_t base;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  };

  Shared& shared_;
  commands::Session session_;
  protocol::RequestParser parser_;
  InputBuffer held_;
  Handle handle_{};
  uv_write_t write_{};
  commands::SharedBytes writing_;   // what the kernel did not take at once; null: no write is under way
  std::unique_ptr<TlsStream> tls_;  // null: plain text
  std::string cipher_;              // with TLS, as `writing_`; empty: no write is under way
  Lists lists_;
  Pause pause_ = Pause::kNone;
  bool is_local_ = false;
  bool reading_ = false;
  bool ended_ = false;  // the peer sends nothing more
  bool closed_ = false;
  uint64_t tick_ = 0;  // the tick that `tick_requests_` counts in
  uint64_t tick_requests_ = 0;
  uint64_t last_read_ms_ = 0;   // monotonic
  uint64_t soft_since_ms_ = 0;  // above the soft output limit since then; 0: is not
};

}  // namespace sluice::net
