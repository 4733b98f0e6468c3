#include "tests/harness/test_host.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "server/commands/glob.h"

namespace sluice::tests {

TestHost::TestHost(const Config& config) : config_(config) {
  RefreshSettings();
  std::vector<commands::acl::UserLine> lines;
  for (const std::vector<std::string>& user : config_.users) {
    lines.push_back({"user " + user[0], {"user"}});
    lines.back().words.insert(lines.back().words.end(), user.begin(), user.end());
  }
  users_.SetDefaultPassword(config_.requirepass);
  if (const auto error = users_.Load(lines, config_.requirepass)) throw std::runtime_error(*error);
}

void TestHost::RefreshSettings() {
  settings_.requirepass = config_.requirepass;
  settings_.acl_file = config_.aclfile;
  users_.set_all_channels(config_.acl_pubsub_default == PubsubDefault::kAllChannels);
  users_.log().set_max_entries(config_.acllog_max_len);
  settings_.databases = config_.databases;
  settings_.max_transaction_bytes = config_.max_transaction_bytes;
  settings_.stream_node_max_entries = config_.stream_node_max_entries;
  settings_.stream_idmp_duration = config_.stream_idmp_duration;
  settings_.stream_idmp_maxsize = config_.stream_idmp_maxsize;
  settings_.retention_ms = config_.retention_ms;
  settings_.retention_bytes = config_.retention_bytes;
  settings_.max_memory = config_.maxmemory;
  settings_.seckill_closed_orders = config_.seckill_closed_orders;
  settings_.seckill_rate_users = config_.seckill_rate_users;
  settings_.hold_grace_ms = config_.hold_grace_ms;
  settings_.max_bulk_bytes = config_.proto_max_bulk_len;
  settings_.notify_keyspace_events = config_.notify_keyspace_events;
  settings_.max_subscriptions = config_.pubsub_max_subscriptions;
  settings_.slowlog_slower_than_us = config_.slowlog_log_slower_than;
  settings_.slowlog_max_entries = config_.slowlog_max_len;
  settings_.latency_threshold_ms = config_.latency_monitor_threshold;
  settings_.latency_tracking = config_.latency_tracking;
  settings_.debug_commands = config_.enable_debug_command != DebugCommands::kNo;
}

commands::Session& TestHost::Connect(uint64_t unix_ms) {
  auto& session = *sessions_.emplace_back(std::make_unique<commands::Session>(next_id_++));
  session.peer = "127.0.0.1:" + std::to_string(50000 + session.id);
  session.local = "127.0.0.1:6379";
  session.connected_ms = unix_ms;
  session.active_ms = unix_ms;
  session.fd = static_cast<int>(10 + session.id);
  users_.Greet(session);
  if (started_ms_ == 0) started_ms_ = unix_ms;
  return session;
}

void TestHost::Disconnect(commands::Session& session) {
  killed_.erase(&session);
  sessions_.remove_if([&](const auto& owned) { return owned.get() == &session; });
}

std::vector<commands::Session*> TestHost::TakeClosed() {
  std::vector<commands::Session*> closed;
  for (const auto& session : sessions_) {
    if (killed_.contains(session.get()) || (session->close && session->output.empty())) {
      closed.push_back(session.get());
    }
  }
  return closed;
}

uint64_t TestHost::TakeSleptMs() {
  return std::exchange(slept_ms_, 0);
}

commands::HostFacts TestHost::Facts() const {
  commands::HostFacts facts;
  facts.run_id.assign(40, 'a');
  facts.executable = "/usr/bin/sluice-server";
  facts.multiplexing_api = "epoll";
  facts.process_id = 1;
  facts.tcp_port = 6379;
  facts.started_unix_ms = started_ms_;
  facts.max_clients = config_.maxclients;
  facts.connected_clients = sessions_.size();
  facts.connections_received = next_id_ - 1;
  facts.recovery = "in memory";
  return facts;
}

tl::expected<std::string, std::string> TestHost::ReadAclFile() {
  return acl_file_;
}

std::optional<std::string> TestHost::WriteAclFile(std::string_view text) {
  acl_file_ = text;
  return std::nullopt;
}

void TestHost::FillRandom(std::span<char> bytes) {
  for (char& byte : bytes) byte = static_cast<char>(++random_);
}

void TestHost::ForEachSession(const std::function<void(commands::Session&)>& visit) {
  for (const auto& session : sessions_) visit(*session);
}

void TestHost::Kill(commands::Session& session, const commands::Session& caller) {
  if (&session == &caller) {
    session.close = true;
  } else {
    killed_.insert(&session);
  }
}

void TestHost::Sleep(double seconds) {
  slept_ms_ += static_cast<uint64_t>(std::llround(seconds * 1000));
}

std::vector<std::pair<std::string, std::string>> TestHost::ConfigGet(
    std::span<const std::string_view> patterns) const {
  std::vector<std::pair<std::string, std::string>> found;
  for (const Option& option : Options()) {
    const auto matches = [&](std::string_view pattern) {
      return commands::GlobMatches(pattern, option.name, true);
    };
    if (std::any_of(patterns.begin(), patterns.end(), matches)) {
      found.emplace_back(option.name, option.kind.get(config_));
    }
  }
  return found;
}

std::optional<std::string> TestHost::ConfigSet(std::span<const std::string_view> names_and_values) {
  const std::string old_password = config_.requirepass;
  std::optional<std::string> error = SetOptions(names_and_values, config_);
  if (!error) RefreshSettings();
  if (config_.requirepass != old_password) users_.SetDefaultPassword(config_.requirepass);
  return error;
}

}  // namespace sluice::tests
