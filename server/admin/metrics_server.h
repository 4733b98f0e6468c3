// The HTTP side of /metrics, /healthz and /readyz.
#pragma once

#include <sys/socket.h>

#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "server/admin/metrics_board.h"

struct MHD_Daemon;

namespace sluice::admin {

// Two threads of libmicrohttpd's, which see the board and nothing else. Bounded: 32 connections, 16 KiB of
// memory each, closed after 5 silent seconds; only GET and HEAD.
class MetricsServer {
 public:
  // Listens at `address` until it is destroyed. `board` outlives it. An error text where the address cannot
  // be had.
  static tl::expected<std::unique_ptr<MetricsServer>, std::string> Start(const sockaddr_storage& address,
                                                                         MetricsBoard& board);
  ~MetricsServer();
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

 private:
  explicit MetricsServer(MHD_Daemon* daemon) : daemon_(daemon) {}

  MHD_Daemon* daemon_;
};

}  // namespace sluice::admin
