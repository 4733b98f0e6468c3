#include "server/net/keep_alive.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

namespace sluice::net {

void KeepAlive(int fd, uint64_t seconds) {
  // A socket that refuses one of these has lost its peer, which the next read will tell.
  const auto set = [fd](int level, int name, int value) {
    setsockopt(fd, level, name, &value, sizeof value);
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(seconds));
  set(IPPROTO_TCP, TCP_KEEPINTVL, static_cast<int>(std::max<uint64_t>(1, seconds / 3)));
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
}

}  // namespace sluice::net
