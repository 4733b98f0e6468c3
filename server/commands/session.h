// What commands know of the client that sent them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/reply_writer.h"
#include "server/commands/output.h"

namespace sluice::commands {

class BlockedCall;
struct Command;
struct WatchedKey;

// What stands between MULTI and EXEC.
struct Transaction {
  std::vector<std::string> requests;  // as RESP
  size_t bytes = 0;                   // of them all
  bool writes = false;                // one of them may change state
  bool grows = false;                 // one of them may make it larger
  bool broken = false;                // one was refused when it was queued: EXEC will refuse them all
};

// One client's side of the conversation. Owned by its connection (server/net) or by a test; the dispatcher
// reads and changes it, and writes replies to `output`.
struct Session {
  explicit Session(uint64_t session_id);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const uint64_t id;          // never reused while the server runs
  std::string peer;           // "127.0.0.1:50412", or the unix socket's path and ":0"
  std::string local;          // "127.0.0.1:6379"
  uint64_t connected_ms = 0;  // unix time
  uint64_t active_ms = 0;     // unix time of the last request
  int fd = -1;

  uint8_t db = 0;
  bool authenticated = true;  // the connection sets it false where a password is asked for
  protocol::Version version = protocol::Version::kResp2;
  std::string name;
  std::string lib_name;
  std::string lib_version;
  const Command* last_command = nullptr;
  uint64_t commands = 0;      // executed so far
  uint64_t input_bytes = 0;   // received so far
  uint64_t output_bytes = 0;  // sent so far
  size_t query_buffer = 0;    // bytes of unparsed input held
  Output output;
  bool close = false;  // close the connection once its output has left; no further request is executed

  std::unique_ptr<Transaction> transaction;  // between MULTI and EXEC
  std::vector<WatchedKey*> watched;          // in the dispatcher's watch table
  bool watch_broken = false;                 // one of them has changed

  // The call that waits (XREADGROUP ... BLOCK), if one does. While it is set the connection executes nothing.
  std::unique_ptr<BlockedCall> blocked;
};

}  // namespace sluice::commands
