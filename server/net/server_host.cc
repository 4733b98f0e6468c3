// What commands ask of the process: facts, settings, other sessions, the end.

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "server/commands/glob.h"
#include "server/net/log_output.h"
#include "server/net/open_files.h"
#include "server/net/server.h"

namespace sluice::net {
namespace {

storage::Durability DurabilityOf(AppendFsync appendfsync) {
  switch (appendfsync) {
    case AppendFsync::kAlways:
      return storage::Durability::kAlways;
    case AppendFsync::kEverySecond:
      return storage::Durability::kEverySecond;
    case AppendFsync::kNo:
      return storage::Durability::kNo;
  }
  return storage::Durability::kAlways;
}

}  // namespace

commands::HostFacts Server::Facts() const {
  const Traffic& traffic = shared_.traffic;
  std::error_code none;
  return {.run_id = run_id_,
          .executable = std::filesystem::read_symlink("/proc/self/exe", none).string(),
          .config_file = config_file_,
          .multiplexing_api = "epoll",
          .process_id = getpid(),
          .tcp_port = static_cast<uint16_t>(config_.port),
          .started_unix_ms = started_unix_ms_,
          .max_clients = config_.maxclients,
          .connected_clients = connections_.size(),
          .connections_received = traffic.connections_received,
          .connections_rejected = traffic.connections_rejected,
          .input_bytes = traffic.input_bytes,
          .output_bytes = traffic.output_bytes,
          .query_buffer_closed = traffic.query_buffer_closed,
          .output_buffer_closed = traffic.output_buffer_closed,
          .protocol_errors = traffic.protocol_errors,
          .recovery = recovery_};
}

void Server::Wake(commands::Session& session) {
  if (const auto found = connections_.find(session.id); found != connections_.end()) found->second->Wake();
}

void Server::ForEachSession(const std::function<void(commands::Session&)>& visit) {
  for (const auto& [id, connection] : connections_) {
    if (!connection->closing()) visit(connection->session());
  }
}

void Server::Kill(commands::Session& session, const commands::Session& caller) {
  if (&session == &caller) {
    session.close = true;
    return;
  }
  // From now on it must not be served: a message for it would go to somebody who is gone.
  dispatcher_.Drop(session);
  if (const auto found = connections_.find(session.id); found != connections_.end()) found->second->Close();
}

void Server::Shutdown(bool checkpoint) {
  stop_reason_ = "SHUTDOWN";
  checkpoint_at_stop_ = checkpoint;
}

void Server::Sleep(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

std::vector<std::pair<std::string, std::string>> Server::ConfigGet(
    std::span<const std::string_view> patterns) const {
  std::vector<std::pair<std::string, std::string>> found;
  for (const Option& option : Options()) {
    const bool asked = std::any_of(patterns.begin(), patterns.end(), [&](std::string_view pattern) {
      return commands::GlobMatches(pattern, option.name, /*ignore_case=*/true);
    });
    if (asked) found.emplace_back(option.name, option.kind.get(config_));
  }
  return found;
}

std::optional<std::string> Server::ConfigSet(std::span<const std::string_view> names_and_values) {
  Config changed = config_;
  if (auto error = SetOptions(names_and_values, changed)) return error;
  if (const uint64_t clients = RaiseOpenFiles(changed.maxclients);
      clients < changed.maxclients && changed.maxclients > config_.maxclients) {
    return "CONFIG SET failed (possibly related to argument 'maxclients') - The operating system is not able "
           "to "
           "handle the specified number of clients, try with " +
           std::to_string(clients);
  }
  config_ = std::move(changed);
  ApplyConfig();
  return std::nullopt;
}

void Server::ApplyConfig() {
  settings_ = {.requirepass = config_.requirepass,
               .databases = config_.databases,
               .stream_node_max_entries = config_.stream_node_max_entries,
               .stream_idmp_duration = config_.stream_idmp_duration,
               .stream_idmp_maxsize = config_.stream_idmp_maxsize,
               .max_memory = config_.maxmemory,
               .seckill_closed_orders = config_.seckill_closed_orders,
               .seckill_rate_users = config_.seckill_rate_users,
               .hold_grace_ms = config_.hold_grace_ms,
               .max_bulk_bytes = config_.proto_max_bulk_len,
               .max_transaction_bytes = config_.max_transaction_bytes,
               .debug_commands = config_.enable_debug_command == DebugCommands::kYes};
  journal_.log().set_durability(DurabilityOf(config_.appendfsync));
  journal_.checkpointer().set_log_bytes(config_.checkpoint_log_bytes);
  journal_.log().set_max_disk_bytes(config_.maxdisk);
  journal_.compactor().set_dead_percent(static_cast<uint32_t>(config_.compaction_dead_percent));
  SetLogLevel(config_.loglevel);
  for (const auto& [id, connection] : connections_) connection->UpdateLimits();
}

}  // namespace sluice::net
