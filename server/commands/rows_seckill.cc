#include "server/commands/command_rows.h"
#include "server/commands/handlers.h"

namespace sluice::commands {
namespace {

// Buyers write to them later without having to name them: who names them to the item must be allowed to.
constexpr Keys kOrderStreams{Keys::kWords, 2, 0, 0, "STREAM|EVENTSTREAM", kRW | kUpdate};
// Behind the items.
constexpr Keys kBundleStream{Keys::kWords, kItemsKeys.first, 0, kItemsKeys.step, "STREAM", kRW | kUpdate};

// Sorted by name.
constexpr Command kSeckillRows[] = {
    {"seckill.addstock", -3, kWrite | kFast, kFirstKey.With(kRW | kAccess | kUpdate), Group::kSeckill,
     "0.1.0", "O(1)", "item delta [REQID id]", "Adds stock, or takes away what is available.",
     SeckillAddstock},
    {"seckill.audit", 2, kReadOnly, kFirstKey.With(kRO | kAccess), Group::kSeckill, "0.1.0",
     "O(buyers + orders)", "item", "Recounts an item's orders and buyers against its counters.",
     SeckillAudit},
    {"seckill.buy", -3, kWrite | kDenyOom | kFast, kFirstKey.With(kRW | kAccess | kUpdate), Group::kSeckill,
     "0.1.0", "O(log n)",
     "item user [QTY quantity] [REQID id] [HOLD ms] [FIELDS pairs field value [field value ...]]",
     "Takes stock and enqueues the order, as one.", SeckillBuy},
    {"seckill.buyers", -3, kReadOnly, kFirstKey.With(kRO | kAccess), Group::kSeckill, "0.1.0",
     "O(n) of the count", "item cursor [COUNT count]", "Walks over an item's buyers and their pieces.",
     SeckillBuyers},
    {"seckill.cancel", -3, kWrite | kFast, kFirstKey.With(kRW | kAccess | kUpdate), Group::kSeckill, "0.1.0",
     "O(log n)", "item <order | REQID id> [USER user] [FORCE] [NORESTOCK] [REASON text]",
     "Releases an order: its stock comes back once.", SeckillCancel},
    {"seckill.config",
     -2,
     kWrite | kFast,
     kFirstKey.With(kRW | kUpdate),
     Group::kSeckill,
     "0.1.0",
     "O(1)",
     "item [STREAM key] [START unix-ms] [END unix-ms] [LIMIT pieces] [MAXQTY pieces] [HOLD ms] [RATE tries "
     "PER ms] "
     "[MAXBACKLOG orders [GROUP group]] [IDEM ms] [KEEPQUOTA yes|no] [EVENTS orders|all] [EVENTSTREAM "
     "key]",
     "Changes an item's options; 0 or an empty key takes one back.",
     SeckillConfig,
     {},
     kOrderStreams},
    {"seckill.confirm", -3, kWrite | kFast, kFirstKey.With(kRW | kAccess | kUpdate), Group::kSeckill, "0.1.0",
     "O(log n)", "item <order | REQID id> [USER user] [REACQUIRE]", "Makes a held order a sale.",
     SeckillConfirm},
    {"seckill.create",
     -4,
     kWrite | kDenyOom | kFast,
     kFirstKey.With(kOW | kInsert),
     Group::kSeckill,
     "0.1.0",
     "O(1)",
     "item STOCK stock [STREAM key] [START unix-ms] [END unix-ms] [LIMIT pieces] [MAXQTY pieces] [HOLD ms] "
     "[RATE tries PER ms] [MAXBACKLOG orders [GROUP group]] [IDEM ms] [KEEPQUOTA yes|no] [EVENTS orders|all] "
     "[EVENTSTREAM key]",
     "Creates an item of limited stock.",
     SeckillCreate,
     {},
     kOrderStreams},
    {"seckill.extend", -4, kWrite | kFast, kFirstKey.With(kRW | kAccess | kUpdate), Group::kSeckill, "0.1.0",
     "O(log n)", "item <order | REQID id> ms [USER user]", "Lets a hold end so many milliseconds from now.",
     SeckillExtend},
    {"seckill.get", 2, kReadOnly | kFast, kFirstKey.With(kRO | kAccess), Group::kSeckill, "0.1.0", "O(1)",
     "item", "Returns an item's counters and options.", SeckillGet},
    {"seckill.list",
     -2,
     kReadOnly,
     {},
     Group::kSeckill,
     "0.1.0",
     "O(n) of the count",
     "cursor [COUNT count]",
     "Walks over the items of a database.",
     SeckillList},
    {"seckill.mbuy",
     -6,
     kWrite | kDenyOom | kMovableKeys,
     kItemsKeys.With(kRW | kAccess | kUpdate),
     Group::kSeckill,
     "0.1.0",
     "O(items * log n)",
     "user ITEMS items item quantity [item quantity ...] [REQID id] [HOLD ms] [STREAM key] [FIELDS pairs "
     "field "
     "value [field value ...]]",
     "Takes stock of several items as one order.",
     SeckillMbuy,
     {},
     kBundleStream},
    {"seckill.order", -3, kReadOnly | kFast, kFirstKey.With(kRO | kAccess), Group::kSeckill, "0.1.0",
     "O(log n)", "item <order | REQID id>", "Returns what became of an order.", SeckillOrder},
    {"seckill.pause", -2, kWrite | kFast, kFirstKey.With(kRW | kUpdate), Group::kSeckill, "0.1.0", "O(1)",
     "item [HOLDS]", "Stops a sale, and with HOLDS the time of its holds.", SeckillPause},
    {"seckill.resume", 2, kWrite | kFast, kFirstKey.With(kRW | kUpdate), Group::kSeckill, "0.1.0", "O(1)",
     "item", "Lets a sale, and the time of its holds, go on.", SeckillResume},
    {"seckill.stats", 2, kReadOnly | kFast, kFirstKey.With(kRO | kAccess), Group::kSeckill, "0.1.0",
     "O(orders / 64)", "item", "Returns how often an item was tried since the start, and what is open.",
     SeckillStats},
    {"seckill.try", -3, kWrite | kDenyOom | kFast, kFirstKey.With(kRW | kAccess | kUpdate), Group::kSeckill,
     "0.1.0", "O(log n)",
     "item user [QTY quantity] [REQID id] [HOLD ms] [FIELDS pairs field value [field value ...]]",
     "As SECKILL.BUY, answering the code alone.", SeckillTry},
    {"seckill.user", 3, kReadOnly | kFast, kFirstKey.With(kRO | kAccess), Group::kSeckill, "0.1.0",
     "O(n) of the user's orders", "item user",
     "Returns how many pieces a user has, and the user's open orders.", SeckillUser},
};
static_assert(SoundTable(kSeckillRows, ""));

}  // namespace

std::span<const Command> SeckillRows() {
  return kSeckillRows;
}

}  // namespace sluice::commands
