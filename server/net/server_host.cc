// What commands ask of the process: facts, settings, other sessions, the end.

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "server/commands/glob.h"
#include "server/config_rewrite.h"
#include "server/config_users.h"
#include "server/net/acl_file.h"
#include "server/net/log_output.h"
#include "server/net/open_files.h"
#include "server/net/random_bytes.h"
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

// The last of the names that is an option of TLS; empty where none is.
std::string_view TlsOption(std::span<const std::string_view> names_and_values) {
  std::string_view found;
  for (size_t i = 0; i < names_and_values.size(); i += 2) {
    if (const Option* option = FindOption(names_and_values[i]);
        option != nullptr && option->name.starts_with("tls-")) {
      found = option->name;
    }
  }
  return found;
}

}  // namespace

commands::HostFacts Server::Facts() const {
  const Traffic& traffic = shared_.traffic;
  std::error_code none;
  return {.run_id = run_id_,
          .executable = std::filesystem::read_symlink("/proc/self/exe", none).string(),
          .config_file = start_.config_file,
          .multiplexing_api = "epoll",
          .process_id = getpid(),
          .tcp_port = static_cast<uint16_t>(config_.port != 0 ? config_.port : config_.tls_port),
          .started_unix_ms = started_unix_ms_,
          .max_clients = config_.maxclients,
          .connected_clients = connections_.size(),
          .connections_received = traffic.connections_received,
          .connections_rejected = traffic.connections_rejected,
          .input_bytes = traffic.input_bytes,
          .output_bytes = traffic.output_bytes,
          .input_bytes_per_second = input_rate_.per_second(),
          .output_bytes_per_second = output_rate_.per_second(),
          .query_buffer_closed = traffic.query_buffer_closed,
          .output_buffer_closed = traffic.output_buffer_closed,
          .protocol_errors = traffic.protocol_errors,
          .clients_evicted = traffic.clients_evicted,
          .startup_allocated = start_.allocated_bytes,
          .ticks = ticker_.times(),
          .recovery = start_.recovery};
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

void Server::Log(std::string_view line) {
  spdlog::info("{}", line);
}

void Server::ResetStatistics() {
  shared_.traffic = {};
  ticker_.ResetTimes();
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
  TlsContext tls;
  if (const std::string_view option = TlsOption(names_and_values); !option.empty() && config_.tls_port != 0) {
    auto made = MakeTlsContext(changed);
    if (!made) {
      return "CONFIG SET failed (possibly related to argument '" + std::string(option) +
             "') - Unable to update TLS configuration: " + made.error();
    }
    tls = std::move(*made);
  }
  if (const uint64_t clients = RaiseOpenFiles(changed.maxclients);
      clients < changed.maxclients && changed.maxclients > config_.maxclients) {
    return "CONFIG SET failed (possibly related to argument 'maxclients') - The operating system is not able "
           "to "
           "handle the specified number of clients, try with " +
           std::to_string(clients);
  }
  const bool new_password = changed.requirepass != config_.requirepass;
  if (tls) tls_context_ = std::move(tls);
  config_ = std::move(changed);
  if (new_password) users_.SetDefaultPassword(config_.requirepass);
  ApplyConfig();
  return std::nullopt;
}

// Before anybody can connect.
std::optional<std::string> Server::LoadUsers() {
  users_.SetDefaultPassword(config_.requirepass);
  std::vector<commands::acl::UserLine> lines = UserLinesOf(config_);
  if (!config_.aclfile.empty()) {
    if (!config_.users.empty()) {
      return "users are defined in the configuration and an aclfile is named as well: one of them would be "
             "forgotten, so keep all users in one place";
    }
    const auto text = ReadAclFile();
    if (!text) return text.error();
    lines = commands::acl::SplitUserLines(*text, config_.aclfile);
  }
  return users_.Load(lines, config_.requirepass);
}

tl::expected<std::string, std::string> Server::ReadAclFile() {
  return net::ReadAclFile(config_.aclfile);
}

std::optional<std::string> Server::WriteAclFile(std::string_view text) {
  return net::WriteAclFile(config_.aclfile, text);
}

void Server::FillRandom(std::span<char> bytes) {
  RandomBytes(bytes);
}

std::optional<std::string> Server::ConfigRewrite() {
  if (start_.config_file.empty()) return "The server is running without a config file";
  Config now = config_;
  // ACL SETUSER has changed them since; those of an ACL file are ACL SAVE's.
  if (config_.aclfile.empty()) now.users = UserWordsOf(users_, config_.requirepass);
  if (const auto error = RewriteConfigFile(start_.config_file, now)) {
    spdlog::warn("CONFIG REWRITE failed: {}: {}", start_.config_file, *error);
    return "Rewriting config file: " + *error;
  }
  spdlog::info("CONFIG REWRITE: {} is up to date", start_.config_file);
  return std::nullopt;
}

void Server::ApplyConfig() {
  settings_ = {.requirepass = config_.requirepass,
               .acl_file = config_.aclfile,
               .databases = config_.databases,
               .stream_node_max_entries = config_.stream_node_max_entries,
               .stream_idmp_duration = config_.stream_idmp_duration,
               .stream_idmp_maxsize = config_.stream_idmp_maxsize,
               .retention_ms = config_.retention_ms,
               .retention_bytes = config_.retention_bytes,
               .max_memory = config_.maxmemory,
               .seckill_closed_orders = config_.seckill_closed_orders,
               .seckill_rate_users = config_.seckill_rate_users,
               .hold_grace_ms = config_.hold_grace_ms,
               .max_bulk_bytes = config_.proto_max_bulk_len,
               .max_transaction_bytes = config_.max_transaction_bytes,
               .debug_commands = config_.enable_debug_command == DebugCommands::kYes,
               .notify_keyspace_events = config_.notify_keyspace_events,
               .max_subscriptions = config_.pubsub_max_subscriptions,
               .slowlog_slower_than_us = config_.slowlog_log_slower_than,
               .slowlog_max_entries = config_.slowlog_max_len,
               .latency_threshold_ms = config_.latency_monitor_threshold,
               .latency_tracking = config_.latency_tracking};
  dispatcher_.ReadSettings();
  journal_.log().set_durability(DurabilityOf(config_.appendfsync));
  journal_.checkpointer().set_log_bytes(config_.checkpoint_log_bytes);
  journal_.log().set_max_disk_bytes(config_.maxdisk);
  journal_.compactor().set_dead_percent(static_cast<uint32_t>(config_.compaction_dead_percent));
  SetLogLevel(config_.loglevel);
  users_.set_all_channels(config_.acl_pubsub_default == PubsubDefault::kAllChannels);
  users_.log().set_max_entries(config_.acllog_max_len);
  for (const auto& [id, connection] : connections_) connection->UpdateLimits();
}

}  // namespace sluice::net
