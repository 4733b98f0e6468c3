// The loop's part in /metrics: figures are taken only when somebody asks, at most once a second.

#include "server/net/address.h"
#include "server/net/server.h"

namespace sluice::net {
namespace {

// How long who asks waits for the walk over the keys; then the last one's figures do.
constexpr uint64_t kWalkPatienceMs = 500;

}  // namespace

std::optional<std::string> Server::ListenForMetrics() {
  if (config_.metrics_port == 0) return std::nullopt;
  const auto port = static_cast<uint16_t>(config_.metrics_port);
  const std::optional<sockaddr_storage> address = Resolve(config_.metrics_bind, port);
  if (!address) return "metrics-bind '" + config_.metrics_bind + "': no such address";
  auto started = admin::MetricsServer::Start(*address, metrics_board_);
  if (!started) return "metrics-port: cannot listen on " + AddressText(*address) + ": " + started.error();
  metrics_server_ = std::move(*started);
  return std::nullopt;
}

void Server::PublishMetrics() {
  const commands::Time& now = ticker_.now();
  if (!metrics_board_.wanted()) {
    metrics_wanted_ms_ = 0;
  } else if (metrics_wanted_ms_ == 0) {
    metrics_wanted_ms_ = now.monotonic_ms;
    if (key_walk_ == nullptr) {
      key_walk_ = std::make_unique<admin::KeyWalk>(journal_.engine(), config_.metrics_max_series);
    }
  }
  if (key_walk_ != nullptr && key_walk_->Slice(now.unix_ms())) {
    std::unique_ptr<admin::KeyFigures> found = key_walk_->Take();
    found->taken_ms = now.monotonic_ms;
    key_figures_ = std::move(found);
    key_walk_.reset();
  }
  if (metrics_wanted_ms_ == 0) return;
  if (key_walk_ != nullptr && now.monotonic_ms - metrics_wanted_ms_ < kWalkPatienceMs) return;

  auto snapshot = std::make_shared<admin::MetricsSnapshot>();
  snapshot->taken_ms = now.monotonic_ms;
  snapshot->host = Facts();
  snapshot->statistics = dispatcher_.statistics();
  snapshot->commits = journal_.log().stats();
  snapshot->uncommitted_bytes = journal_.log().uncommitted_bytes();
  snapshot->log_tail = storage::Value(journal_.log().tail());
  for (uint8_t db = 0; db < engine::kDatabases; ++db) snapshot->keys += journal_.engine().keys().size(db);
  snapshot->by_key = key_figures_;
  if (metrics_board_.Publish(std::move(snapshot))) metrics_wanted_ms_ = 0;
}

}  // namespace sluice::net
