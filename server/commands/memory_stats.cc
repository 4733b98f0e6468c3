// MEMORY STATS and USAGE: what takes the memory.
#include <algorithm>

#include "server/commands/arguments.h"
#include "server/commands/handlers.h"
#include "server/commands/process_memory.h"

namespace sluice::commands {
namespace {

// The memory in use, by what it is for. Bytes.
struct MemoryShares {
  uint64_t total = 0;
  uint64_t startup = 0;
  uint64_t clients = 0;
  uint64_t log = 0;  // recorded, and not committed yet
  uint64_t tables = 0;
  uint64_t keys = 0;  // how many

  uint64_t overhead() const { return startup + clients + log + tables; }
  uint64_t dataset() const { return total - std::min(total, overhead()); }
};

MemoryShares SharesOf(Context& ctx, const ProcessMemory& memory) {
  MemoryShares shares;
  shares.startup = ctx.host.Facts().startup_allocated;
  ctx.host.ForEachSession([&](Session& session) { shares.clients += session.memory_bytes(); });
  shares.log = ctx.log().uncommitted_bytes();
  const engine::Keyspace& keys = ctx.engine.keys();
  shares.tables = keys.slots_bytes();
  for (uint8_t db = 0; db < engine::kDatabases; ++db) {
    // The indexes come from the system, past malloc; so do the log's buffers, which are of a fixed size.
    shares.total += keys.index_bytes(db);
    shares.tables += keys.index_bytes(db) + keys.expiries_bytes(db);
    shares.keys += keys.size(db);
  }
  shares.total += memory.allocated;
  return shares;
}

double Quotient(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// Redis's fields, in its order.
class StatsWriter {
 public:
  explicit StatsWriter(Context& ctx) : reply_(ctx.reply) {}

  void Bytes(std::string_view name, uint64_t value) {
    reply_.Bulk(name);
    reply_.Integer(static_cast<int64_t>(value));
  }
  void Share(std::string_view name, double value) {
    reply_.Bulk(name);
    reply_.Double(value);
  }
  // How much more `outer` is than `inner`: as a ratio and in bytes, which may be below 0.
  void Excess(std::string_view ratio, std::string_view bytes, uint64_t outer, uint64_t inner) {
    Share(ratio, Quotient(outer, inner));
    reply_.Bulk(bytes);
    reply_.Integer(static_cast<int64_t>(outer) - static_cast<int64_t>(inner));
  }

 private:
  protocol::ReplyWriter& reply_;
};

}  // namespace

void MemoryStats(Context& ctx) {
  constexpr size_t kFields = 27;
  const ProcessMemory memory = ReadProcessMemory();
  const MemoryShares shares = SharesOf(ctx, memory);
  const engine::Keyspace& keys = ctx.engine.keys();
  size_t databases = 0;
  for (uint8_t db = 0; db < engine::kDatabases; ++db) databases += keys.size(db) != 0;
  StatsWriter write(ctx);
  ctx.reply.Map(kFields + databases);
  write.Bytes("peak.allocated", std::max(memory.peak, memory.allocated));
  write.Bytes("total.allocated", shares.total);
  write.Bytes("startup.allocated", shares.startup);
  write.Bytes("replication.backlog", 0);
  write.Bytes("clients.slaves", 0);
  write.Bytes("clients.normal", shares.clients);
  write.Bytes("cluster.links", 0);
  write.Bytes("aof.buffer", shares.log);
  write.Bytes("lua.caches", 0);
  write.Bytes("functions.caches", 0);
  for (uint8_t db = 0; db < engine::kDatabases; ++db) {
    if (keys.size(db) == 0) continue;
    ctx.reply.Bulk("db." + std::to_string(db));
    ctx.reply.Map(3);
    write.Bytes("overhead.hashtable.main", keys.index_bytes(db));
    write.Bytes("overhead.hashtable.expires", keys.expiries_bytes(db));
    write.Bytes("overhead.hashtable.slot-to-keys", 0);
  }
  write.Bytes("overhead.total", shares.overhead());
  write.Bytes("keys.count", shares.keys);
  const uint64_t beyond_startup = shares.total - std::min(shares.total, shares.startup);
  write.Bytes("keys.bytes-per-key", shares.keys == 0 ? 0 : beyond_startup / shares.keys);
  write.Bytes("dataset.bytes", shares.dataset());
  write.Share("dataset.percentage", 100 * Quotient(shares.dataset(), beyond_startup));
  write.Share("peak.percentage", 100 * Quotient(shares.total, std::max(memory.peak, memory.allocated)));
  write.Bytes("allocator.allocated", memory.allocated);
  write.Bytes("allocator.active", memory.obtained);
  write.Bytes("allocator.resident", memory.anonymous);
  write.Excess("allocator-fragmentation.ratio", "allocator-fragmentation.bytes", memory.obtained,
               memory.allocated);
  write.Excess("allocator-rss.ratio", "allocator-rss.bytes", memory.anonymous, memory.obtained);
  write.Excess("rss-overhead.ratio", "rss-overhead.bytes", memory.resident, memory.anonymous);
  write.Excess("fragmentation", "fragmentation.bytes", memory.resident, memory.allocated);
}

void MemoryUsage(Context& ctx) {
  size_t samples = 5;
  for (size_t i = 3; i < ctx.argc(); i += 2) {
    if (!IsWord(ctx.arg(i), "SAMPLES") || i + 1 == ctx.argc()) return ctx.reply.Error(errors::kSyntax);
    const auto wanted = ParseInteger(ctx.arg(i + 1));
    if (!wanted) return ctx.reply.Error(errors::kNotInteger);
    if (*wanted < 0) return ctx.reply.Error(errors::kSyntax);
    samples = *wanted == 0 ? SIZE_MAX : static_cast<size_t>(*wanted);
  }
  const engine::Object* object = ctx.Find(ctx.arg(2));
  if (object == nullptr) return ctx.reply.Null();
  ctx.reply.Integer(static_cast<int64_t>(object->memory_bytes(samples)));
}

}  // namespace sluice::commands
