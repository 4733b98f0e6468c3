#include "server/commands/seckill_check.h"

#include <algorithm>

namespace sluice::commands {

SaleCode CheckTry(Context& ctx, const engine::Object& object, const engine::BuyerTable::Known& user,
                  uint64_t quantity) {
  const engine::StockItem& item = object.item();
  const engine::SaleRules& rules = item.rules();
  const uint64_t now_ms = ctx.now.unix_ms();
  if (item.pause() != engine::Pause::kNone) return SaleCode::kPaused;
  if (rules.start_ms != 0 && now_ms < rules.start_ms) return SaleCode::kNotStarted;
  if (rules.end_ms != 0 && now_ms >= rules.end_ms) return SaleCode::kEnded;
  if (rules.rate != 0 && !ctx.MayTry(object.id, user.hash, rules.rate, rules.rate_ms)) return SaleCode::kRate;
  if (rules.max_quantity != 0 && quantity > rules.max_quantity) return SaleCode::kLimit;
  if (!IsWithinLimit(rules, user.pieces, quantity)) return SaleCode::kLimit;
  if (item.available() < quantity) return SaleCode::kSoldOut;
  return SaleCode::kOk;
}

bool IsBacklogged(const engine::SaleRules& rules, const engine::Stream* stream) {
  if (rules.max_backlog == 0 || stream == nullptr) return false;
  const auto undone = [&](const engine::ConsumerGroup& group) {
    return stream->Lag(group) + group.pending().size();
  };
  const engine::ConsumerGroup* named =
      rules.backlog_group.empty() ? nullptr : stream->FindGroup(rules.backlog_group);
  uint64_t backlog = 0;
  if (named != nullptr) {
    backlog = undone(*named);
  } else if (!rules.backlog_group.empty() || stream->groups().empty()) {
    backlog = stream->length();
  } else {
    for (const auto& [name, group] : stream->groups()) backlog = std::max(backlog, undone(*group));
  }
  return backlog >= rules.max_backlog;
}

uint64_t HoldOf(const engine::SaleRules& rules, const std::optional<uint64_t>& asked_ms) {
  return std::min(rules.hold_ms, asked_ms.value_or(rules.hold_ms));
}

}  // namespace sluice::commands
