// The reply to XREAD and XREADGROUP.
#pragma once

#include <algorithm>

#include "server/commands/stream_lookup.h"
#include "server/commands/stream_read_options.h"

namespace sluice::commands {

// The reply's frame: the streams with something to show, each with its entries.
class ReadReply {
 public:
  ReadReply(Context& ctx, const ReadOptions& options)
      : ctx_(ctx), reply_(ctx.reply), options_(options), writer_(ctx), begin_(ctx.reply.Mark()) {}

  // Whether another entry may be written: of this stream, and at all. The first one always may; none where
  // nothing more is to be read.
  bool StreamHasRoom() const { return entries_ < options_.count && HasRoom(); }
  bool HasRoom() const {
    if (all_entries_ == 0) return true;
    return ctx_.reads_on() && all_entries_ < options_.max_count &&
           reply_.Mark() - begin_ < options_.max_bytes;
  }

  // `most`: entries that the stream can show.
  void BeginStream(std::string_view key, uint64_t most) {
    if (streams_ == 0) resp2() ? reply_.BeginArray(1) : reply_.BeginMap(1);
    stream_begin_ = reply_.Mark();
    if (resp2()) reply_.Array(2);
    reply_.Bulk(key);
    entries_begin_ = reply_.BeginArray(std::min<uint64_t>(most, options_.count));
    entries_ = 0;
  }
  void Entry(engine::StreamId id, storage::Place place) {
    writer_.Write(id, place);
    Count();
  }
  // As Entry(), and how it stood before this delivery (CLAIM).
  void EntryWithPast(engine::StreamId id, storage::Place place, uint64_t idle_ms, uint64_t deliveries) {
    Count();
    const std::optional<engine::EntryView> entry = ctx_.Read(place);
    if (!entry) return;
    reply_.Array(4);
    WriteId(reply_, id);
    reply_.Array(entry->pairs * 2);
    reply_.Raw(entry->fields);
    reply_.Integer(static_cast<int64_t>(idle_ms));
    reply_.Integer(static_cast<int64_t>(deliveries));
  }
  void DeletedEntry(engine::StreamId id) {
    reply_.Array(2);
    WriteId(reply_, id);
    reply_.NullArray();
    Count();
  }
  size_t entries() const { return entries_; }
  // Without entries the stream is left out, unless it shows a history, which may be empty.
  void EndStream(bool even_if_empty) {
    if (entries_ == 0 && !even_if_empty) return reply_.Truncate(streams_ == 0 ? begin_ : stream_begin_);
    reply_.EndArray(entries_begin_, entries_);
    ++streams_;
  }
  size_t streams() const { return streams_; }
  void End() { resp2() ? reply_.EndArray(begin_, streams_) : reply_.EndMap(begin_, streams_); }

 private:
  bool resp2() const { return reply_.version() == protocol::Version::kResp2; }
  void Count() {
    ++entries_;
    ++all_entries_;
  }

  Context& ctx_;
  protocol::ReplyWriter& reply_;
  const ReadOptions& options_;
  EntryWriter writer_;
  size_t begin_;
  size_t stream_begin_ = 0;
  size_t entries_begin_ = 0;
  size_t entries_ = 0;      // of this stream
  size_t all_entries_ = 0;  // of all
  size_t streams_ = 0;
};

}  // namespace sluice::commands
