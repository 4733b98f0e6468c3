// The process around the commands, without a process: what server/net is to them in earnest.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/commands/acl_users.h"
#include "server/commands/host.h"
#include "server/config.h"

namespace sluice::tests {

// Owns the sessions. Whoever drives it calls TakeClosed() after each request and lets the dispatcher drop
// those before they die.
class TestHost : public commands::Host {
 public:
  explicit TestHost(const Config& config);

  // A new connection.
  commands::Session& Connect(uint64_t unix_ms);
  // `session` is gone. The dispatcher has dropped it.
  void Disconnect(commands::Session& session);
  // Sessions that end now: killed, or closed by their own last reply (QUIT) once that has left.
  std::vector<commands::Session*> TakeClosed();

  // What DEBUG LOG wrote.
  const std::vector<std::string>& logged() const { return logged_; }
  const Config& config() const { return config_; }
  bool shut_down() const { return shut_down_; }
  // What DEBUG SLEEP asked for since the last call: time that passes for everybody.
  uint64_t TakeSleptMs();

  const commands::Settings& settings() const override { return settings_; }
  commands::HostFacts Facts() const override;
  commands::acl::Users& users() override { return users_; }
  // The file is in memory, and gone with the host.
  tl::expected<std::string, std::string> ReadAclFile() override;
  std::optional<std::string> WriteAclFile(std::string_view text) override;
  void FillRandom(std::span<char> bytes) override;
  void Wake(commands::Session&) override {}  // all outputs are looked at after each request anyhow
  void ForEachSession(const std::function<void(commands::Session&)>& visit) override;
  void Kill(commands::Session& session, const commands::Session& caller) override;
  void Log(std::string_view line) override { logged_.emplace_back(line); }
  void ResetStatistics() override {}
  void Shutdown(bool) override { shut_down_ = true; }
  void Sleep(double seconds) override;
  std::vector<std::pair<std::string, std::string>> ConfigGet(
      std::span<const std::string_view> patterns) const override;
  std::optional<std::string> ConfigSet(std::span<const std::string_view> names_and_values) override;
  std::optional<std::string> ConfigRewrite() override {
    return "The server is running without a config file";
  }

 private:
  void RefreshSettings();

  Config config_;
  commands::Settings settings_;
  commands::acl::Users users_;
  std::string acl_file_;
  unsigned char random_ = 0;
  std::list<std::unique_ptr<commands::Session>> sessions_;  // oldest first
  std::set<commands::Session*> killed_;
  std::vector<std::string> logged_;
  uint64_t next_id_ = 1;
  uint64_t started_ms_ = 0;
  uint64_t slept_ms_ = 0;
  bool shut_down_ = false;
};

}  // namespace sluice::tests
