// XREAD and XREADGROUP.
#include <deque>
#include <vector>

#include <absl/container/inlined_vector.h>

#include "server/commands/command.h"
#include "server/commands/handlers.h"
#include "server/commands/stream_lookup.h"

namespace sluice::commands {
namespace {

using engine::StreamId;

struct ReadOptions {
  size_t count = SIZE_MAX;
  bool block = false;
  uint64_t timeout_ms = 0;
  bool no_ack = false;
  std::string_view group;
  std::string_view consumer;
  bool group_given = false;
  size_t keys_at = 0;  // of the first key; the IDs follow the keys
  size_t streams = 0;
};

// nullopt: the error is replied.
std::optional<uint64_t> ParseTimeout(Context& ctx, std::string_view text) {
  const auto timeout = ParseInteger(text);
  if (!timeout) return ctx.reply.Error("timeout is not an integer or out of range"), std::nullopt;
  if (*timeout < 0) return ctx.reply.Error("timeout is negative"), std::nullopt;
  if (static_cast<uint64_t>(*timeout) > INT64_MAX - ctx.now.unix_ms()) {
    return ctx.reply.Error("timeout is out of range"), std::nullopt;
  }
  return static_cast<uint64_t>(*timeout);
}

std::optional<ReadOptions> ParseReadOptions(Context& ctx, bool grouped) {
  auto refuse = [&](std::string_view option) {
    ctx.reply.Error(errors::Concat(
        {"The ", option, " option is only supported by XREADGROUP. You called XREAD instead."}));
    return std::nullopt;
  };
  ReadOptions options;
  for (size_t i = 1; i < ctx.argc(); ++i) {
    const std::string_view word = ctx.arg(i);
    const size_t more = ctx.argc() - 1 - i;
    if (more >= 1 && IsWord(word, "BLOCK")) {
      const auto timeout = ParseTimeout(ctx, ctx.arg(++i));
      if (!timeout) return std::nullopt;
      options.block = true;
      options.timeout_ms = *timeout;
    } else if (more >= 1 && IsWord(word, "COUNT")) {
      const auto count = ParseInteger(ctx.arg(++i));
      if (!count) return ctx.reply.Error(errors::kNotInteger), std::nullopt;
      options.count = *count > 0 ? static_cast<size_t>(*count) : SIZE_MAX;
    } else if (more >= 1 && IsWord(word, "STREAMS")) {
      options.keys_at = i + 1;
      if (more % 2 != 0) {
        ctx.reply.Error(
            errors::Concat({"Unbalanced '", ctx.command.name, "' list of streams: for each stream key an ID",
                            grouped ? " or '>'" : ", '+', or '$'", " must be specified."}));
        return std::nullopt;
      }
      options.streams = more / 2;
      break;
    } else if (more >= 2 && IsWord(word, "GROUP")) {
      if (!grouped) return refuse("GROUP");
      options.group_given = true;
      options.group = ctx.arg(i + 1);
      options.consumer = ctx.arg(i + 2);
      i += 2;
    } else if (IsWord(word, "NOACK")) {
      if (!grouped) return refuse("NOACK");
      options.no_ack = true;
    } else {
      return ctx.reply.Error(errors::kSyntax), std::nullopt;
    }
  }
  if (options.keys_at == 0) return ctx.reply.Error(errors::kSyntax), std::nullopt;
  if (grouped && !options.group_given)
    return ctx.reply.Error("Missing GROUP option for XREADGROUP"), std::nullopt;
  return options;
}

// The reply's frame: the streams with something to show, each with its entries.
class ReadReply {
 public:
  explicit ReadReply(protocol::ReplyWriter& reply) : reply_(reply), mark_(reply.Mark()) {}

  void BeginStream(std::string_view key) {
    stream_mark_ = reply_.Mark();
    if (reply_.version() == protocol::Version::kResp2) reply_.Array(2);
    reply_.Bulk(key);
    entries_mark_ = reply_.Mark();
    entries_ = 0;
  }
  void Entry(StreamId id, storage::Place place) {
    WriteEntry(reply_, id, place);
    ++entries_;
  }
  void DeletedEntry(StreamId id) {
    reply_.Array(2);
    WriteId(reply_, id);
    reply_.NullArray();
    ++entries_;
  }
  size_t entries() const { return entries_; }
  // Without entries the stream is left out, unless it shows a history, which may be empty.
  void EndStream(bool even_if_empty) {
    if (entries_ == 0 && !even_if_empty) return reply_.Truncate(stream_mark_);
    reply_.InsertArray(entries_mark_, entries_);
    ++streams_;
  }
  size_t streams() const { return streams_; }
  void End() {
    if (reply_.version() == protocol::Version::kResp2) {
      reply_.InsertArray(mark_, streams_);
    } else {
      reply_.InsertMap(mark_, streams_);
    }
  }

