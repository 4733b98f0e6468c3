// One address that clients connect to.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace sluice::net {

// Owned by the server; closed with the loop, and to be destroyed only once the loop has let go of its handle.
class Listener {
 public:
  // Called when a connection waits: accept it with uv_accept(stream()), or Postpone() it.
  using OnConnection = std::function<void(Listener&)>;

  // `is_tls`: its clients speak TLS.
  Listener(uv_loop_t& loop, bool is_tls, OnConnection on_connection)
      : loop_(loop), is_tls_(is_tls), on_connection_(std::move(on_connection)) {}
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Each gives an error text, or nothing when clients can connect. `address` may begin with Redis's '-': then
  // an address that this machine does not have is no error, and listening() stays false.
  std::optional<std::string> ListenTcp(const std::string& address, uint16_t port, int backlog);
  // Replaces a socket that an earlier life left at `path`, never another kind of file. `mode`: permissions,
  // in force before anybody can connect; 0: as the umask has it.
  std::optional<std::string> ListenUnix(const std::string& path, uint32_t mode, int backlog);

  bool listening() const { return listening_; }
  bool is_tls() const { return is_tls_; }
  bool is_unix() const { return handle_.base.type == UV_NAMED_PIPE; }
  // "127.0.0.1:6379", or the unix socket's path.
  const std::string& name() const { return name_; }
  uv_stream_t* stream() { return &handle_.stream; }

  // Leaves the waiting connection, and those behind it, to the kernel until Resume() calls OnConnection
  // again.
  void Postpone() { postponed_ = true; }
  void Resume();

  void Close();

 private:
  union Handle {
    uv_handle_t base;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  };
  static void HandleConnection(uv_stream_t* stream, int status);

  uv_loop_t& loop_;
  bool is_tls_;
  OnConnection on_connection_;
  Handle handle_{};
  std::string name_;
  bool open_ = false;  // the loop has the handle
  bool listening_ = false;
  bool postponed_ = false;
};

}  // namespace sluice::net
