// OBJECT: how a value is kept.
#include "server/commands/arguments.h"
#include "server/commands/handlers.h"
#include "server/commands/object_encoding.h"

namespace sluice::commands {
namespace {

// nullptr: the null is replied.
const engine::Object* Existing(Context& ctx) {
  const engine::Object* object = ctx.Find(ctx.arg(2));
  if (object == nullptr) ctx.reply.Null();
  return object;
}

}  // namespace

std::string_view EncodingOf(const engine::Object& object) {
  // Redis keeps strings up to here in one piece with their header.
  constexpr size_t kEmbedded = 44;
  switch (object.type()) {
    case engine::ObjectType::kString:
      if (ParseInteger(object.string())) return "int";
      return object.string().size() <= kEmbedded ? "embstr" : "raw";
    case engine::ObjectType::kStream:
      return "stream";
    case engine::ObjectType::kStockItem:
      return "seckill";
  }
  return "unknown";
}

void ObjectEncoding(Context& ctx) {
  if (const engine::Object* object = Existing(ctx)) ctx.reply.Bulk(EncodingOf(*object));
}

void ObjectFreq(Context& ctx) {
  if (Existing(ctx) == nullptr) return;
  ctx.reply.Error(
      "An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when "
      "switching between policies at runtime LRU and LFU data will take some time to adjust.");
}

void ObjectIdletime(Context& ctx) {
  if (Existing(ctx) == nullptr) return;
  ctx.reply.Error("no key is ever evicted for being idle, so idle times are not tracked");
}

void ObjectRefcount(Context& ctx) {
  if (Existing(ctx) != nullptr) ctx.reply.Integer(1);
}

}  // namespace sluice::commands
