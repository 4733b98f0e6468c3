// What a decision about orders will record: several items, several streams, one record.
#pragma once

#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/commands/host.h"
#include "server/commands/seckill_lookup.h"
#include "server/commands/seckill_message.h"
#include "server/engine/engine.h"

namespace sluice::commands {

// Collects events and owns what they point to, until they are recorded. Reads state and changes none; the
// record must follow before anything else is recorded.
class SalePlan {
 public:
  SalePlan(const engine::Engine& engine, const Time& now) : engine_(engine), now_(now) {}
  SalePlan(const SalePlan&) = delete;
  SalePlan& operator=(const SalePlan&) = delete;

  void Add(const engine::Event& event) { events_.push_back(event); }
  std::span<engine::Event> events() { return events_; }

  // Appends a message under `id`, or under an ID of this moment, to the stream at `key`, which is created
  // where it is missing. False: the key holds something else, or the stream's IDs are used up; nothing is
  // added.
  [[nodiscard]] bool Append(uint8_t db, std::string_view key, uint32_t pairs, std::string_view fields,
                            const engine::StreamId* id);

  // `parts` of one order, or orders, are closed in that state, and their streams told of it where their items
  // want that: `reason` says why they are released, and is empty where they are sold. False as above: the
  // plan is of no use then, unless `must`: such messages are left out.
  enum class Messages : uint8_t { kMust, kMay };
  [[nodiscard]] bool Settle(std::span<const OrderPart> parts, engine::OrderState state, uint8_t flags,
                            std::string_view reason, Messages messages);
  // Released parts are sold after all.
  [[nodiscard]] bool Reacquire(std::span<const OrderPart> parts);

  // The items whose stock changes, and how many pieces were available before.
  void Touch(const engine::Object& object);
  const std::vector<std::pair<engine::ObjectId, uint64_t>>& touched() const { return touched_; }

  // A list of IDs that lives as long as the plan.
  std::vector<engine::StreamId>& NewIds() { return ids_.emplace_back(); }

 private:
  struct Tail {
    uint8_t db;
    std::string_view key;
    engine::ObjectId stream;
    engine::StreamId last;
  };
  Tail* FindTail(uint8_t db, std::string_view key);
  bool Tell(const OrderPart& part, bool released, std::string_view reason);

  const engine::Engine& engine_;
  const Time now_;
  std::vector<engine::Event> events_;
  std::deque<OrderMessage> messages_;
  std::deque<std::vector<engine::StreamId>> ids_;
  std::vector<Tail> tails_;
  size_t created_ = 0;
  std::vector<std::pair<engine::ObjectId, uint64_t>> touched_;
};

}  // namespace sluice::commands
