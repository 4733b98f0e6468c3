// What XREAD and XREADGROUP are asked.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "server/commands/context.h"

namespace sluice::commands {

struct ReadOptions {
  size_t count = SIZE_MAX;      // entries of each stream
  size_t max_count = SIZE_MAX;  // entries of all streams together
  size_t max_bytes = SIZE_MAX;  // of reply, behind which no further entry begins
  bool block = false;
  uint64_t timeout_ms = 0;
  bool no_ack = false;
  std::optional<uint64_t> claim_idle_ms;  // CLAIM: takes over first what has been idle for so long
  std::string_view group;
  std::string_view consumer;
  bool group_given = false;
  size_t keys_at = 0;  // of the first key; the IDs follow the keys
  size_t streams = 0;
};

// `grouped`: XREADGROUP's. nullopt: the error is replied.
std::optional<ReadOptions> ParseReadOptions(Context& ctx, bool grouped);

// Waits for the streams that the call names. `args`: the request to execute then. `retry_at_ms`: the unix
// time at which the call may find something though no key changes.
void BlockOnStreams(Context& ctx, const ReadOptions& options, std::span<const std::string_view> args,
                    std::optional<uint64_t> retry_at_ms);

}  // namespace sluice::commands
