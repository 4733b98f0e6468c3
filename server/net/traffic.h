// What passed through the sockets since the start.
#pragma once

#include <cstdint>

namespace sluice::net {

struct Traffic {
  uint64_t connections_received = 0;
  uint64_t connections_rejected = 0;  // beyond maxclients
  uint64_t input_bytes = 0;
  uint64_t output_bytes = 0;
  uint64_t query_buffer_closed = 0;  // clients closed at client-query-buffer-limit
  uint64_t output_buffer_closed = 0;
  uint64_t protocol_errors = 0;
  uint64_t clients_evicted = 0;  // at maxmemory-clients
};

}  // namespace sluice::net