 private:
  protocol::ReplyWriter& reply_;
  size_t mark_;
  size_t stream_mark_ = 0;
  size_t entries_mark_ = 0;
  size_t entries_ = 0;
  size_t streams_ = 0;
};

std::string NoGroupToRead(std::string_view key, std::string_view group) {
  return errors::NoKeyOrGroup(key, group) + " in XREADGROUP with GROUP option";
}

void BlockOnKeys(Context& ctx, const ReadOptions& options, std::span<const std::string_view> args) {
  ctx.Block({.keys = args.subspan(options.keys_at, options.streams),
             .group = options.group,
             .timeout_ms = options.timeout_ms,
             .args = args});
}

// One XREADGROUP: what it decides grows stream by stream, and is recorded as a whole.
class GroupRead {
 public:
  GroupRead(Context& ctx, const ReadOptions& options) : ctx_(ctx), options_(options), reply_(ctx.reply) {}

  void Run() {
    if (!FindGroups()) return;
    for (size_t i = 0; i < options_.streams; ++i) {
      if (positions_[i]) {
        ReadHistory(i);
      } else {
        ReadNew(i);
      }
    }
    if (!events_.empty() && !ctx_.Record(std::span(events_.data(), events_.size()))) return;
    if (reply_.streams() != 0) return reply_.End();
    if (!options_.block) return ctx_.reply.NullArray();
    BlockOnKeys(ctx_, options_, ctx_.request.args());
  }

 private:
  bool FindGroups() {
    for (size_t i = 0; i < options_.streams; ++i) {
      const auto group = FindGroup(ctx_, Key(i), options_.group, NoGroupToRead);
      if (!group) return false;
      groups_.push_back(*group);
      const std::string_view id = ctx_.arg(options_.keys_at + options_.streams + i);
      if (id == ">") {
        positions_.push_back(std::nullopt);
        continue;
      }
      if (id == "$" || id == "+") {
        ctx_.reply.Error(errors::Concat(
            {"The ", id,
             " ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer "
             "by specifying a proper ID, or use the > ID to get new messages. The ",
             id, " ID would just return an empty result set."}));
        return false;
      }
      const auto position = ParseStreamId(id);
      if (!position) return ctx_.reply.Error(errors::kInvalidStreamId), false;
      positions_.push_back(*position);
    }
    return true;
  }

  // Gives the consumer what nobody of the group was given.
  void ReadNew(size_t i) {
    const GroupRef& ref = groups_[i];
    const uint32_t consumer = ConsumerOf(ref);
    StreamId last = ref.group->last_delivered();
    std::optional<uint64_t> read = ref.group->entries_read();
    // A stream named twice goes on where its first reading ends.
    for (const engine::Event& event : events_) {
      const auto* earlier = std::get_if<engine::Deliver>(&event);
      if (earlier == nullptr || earlier->stream != ref.object->id) continue;
      last = earlier->last;
      read = earlier->entries_read;
    }
    if (last == engine::kMaxStreamId || last >= ref.stream->last_id()) return;
    reply_.BeginStream(Key(i));
    ref.stream->Scan(*engine::Next(last), engine::kMaxStreamId, [&](StreamId id, storage::Place place) {
      reply_.Entry(id, place);
      read = ref.stream->EntriesReadAt(id, read, last);
      last = id;
      return reply_.entries() < options_.count;
    });
    if (reply_.entries() != 0) {
      events_.push_back(engine::Deliver{.stream = ref.object->id,
                                        .group = ref.group->number(),
                                        .consumer = consumer,
                                        .now_ms = ctx_.now.unix_ms(),
                                        .last = last,
                                        .entries_read = read,
                                        .no_ack = options_.no_ack});
    }
    reply_.EndStream(false);
  }

