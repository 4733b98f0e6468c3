// The server: a loop, its listeners, its clients, and what commands ask of the process around them.
#pragma once

#include <uv.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/admin/key_walk.h"
#include "server/admin/metrics_board.h"
#include "server/admin/metrics_server.h"
#include "server/admin/service_notifier.h"
#include "server/commands/acl_users.h"
#include "server/commands/dispatcher.h"
#include "server/commands/host.h"
#include "server/commands/rate.h"
#include "server/config.h"
#include "server/engine/journal.h"
#include "server/net/connection.h"
#include "server/net/listener.h"
#include "server/net/ticker.h"
#include "server/net/tls_context.h"

namespace sluice::net {

// Owns everything that has to do with sockets. The thread that calls Run() is the one that executes commands.
class Server final : private commands::Host {
 public:
  // How the process began.
  struct Start {
    std::string config_file;       // as CONFIG and INFO tell it, empty where none was read
    std::string recovery;          // what was found in the store, one line
    uint64_t allocated_bytes = 0;  // before the store was opened
  };

  // `journal` outlives the server.
  Server(Config config, Start start, engine::Journal& journal);
  ~Server() override;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Learns who may come, and listens where the configuration says. An error text where the users cannot be
  // read or an address cannot be had.
  std::optional<std::string> Listen();
  // Serves until SIGTERM, SIGINT or SHUTDOWN; returns once everything is durable and the log has ended. Does
  // not return where the log fails: the process ends with kExitLogFailure.
  void Run();

 private:
  // commands::Host, in server_host.cc.
  const commands::Settings& settings() const override { return settings_; }
  commands::HostFacts Facts() const override;
  commands::acl::Users& users() override { return users_; }
  tl::expected<std::string, std::string> ReadAclFile() override;
  std::optional<std::string> WriteAclFile(std::string_view text) override;
  void FillRandom(std::span<char> bytes) override;
  void Wake(commands::Session& session) override;
  void ForEachSession(const std::function<void(commands::Session&)>& visit) override;
  void Kill(commands::Session& session, const commands::Session& caller) override;
  void Log(std::string_view line) override;
  void ResetStatistics() override;
  void Shutdown(bool checkpoint) override;
  void Sleep(double seconds) override;
  std::vector<std::pair<std::string, std::string>> ConfigGet(
      std::span<const std::string_view> patterns) const override;
  std::optional<std::string> ConfigSet(std::span<const std::string_view> names_and_values) override;
  std::optional<std::string> ConfigRewrite() override;
  void ApplyConfig();
  std::optional<std::string> LoadUsers();

  std::optional<std::string> ListenTcp(uint64_t port, bool tls);
  std::optional<std::string> ListenForMetrics();
  void PublishMetrics();
  void StartHandles();
  void Accept(Listener& listener);
  void Admit(Connection& connection);
  void AfterPoll();
  void EveryTenthSecond();
  void CheckConnections();
  void NoteCheckpoints();
  void EvictClients();
  void ArmDeadline();
  void Stop(const char* why);
  void Drained();
  void CloseAll();

  Config config_;
  const Start start_;
  std::string run_id_;
  uint64_t started_unix_ms_;
  engine::Journal& journal_;
  commands::Settings settings_;
  commands::acl::Users users_;
  commands::Dispatcher dispatcher_;
  Ticker ticker_;
  Shared shared_;

  admin::ServiceNotifier notifier_;
  admin::MetricsBoard metrics_board_;
  std::unique_ptr<admin::MetricsServer> metrics_server_;  // null without metrics-port
  std::unique_ptr<admin::KeyWalk> key_walk_;              // under way
  std::shared_ptr<const admin::KeyFigures> key_figures_;  // of the last walk that ended
  uint64_t metrics_wanted_ms_ = 0;                        // monotonic; since when, 0: they are not

  uv_loop_t loop_{};
  uv_check_t after_poll_{};
  uv_idle_t busy_{};  // active while there is work, so that the poll does not sleep
  uv_poll_t commits_{};
  uv_async_t workers_{};  // one of the journal's has done something
  uv_timer_t tenth_second_{};
  uv_timer_t deadline_{};
  uv_timer_t drain_{};
  std::array<uv_signal_t, 3> signals_{};

  TlsContext tls_context_;  // of new connections; null without tls-port
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::map<uint64_t, std::unique_ptr<Connection>> connections_;  // by session id: oldest first
  commands::Rate input_rate_;
  commands::Rate output_rate_;
  uint64_t last_id_ = 0;
  uint64_t checked_id_ = 0;  // where CheckConnections() stands
  uint64_t accepted_this_round_ = 0;
  std::optional<uint64_t> armed_deadline_ms_;
  const char* stop_reason_ = nullptr;  // set: stop after this tick
  bool checkpoint_at_stop_ = true;
  uint64_t noted_checkpoints_ = 0;  // finished, and told of in the log lines
  bool stopping_ = false;
};

}  // namespace sluice::net
