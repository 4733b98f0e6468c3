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

namespace acl {
class User;
}
class BlockedCall;
struct ColdCall;
struct Command;
struct SessionSubscriptions;
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
  std::shared_ptr<const acl::User> user;  // acl::Users::Greet() sets these two, AUTH changes them
  bool authenticated = false;             // where it is not, `user` is who it would be
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

  // The call that waits (XREADGROUP ... BLOCK), if one does, or the request that CLIENT PAUSE holds back, as
  // RESP, or the call that waits for the disk. While one is set the connection executes nothing.
  std::unique_ptr<BlockedCall> blocked;
  std::unique_ptr<std::string> postponed;
  std::unique_ptr<ColdCall> cold;
  bool waits() const { return blocked != nullptr || postponed != nullptr || cold != nullptr; }

  std::unique_ptr<SessionSubscriptions> subscriptions;  // nullptr: listens to no channel
  bool monitor = false;                                 // is shown every command
  bool no_evict = false;                                // CLIENT NO-EVICT
  bool no_touch = false;                                // CLIENT NO-TOUCH
  bool is_unix = false;

  // CLIENT REPLY: replies are not sent while it is off; SKIP leaves out so many more.
  bool replies_off = false;
  uint8_t replies_skipped = 0;
  bool mute() const { return replies_off || replies_skipped != 0; }

  // What the client holds in memory here, as CLIENT LIST and maxmemory-clients count it.
  size_t memory_bytes() const;
  // Its connection's part of that: bytes handed to the network that the kernel has not taken.
  size_t writing_bytes = 0;
};

}  // namespace sluice::commands