  // Shows the consumer what is pending for it, above the position it gave.
  void ReadHistory(size_t i) {
    const GroupRef& ref = groups_[i];
    const uint32_t consumer = ConsumerOf(ref);
    reply_.BeginStream(Key(i));
    std::vector<StreamId> again;
    if (const engine::Consumer* existing = ref.group->FindConsumer(options_.consumer)) {
      for (auto it = existing->pending.upper_bound(*positions_[i]);
           it != existing->pending.end() && reply_.entries() < options_.count; ++it) {
        if (const auto place = ref.stream->Find(*it)) {
          reply_.Entry(*it, *place);
          again.push_back(*it);
        } else {
          reply_.DeletedEntry(*it);
        }
      }
    }
    reply_.EndStream(true);
    if (again.empty()) return;
    histories_.push_back(std::move(again));
    events_.push_back(engine::Redeliver{.stream = ref.object->id,
                                        .group = ref.group->number(),
                                        .consumer = consumer,
                                        .now_ms = ctx_.now.unix_ms(),
                                        .ids = histories_.back()});
  }

  // The consumer's number; decides to create it where this is the first that is heard of it.
  uint32_t ConsumerOf(const GroupRef& ref) {
    const ConsumerRef consumer = FindConsumer(*ref.group, options_.consumer);
    if (consumer.existing != nullptr) {
      ctx_.Touch(ref.object->id, ref.group->number(), consumer.number);
      return consumer.number;
    }
    for (const engine::Event& event : events_) {
      const auto* created = std::get_if<engine::CreateConsumer>(&event);
      if (created != nullptr && created->stream == ref.object->id) return consumer.number;
    }
    events_.push_back(consumer.Creation(ref, options_.consumer, ctx_.now.unix_ms()));
    return consumer.number;
  }

  std::string_view Key(size_t i) const { return ctx_.arg(options_.keys_at + i); }

  Context& ctx_;
  const ReadOptions& options_;
  ReadReply reply_;
  absl::InlinedVector<GroupRef, 2> groups_;
  absl::InlinedVector<std::optional<StreamId>, 2> positions_;  // nullopt: ">"
  absl::InlinedVector<engine::Event, 4> events_;
  absl::InlinedVector<std::vector<StreamId>, 1>
      histories_;  // what the events' lists point into: moving one keeps it
};

}  // namespace

void Xreadgroup(Context& ctx) {
  const auto options = ParseReadOptions(ctx, true);
  if (!options) return;
  GroupRead(ctx, *options).Run();
}

void Xread(Context& ctx) {
  const auto options = ParseReadOptions(ctx, false);
  if (!options) return;
  absl::InlinedVector<const engine::Object*, 2> streams;
  absl::InlinedVector<StreamId, 2> after;
  for (size_t i = 0; i < options->streams; ++i) {
    const engine::Object* object = ctx.Find(ctx.arg(options->keys_at + i));
    if (object != nullptr && object->type() != engine::ObjectType::kStream) {
      // A reader that waits goes on waiting for a stream, whatever the key holds meanwhile.
      if (!ctx.retried) return ctx.reply.Error(errors::kWrongType);
      object = nullptr;
    }
    streams.push_back(object);
    const std::string_view text = ctx.arg(options->keys_at + options->streams + i);
    const engine::Stream* stream = object == nullptr ? nullptr : &object->stream();
    if (text == "$") {
      after.push_back(stream == nullptr ? engine::kMinStreamId : stream->last_id());
    } else if (text == "+") {
      const bool any = stream != nullptr && stream->length() != 0;
      after.push_back(any                 ? *engine::Previous(stream->last_existing_id())
                      : stream == nullptr ? engine::kMinStreamId
                                          : stream->last_id());
    } else if (text == ">") {
      return ctx.reply.Error(
          "The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> "
          "option.");
    } else if (const auto id = ParseStreamId(text)) {
      after.push_back(*id);
    } else {
      return ctx.reply.Error(errors::kInvalidStreamId);
    }
  }

  ReadReply reply(ctx.reply);
  for (size_t i = 0; i < options->streams; ++i) {
    if (streams[i] == nullptr || after[i] >= streams[i]->stream().last_id()) continue;
    reply.BeginStream(ctx.arg(options->keys_at + i));
    streams[i]->stream().Scan(*engine::Next(after[i]), engine::kMaxStreamId,
                              [&](StreamId id, storage::Place place) {
                                reply.Entry(id, place);
                                return reply.entries() < options->count;
                              });
    reply.EndStream(false);
  }
  if (reply.streams() != 0) return reply.End();
  if (!options->block) return ctx.reply.NullArray();

  // While it waits, "$" and "+" stay what they are now.
  std::vector<std::string_view> args(ctx.request.args().begin(), ctx.request.args().end());
  std::deque<engine::StreamIdText> ids;
  for (size_t i = 0; i < options->streams; ++i) {
    args[options->keys_at + options->streams + i] = ids.emplace_back(after[i]).view();
  }
  BlockOnKeys(ctx, *options, args);
}

}  // namespace sluice::commands
