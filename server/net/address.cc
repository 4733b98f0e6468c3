#include "server/net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <array>
#include <cstring>
#include <memory>

namespace sluice::net {
namespace {

const sockaddr_in& AsV4(const sockaddr_storage& address) {
  return reinterpret_cast<const sockaddr_in&>(address);
}
const sockaddr_in6& AsV6(const sockaddr_storage& address) {
  return reinterpret_cast<const sockaddr_in6&>(address);
}

}  // namespace

std::optional<sockaddr_storage> Resolve(const std::string& host, uint16_t port) {
  const std::string name = host == "*" ? "0.0.0.0" : host == "::*" ? "::" : host;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (getaddrinfo(name.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return std::nullopt;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  sockaddr_storage address{};
  std::memcpy(&address, found->ai_addr, found->ai_addrlen);
  return address;
}

std::string AddressText(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> host{};
  if (address.ss_family == AF_INET) {
    inet_ntop(AF_INET, &AsV4(address).sin_addr, host.data(), host.size());
    return std::string(host.data()) + ":" + std::to_string(ntohs(AsV4(address).sin_port));
  }
  if (address.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &AsV6(address).sin6_addr, host.data(), host.size());
    return "[" + std::string(host.data()) + "]:" + std::to_string(ntohs(AsV6(address).sin6_port));
  }
  return "?:0";
}

sockaddr_storage PeerAddress(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length);
  return address;
}

sockaddr_storage LocalAddress(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  return address;
}

bool IsLoopback(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) return ntohl(AsV4(address).sin_addr.s_addr) >> 24 == 127;
  if (address.ss_family == AF_INET6) return IN6_IS_ADDR_LOOPBACK(&AsV6(address).sin6_addr) != 0;
  return false;
}

}  // namespace sluice::net
