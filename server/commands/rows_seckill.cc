#include "server/commands/command_rows.h"
#include "server/commands/handlers.h"

namespace sluice::commands {
namespace {

// Buyers write to it later without having to name it: who creates the item must be allowed to.
constexpr Keys kOrderStream{Keys::kWords, 2, 0, 0, "STREAM", kRW | kUpdate};

// Sorted by name.
constexpr Command kRows[] = {
    {"seckill.addstock", -3, kWrite | kFast, kFirstKey.With(kRW | kAccess | kUpdate), Group::kSeckill,
     "0.1.0", "O(1)", "item delta", "Adds stock, or takes away what is available.", SeckillAddstock},
    {"seckill.audit", 2, kReadOnly, kFirstKey.With(kRO | kAccess), Group::kSeckill, "0.1.0", "O(buyers)",
     "item", "Recounts an item's buyers against its counters.", SeckillAudit},
    {"seckill.buy", -3, kWrite | kDenyOom | kFast, kFirstKey.With(kRW | kAccess | kUpdate), Group::kSeckill,
     "0.1.0", "O(log n)", "item user [QTY quantity] [FIELDS pairs field value [field value ...]]",
     "Takes stock and enqueues the order, as one.", SeckillBuy},
    {"seckill.create",
     -4,
     kWrite | kDenyOom | kFast,
     kFirstKey.With(kOW | kInsert),
     Group::kSeckill,
     "0.1.0",
     "O(1)",
     "item STOCK stock [STREAM key] [START unix-ms] [END unix-ms] [LIMIT pieces] [MAXQTY pieces]",
     "Creates an item of limited stock.",
     SeckillCreate,
     {},
     kOrderStream},
    {"seckill.get", 2, kReadOnly | kFast, kFirstKey.With(kRO | kAccess), Group::kSeckill, "0.1.0", "O(1)",
     "item", "Returns an item's counters and rules.", SeckillGet},
    {"seckill.try", -3, kWrite | kDenyOom | kFast, kFirstKey.With(kRW | kAccess | kUpdate), Group::kSeckill,
     "0.1.0", "O(log n)", "item user [QTY quantity] [FIELDS pairs field value [field value ...]]",
     "As SECKILL.BUY, answering the code alone.", SeckillTry},
};
static_assert(SoundTable(kRows, ""));

}  // namespace

std::span<const Command> SeckillRows() {
  return kRows;
}

}  // namespace sluice::commands
