#include "server/engine/stream_state.h"

#include <cstring>
#include <utility>
#include <vector>

namespace sluice::engine {
namespace {

// {id, since u64, deliveries u64, consumer u32}
constexpr size_t kPendingBytes = sizeof(StreamId) + 2 * sizeof(uint64_t) + sizeof(uint32_t);

void Append(std::string& to, const auto& value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string EncodePending(std::span<const DumpedPending> entries) {
  std::string bytes;
  bytes.reserve(entries.size() * kPendingBytes);
  for (const DumpedPending& entry : entries) {
    Append(bytes, entry.id), Append(bytes, entry.since);
    Append(bytes, entry.deliveries), Append(bytes, entry.consumer);
  }
  return bytes;
}

DumpedPending DecodePending(const char* from) {
  DumpedPending entry;
  const auto take = [&from](auto& value) {
    std::memcpy(&value, from, sizeof value);
    from += sizeof value;
  };
  take(entry.id), take(entry.since), take(entry.deliveries), take(entry.consumer);
  return entry;
}

}  // namespace

// Reads and writes what only the Applier may otherwise.
struct StreamAccess {
  static StreamState StateOf(ObjectId id, const Stream& stream) {
    const Idempotence& idempotence = stream.idempotence_;
    return {.stream = id,
            .emptied_at = stream.emptied_at_,
            .appended = stream.appended_,
            .node_base = stream.node_base_,
            .length = stream.length_,
            .first = stream.first_,
            .last = stream.last_id_,
            .max_deleted = stream.max_deleted_,
            .entries_added = stream.entries_added_,
            .next_group = stream.next_group_,
            .groups = static_cast<uint32_t>(stream.groups_.size()),
            .deleted = stream.deleted_.size(),
            .idempotence_seconds = idempotence.seconds,
            .idempotence_messages = idempotence.messages,
            .messages_added = idempotence.added,
            .duplicates = idempotence.duplicates,
            .messages = idempotence.producers ? idempotence.producers->messages() : 0,
            .has_producers = idempotence.producers != nullptr};
  }
  static void Set(const StreamState& state, Stream& stream) {
    stream.emptied_at_ = state.emptied_at;
    stream.appended_ = state.appended;
    stream.node_base_ = state.node_base;
    stream.length_ = state.length;
    stream.first_ = state.first;
    stream.last_id_ = state.last;
    stream.max_deleted_ = state.max_deleted;
    stream.entries_added_ = state.entries_added;
    stream.next_group_ = state.next_group;
    stream.idempotence_ = {state.idempotence_seconds, state.idempotence_messages, state.messages_added,
                           state.duplicates, nullptr};
    if (state.has_producers != 0) stream.idempotence_.producers = std::make_unique<ProducerTable>();
  }
  static void SetRetention(Stream& stream, const Retention& retention) { stream.retention_ = retention; }
  static bool InsertDeleted(Stream& stream, StreamId id) {
    DeletedIds& deleted = stream.deleted_;
    if (id <= stream.first_ || (!deleted.empty() && id <= deleted.At(deleted.size() - 1))) return false;
    deleted.Insert(id);
    return true;
  }
  static void AddGroup(Stream& stream, const GroupState& state) {
    const uint32_t next_group = stream.next_group_;
    ConsumerGroup& group = stream.AddGroup(state.group, state.name);
    stream.next_group_ = next_group;
    group.last_delivered_ = state.last_delivered;
    group.entries_read_ = state.entries_read;
    group.next_consumer_ = state.next_consumer;
  }
  static void AddConsumer(ConsumerGroup& group, const ConsumerState& state, uint64_t seen_ms) {
    const uint32_t next_consumer = group.next_consumer_;
    Consumer& consumer = group.AddConsumer(state.consumer, state.name);
    group.next_consumer_ = next_consumer;
    consumer.active_ms = state.active_ms;
    consumer.seen_ms = state.active_ms.value_or(seen_ms);
  }
  static bool HasConsumer(const ConsumerGroup& group, uint32_t number) {
    return group.by_number_.contains(number);
  }
  static ConsumerGroup* Group(Stream& stream, uint32_t number) {
    return const_cast<ConsumerGroup*>(stream.FindGroup(number));
  }
  static PendingList& PendingOf(ConsumerGroup& group) { return group.pending_; }
  static ProducerTable* Producers(Stream& stream) { return stream.idempotence_.producers.get(); }
};

namespace {

void DumpDeleted(ObjectId id, const Stream& stream, StateDump& dump) {
  if (stream.deleted().empty()) return;
  dump.AddPart([id, &dump, blocks = stream.deleted().Snapshot(), next = size_t{0}]() mutable {
    dump.Put(DeletedPart{.stream = id, .ids = *blocks[next]});
    blocks[next].reset();
    return ++next < blocks.size();
  });
}

void DumpGroup(ObjectId id, ConsumerGroup& group, StateDump& dump) {
  PendingList& pending = StreamAccess::PendingOf(group);
  dump.Put(GroupState{.stream = id,
                      .group = group.number(),
                      .last_delivered = group.last_delivered(),
                      .entries_read = group.entries_read(),
                      .next_consumer = group.next_consumer(),
                      .consumers = static_cast<uint32_t>(group.consumers().size()),
                      .pending = pending.size(),
                      .next_turn = pending.next_turn(),
                      .name = group.name()});
  for (const auto& [name, consumer] : group.consumers()) {
    dump.Put(ConsumerState{.stream = id,
                           .group = group.number(),
                           .consumer = consumer->number,
                           .active_ms = consumer->active_ms,
                           .name = name});
  }
  if (pending.empty()) return;
  pending.BeginDump([id, number = group.number(), &dump](std::span<const DumpedPending> entries) {
    const std::string bytes = EncodePending(entries);
    dump.Put(PendingPart{.stream = id, .group = number, .entries = bytes});
  });
  dump.AddPart([&pending] { return pending.ContinueDump(); });
}

void DumpProducers(ObjectId id, ProducerTable& producers, StateDump& dump) {
  producers.BeginDump(
      [id, &dump](uint64_t number, std::string_view producer, std::string_view message, StreamId entry) {
        dump.Put(ProducedMessage{
            .stream = id, .number = number, .entry = entry, .producer = producer, .message = message});
      });
  dump.AddPart([&producers] { return producers.ContinueDump(); });
}

}  // namespace

void DumpStream(ObjectId id, Stream& stream, StateDump& dump) {
  dump.Put(StreamAccess::StateOf(id, stream));
  if (const Retention& own = stream.retention(); own.any())
    dump.Put(RetentionState{.stream = id, .ms = own.ms, .bytes = own.bytes});
  DumpDeleted(id, stream, dump);
  for (const auto& [name, group] : stream.groups()) DumpGroup(id, *group, dump);
  if (ProducerTable* producers = StreamAccess::Producers(stream)) DumpProducers(id, *producers, dump);
}

bool StreamLoad::Take(const StreamState& record) {
  if (begun_) return false;
  if (record.node_base > record.appended || (record.length == 0 && record.deleted != 0)) return false;
  const uint64_t held = record.appended - record.node_base;  // at most: since it was empty
  if (record.deleted > held || record.length > held - record.deleted) return false;
  if (record.messages != 0 && record.has_producers == 0) return false;
  begun_ = true;
  expected_ = record;
  StreamAccess::Set(record, stream_);
  return true;
}

bool StreamLoad::Take(const DeletedPart& record) {
  if (!begun_) return false;
  for (const StreamId id : record.ids) {
    if (!StreamAccess::InsertDeleted(stream_, id)) return false;
  }
  return true;
}

bool StreamLoad::Take(const GroupState& record) {
  if (!begun_ || record.group >= expected_.next_group || stream_.FindGroup(record.group) != nullptr ||
      stream_.FindGroup(record.name) != nullptr) {
    return false;
  }
  StreamAccess::AddGroup(stream_, record);
  groups_[record.group] = record;
  return true;
}

bool StreamLoad::Take(const ConsumerState& record) {
  ConsumerGroup* group = StreamAccess::Group(stream_, record.group);
  if (group == nullptr || record.consumer >= group->next_consumer() ||
      StreamAccess::HasConsumer(*group, record.consumer) || group->FindConsumer(record.name) != nullptr) {
    return false;
  }
  StreamAccess::AddConsumer(*group, record, seen_ms_);
  return true;
}

bool StreamLoad::Take(const PendingPart& record) {
  ConsumerGroup* group = StreamAccess::Group(stream_, record.group);
  if (group == nullptr || record.entries.size() % kPendingBytes != 0) return false;
  std::vector<DumpedPending> entries;
  entries.reserve(record.entries.size() / kPendingBytes);
  for (size_t at = 0; at < record.entries.size(); at += kPendingBytes) {
    const DumpedPending entry = DecodePending(record.entries.data() + at);
    if (entry.consumer != kNobody && !StreamAccess::HasConsumer(*group, entry.consumer)) return false;
    entries.push_back(entry);
  }
  return StreamAccess::PendingOf(*group).Restore(entries, groups_[record.group].next_turn);
}

bool StreamLoad::Take(const ProducedMessage& record) {
  if (!begun_) return false;
  Message message{record.entry, std::string(record.producer), std::string(record.message)};
  return messages_.emplace(record.number, std::move(message)).second;
}

bool StreamLoad::Take(const RetentionState& record) {
  if (!begun_ || stream_.retention().any()) return false;
  StreamAccess::SetRetention(stream_, {.ms = record.ms, .bytes = record.bytes});
  return true;
}

bool StreamLoad::Finish() {
  if (!begun_ || groups_.size() != expected_.groups || messages_.size() != expected_.messages ||
      stream_.deleted().size() != expected_.deleted) {
    return false;
  }
  for (const auto& [number, expected] : groups_) {
    const ConsumerGroup& group = *stream_.FindGroup(number);
    if (group.consumers().size() != expected.consumers || group.pending().size() != expected.pending)
      return false;
  }
  ProducerTable* producers = StreamAccess::Producers(stream_);
  for (const auto& [number, message] : messages_)
    producers->Remember(message.producer, message.message, message.entry, UINT64_MAX);
  return producers == nullptr || producers->messages() == expected_.messages;
}

}  // namespace sluice::engine
