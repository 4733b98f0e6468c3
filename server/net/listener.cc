#include "server/net/listener.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "server/net/address.h"

namespace sluice::net {

std::optional<std::string> Listener::ListenTcp(const std::string& address, uint16_t port, int backlog) {
  const bool optional = address.starts_with('-');
  const std::string host = address.substr(optional ? 1 : 0);
  name_ = host + ":" + std::to_string(port);
  const std::optional<sockaddr_storage> where = Resolve(host, port);
  if (!where) return "cannot bind " + name_ + ": no such address";
  name_ = AddressText(*where);

  uv_tcp_init(&loop_, &handle_.tcp);
  open_ = true;
  handle_.base.data = this;
  const unsigned flags = where->ss_family == AF_INET6 ? UV_TCP_IPV6ONLY : 0;
  int status = uv_tcp_bind(&handle_.tcp, reinterpret_cast<const sockaddr*>(&*where), flags);
  if (status == 0) status = uv_listen(&handle_.stream, backlog, &HandleConnection);
  listening_ = status == 0;
  if (listening_) return std::nullopt;
  Close();
  if (optional && (status == UV_EADDRNOTAVAIL || status == UV_EAFNOSUPPORT)) return std::nullopt;
  return "cannot listen on " + name_ + ": " + uv_strerror(status);
}

std::optional<std::string> Listener::ListenUnix(const std::string& path, uint32_t mode, int backlog) {
  name_ = path;
  struct stat found {};
  if (lstat(path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode))
      return "cannot listen on " + path + ": a file that is no socket is in the way";
    unlink(path.c_str());
  }
  uv_pipe_init(&loop_, &handle_.pipe, 0);
  open_ = true;
  handle_.base.data = this;
  int status = uv_pipe_bind(&handle_.pipe, path.c_str());
  // Until it listens the kernel refuses everybody, so there is no moment with the wrong mode.
  if (status == 0 && mode != 0 && chmod(path.c_str(), mode) != 0) status = -errno;
  if (status == 0) status = uv_listen(&handle_.stream, backlog, &HandleConnection);
  listening_ = status == 0;
  if (listening_) return std::nullopt;
  Close();
  return "cannot listen on " + path + ": " + uv_strerror(status);
}

void Listener::Resume() {
  if (!postponed_ || !listening_) return;
  postponed_ = false;
  on_connection_(*this);
}

void Listener::Close() {
  if (open_) uv_close(&handle_.base, nullptr);
  open_ = listening_ = false;
}

void Listener::HandleConnection(uv_stream_t* stream, int status) {
  Listener& listener = *static_cast<Listener*>(stream->data);
  // A failed accept (the peer went away, no descriptor left) concerns that connection alone.
  if (status == 0) listener.on_connection_(listener);
}

}  // namespace sluice::net
