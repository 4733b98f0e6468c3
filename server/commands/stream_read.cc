// XREAD.
#include <deque>
#include <vector>

#include <absl/container/inlined_vector.h>

#include "server/commands/handlers.h"
#include "server/commands/stream_lookup.h"
#include "server/commands/stream_read_options.h"
#include "server/commands/stream_read_reply.h"

namespace sluice::commands {

using engine::StreamId;

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

  ReadReply reply(ctx, *options);
  for (size_t i = 0; i < options->streams && reply.HasRoom(); ++i) {
    if (streams[i] == nullptr || after[i] >= streams[i]->stream().last_id()) continue;
    const engine::Stream& stream = streams[i]->stream();
    reply.BeginStream(ctx.arg(options->keys_at + i), stream.length());
    ctx.Scan(stream, *engine::Next(after[i]), engine::kMaxStreamId, [&](StreamId id, storage::Place place) {
      reply.Entry(id, place);
      return reply.StreamHasRoom();
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
  BlockOnStreams(ctx, *options, args, std::nullopt);
}

}  // namespace sluice::commands
