#include "tests/harness/server_stage.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "tests/harness/deadline.h"

namespace sluice::tests {

ServerStage::ServerStage(std::vector<std::string> options)
    : server_(std::make_unique<ServerProcess>(std::move(options))), port_(server_->port()) {
  ConnectWatcher();
}

ServerStage::ServerStage(const std::string& host, uint16_t port) : host_(host), port_(port) {
  ConnectWatcher();
  watcher_.Send({"FLUSHALL"});
  watcher_.Receive(static_cast<int>(std::chrono::milliseconds(kPatience).count()));
}

void ServerStage::ConnectWatcher() {
  if (!watcher_.Connect(port_, host_)) throw std::runtime_error("nobody listens on port " + std::to_string(port_));
}

ServerStage::Client& ServerStage::Connected(const std::string& name) {
  Client& client = clients_[name];
  if (client.socket.connected()) return client;
  client.blocked = false;
  if (!client.socket.Connect(port_, host_)) throw std::runtime_error("client '" + name + "' cannot connect");
  return client;
}

Stage::Heard ServerStage::Noted(Client& client, Heard heard) {
  if (heard.outcome != Outcome::kNothing) client.blocked = false;
  return heard;
}

Stage::Heard ServerStage::Ask(const std::string& name, const std::vector<std::string>& words) {
  Client& client = Connected(name);
  const auto waiting = static_cast<size_t>(
      std::count_if(clients_.begin(), clients_.end(), [](const auto& entry) { return entry.second.blocked; }));
  if (!client.socket.Send(words)) return {Outcome::kClosed, {}};
  // Most replies come at once; only where one does not is it worth asking whether the call blocks.
  constexpr int kSoonMs = 20;
  const Deadline deadline(kPatience);
  while (!deadline.over()) {
    Heard heard = client.socket.Receive(kSoonMs);
    if (heard.outcome != Outcome::kNothing) return heard;
    if (BlockedOnServer() > waiting) {
      client.blocked = true;
      return {Outcome::kBlocked, {}};
    }
  }
  throw std::runtime_error("no reply, and the call does not block");
}

Stage::Heard ServerStage::Receive(const std::string& name) {
  Client& client = clients_[name];
  return Noted(client, client.socket.Receive(static_cast<int>(std::chrono::milliseconds(kPatience).count())));
}

Stage::Heard ServerStage::Peek(const std::string& name) {
  // One round trip of another connection: what the server had to say before that is on its way.
  BlockedOnServer();
  Client& client = clients_[name];
  return Noted(client, client.socket.Receive(0));
}

size_t ServerStage::BlockedOnServer() {
  watcher_.Send({"INFO", "clients"});
  const Heard heard = watcher_.Receive(static_cast<int>(std::chrono::milliseconds(kPatience).count()));
  constexpr std::string_view kField = "blocked_clients:";
  const std::string& text = heard.reply.text;
  // Where the conversation lets no stranger in, nobody blocks either: those who wait do so for the disk.
  if (text.starts_with("NOAUTH") || text.starts_with("-NOAUTH")) return 0;
  const size_t at = text.find(kField);
  size_t count = 0;
  if (heard.outcome != Outcome::kReply || at == std::string::npos ||
      std::from_chars(text.data() + at + kField.size(), text.data() + text.size(), count).ec != std::errc{}) {
    throw std::runtime_error("INFO clients does not say how many are blocked: " + FormatReply(heard.reply));
  }
  return count;
}

void ServerStage::Advance(uint64_t) {
  throw std::runtime_error("a real server's clock cannot be advanced");
}

ServerProcess& ServerStage::OwnServer() {
  if (!server_) throw std::runtime_error("the server is not ours to stop");
  return *server_;
}

void ServerStage::Crash() {
  OwnServer().Kill9();
  clients_.clear();
  OwnServer().Start();
  ConnectWatcher();
}

void ServerStage::Reopen() {
  const int status = OwnServer().Stop();
  if (status != 0) throw std::runtime_error("exit status " + std::to_string(status) + " after SIGTERM");
  clients_.clear();
  OwnServer().Start();
  ConnectWatcher();
}

}  // namespace sluice::tests
