// Socket addresses as text and back.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

namespace sluice::net {

// Resolves a host ("127.0.0.1", "::1", "*" for every IPv4 address, "::*" for every IPv6 address, or a name;
// the first address that the system knows for it) with `port`. nullopt: nothing known by that name.
std::optional<sockaddr_storage> Resolve(const std::string& host, uint16_t port);

// "127.0.0.1:6379", "[::1]:6379"; "?:0" for a family that is neither.
std::string AddressText(const sockaddr_storage& address);

// The two ends of a connected socket; an empty address where the peer has gone already.
sockaddr_storage PeerAddress(int fd);
sockaddr_storage LocalAddress(int fd);

// Whether the peer at `address` is this machine.
bool IsLoopback(const sockaddr_storage& address);

}  // namespace sluice::net
