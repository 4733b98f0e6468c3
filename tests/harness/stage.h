// Where a golden conversation is played: clients that speak to a Sluice, in memory or behind a socket.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/harness/reply.h"

namespace sluice::tests {

// Clients are called by name and connect at their first request, and again after their connection ended. Whatever goes
// wrong with the stage itself (a server that dies, bytes that are not RESP) is thrown as std::runtime_error.
class Stage {
 public:
  enum class Outcome : uint8_t {
    kReply,
    kBlocked,  // the call waits: its reply comes later
    kNothing,  // no reply has come
    kClosed,   // the connection ended
  };
  struct Heard {
    Outcome outcome = Outcome::kNothing;
    Reply reply;
  };

  virtual ~Stage() = default;

  // Sends one request and hears its reply, or that it blocks.
  virtual Heard Ask(const std::string& client, const std::vector<std::string>& words) = 0;
  // The next reply to a call that blocked; kNothing only after waiting for as long as a reply may take.
  virtual Heard Receive(const std::string& client) = 0;
  // What has come so far, without waiting.
  virtual Heard Peek(const std::string& client) = 0;

  virtual void Advance(uint64_t ms) = 0;
  virtual void Crash() = 0;
  virtual void Reopen() = 0;
};

}  // namespace sluice::tests
