// Who watches every command (MONITOR).
#pragma once

#include <vector>

#include "protocol/request.h"
#include "server/commands/command.h"
#include "server/commands/delivery.h"

namespace sluice::commands {

class Monitors {
 public:
  explicit Monitors(Delivery& delivery) : delivery_(delivery) {}

  bool any() const { return !sessions_.empty(); }
  size_t size() const { return sessions_.size(); }
  void Add(Session& session);
  void Drop(Session& session);

  // Shows a command that `caller` has executed: `1339518083.107412 [0 127.0.0.1:60866] "KEYS" "*"`, without
  // its secrets. What administers the server is not shown.
  void Show(const Session& caller, const Command& command, const protocol::Request& request, Time now);

 private:
  Delivery& delivery_;
  std::vector<Session*> sessions_;
};

}  // namespace sluice::commands
