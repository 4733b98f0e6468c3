#include "server/commands/stream_idempotence.h"

#include <cstring>

#include "server/commands/handlers.h"
#include "server/commands/stream_lookup.h"
#include "server/engine/hash.h"

namespace sluice::commands {

using engine::StreamId;

std::optional<MessageName> ParseMessageName(Context& ctx, size_t& i) {
  const bool made = IsWord(ctx.arg(i), "IDMPAUTO");
  MessageName name;
  name.producer = ctx.arg(++i);
  if (name.producer.empty()) {
    ctx.reply.Error(
        errors::Concat({"syntax error, ", made ? "IDMPAUTO" : "IDMP", " requires a non-empty producer ID"}));
    return std::nullopt;
  }
  if (made) return name;
  name.message = ctx.arg(++i);
  if (name.message.empty()) {
    ctx.reply.Error("syntax error, IDMP requires a non-empty idempotent ID");
    return std::nullopt;
  }
  return name;
}

std::string NameOfPairs(const protocol::Request& request, size_t fields_at) {
  // The sum of the pairs' hashes does not depend on their order; unlike an exclusive or it tells two equal
  // pairs from none.
  uint64_t sum[2] = {0, 0};
  for (size_t i = fields_at; i + 1 < request.size(); i += 2) {
    // A pair stands in the request as two bulk strings: their lengths say where the field ends.
    const std::string_view pair = request.Raw(i, i + 2);
    const XXH128_hash_t hash = XXH3_128bits(pair.data(), pair.size());
    sum[0] += hash.low64;
    sum[1] += hash.high64 + (sum[0] < hash.low64 ? 1 : 0);
  }
  std::string name(sizeof sum, '\0');
  std::memcpy(name.data(), sum, sizeof sum);
  return name;
}

uint64_t ProducerSeconds(const Context& ctx, const engine::Stream* stream) {
  const uint64_t own = stream == nullptr ? 0 : stream->idempotence().seconds;
  return own != 0 ? own : ctx.host.settings().stream_idmp_duration;
}

uint64_t ProducerMessages(const Context& ctx, const engine::Stream* stream) {
  const uint64_t own = stream == nullptr ? 0 : stream->idempotence().messages;
  return own != 0 ? own : ctx.host.settings().stream_idmp_maxsize;
}

Idempotence::Idempotence(Context& ctx, const engine::Object* object, engine::ObjectId id)
    : ctx_(ctx), stream_(object == nullptr ? nullptr : &object->stream()), id_(id) {}

std::optional<uint64_t> Idempotence::TooOld() const {
  const engine::ProducerTable* table = stream_ == nullptr ? nullptr : stream_->idempotence().producers.get();
  if (table == nullptr || !table->oldest()) return std::nullopt;
  const uint64_t lasting_ms = ProducerSeconds(ctx_, stream_) * 1000;
  const uint64_t now_ms = ctx_.now.unix_ms();
  if (now_ms < lasting_ms || table->oldest()->ms > now_ms - lasting_ms) return std::nullopt;
  return now_ms - lasting_ms;
}

bool Idempotence::AnswerDuplicate(MessageName& name, size_t fields_at) {
  if (name.message.empty()) {
    name.made = NameOfPairs(ctx_.request, fields_at);
    name.message = name.made;
  }
  const engine::ProducerTable* table = stream_ == nullptr ? nullptr : stream_->idempotence().producers.get();
  if (table == nullptr) return false;
  const auto entry = table->Find(name.producer, name.message);
  if (!entry) return false;
  if (const auto through_ms = TooOld(); through_ms && entry->ms <= *through_ms) return false;
  if (ctx_.Record({engine::CountDuplicate{id_}})) WriteId(ctx_.reply, *entry);
  return true;
}

void Idempotence::Remember(const MessageName& name, StreamId entry, Events& events) const {
  // A few of what is too old: the rest is swept.
  constexpr size_t kMost = 16;
  if (const auto through_ms = TooOld()) {
    const engine::ProducerTable& table = *stream_->idempotence().producers;
    events.push_back(engine::ForgetMessages{id_, *table.PlanForget(*through_ms, kMost)});
  }
  events.push_back(
      engine::RememberMessage{id_, entry, ProducerMessages(ctx_, stream_), name.producer, name.message});
}

void Xidmprecord(Context& ctx) {
  const std::string_view producer = ctx.arg(2);
  const std::string_view message = ctx.arg(3);
  if (producer.empty()) return ctx.reply.Error("producer ID must be non-empty");
  if (message.empty()) return ctx.reply.Error("idempotent ID must be non-empty");
  const auto entry = ParseStreamId(ctx.arg(4));
  if (!entry) return ctx.reply.Error(errors::kInvalidStreamId);
  const auto found = FindStream(ctx, ctx.arg(1));
  if (!found) return;
  if (*found == nullptr) return ctx.reply.Error(errors::kNoSuchKey);
  const engine::Stream& stream = (*found)->stream();
  if (!stream.Contains(*entry)) return ctx.reply.Error("No such message in stream");
  const engine::ProducerTable* table = stream.idempotence().producers.get();
  const auto known = table == nullptr ? std::nullopt : table->Find(producer, message);
  if (known && *known != *entry) {
    return ctx.reply.Error("IID already exists for this producer with a different stream ID");
  }
  const engine::RememberMessage remember{(*found)->id, *entry, ProducerMessages(ctx, &stream), producer,
                                         message};
  if (!known && !ctx.Record({remember})) return;
  ctx.reply.Ok();
}

}  // namespace sluice::commands
