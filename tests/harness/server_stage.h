// The stage of a real server: sockets, a process, a disk.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/harness/server_process.h"
#include "tests/harness/socket_client.h"
#include "tests/harness/stage.h"

namespace sluice::tests {

// Plays against a server of its own (a crash is a kill -9), or against one that runs already and was emptied first
// (then there are no crashes). A connection of its own asks INFO how many clients are blocked, so that a conversation
// goes on once a call really waits.
class ServerStage : public Stage {
 public:
  explicit ServerStage(std::vector<std::string> options);
  ServerStage(const std::string& host, uint16_t port);

  Heard Ask(const std::string& client, const std::vector<std::string>& words) override;
  Heard Receive(const std::string& client) override;
  Heard Peek(const std::string& client) override;
  [[noreturn]] void Advance(uint64_t ms) override;
  void Crash() override;
  void Reopen() override;

 private:
  struct Client {
    SocketClient socket;
    bool blocked = false;
  };

  Client& Connected(const std::string& name);
  Heard Noted(Client& client, Heard heard);
  void ConnectWatcher();
  size_t BlockedOnServer();
  ServerProcess& OwnServer();

  std::unique_ptr<ServerProcess> server_;
  std::string host_ = "127.0.0.1";
  uint16_t port_;
  SocketClient watcher_;
  std::map<std::string, Client> clients_;
};

}  // namespace sluice::tests
