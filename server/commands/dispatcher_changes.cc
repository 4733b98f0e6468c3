// Recording, and who hears of it: those who wait for a key, who watch one, who subscribed to its events.
#include <variant>

#include "server/commands/dispatcher_impl.h"

namespace sluice::commands {

storage::Result<void> Dispatcher::Impl::Record(std::span<engine::Event> events, storage::Log::Use use,
                                               const Command* cause) {
  // The names of keys that go are known only before they do.
  if (!waiters_.empty() || !watches_.empty()) {
    for (const engine::Event& event : events) Notice(event);
  }
  if (!publishes_keys_ || !subscriptions_.any()) [[likely]]
    return journal_.Record(events, use);
  const std::vector<KeyspaceEvent> told = KeyspaceEventsOf(events, journal_.engine().keys(), cause);
  auto recorded = journal_.Record(events, use);
  if (recorded) PublishKeyspaceEvents(told);
  return recorded;
}

void Dispatcher::Impl::PublishKeyspaceEvents(const std::vector<KeyspaceEvent>& events) {
  const uint64_t wanted = settings_.notify_keyspace_events;
  for (const KeyspaceEvent& told : events) {
    if ((wanted & told.event_class) == 0) continue;
    const std::string db = std::to_string(told.db);
    if ((wanted & notify::kKeyspace) != 0) {
      subscriptions_.Publish(ChannelKind::kChannel, errors::Concat({"__keyspace@", db, "__:", told.key}),
                             told.event);
    }
    if ((wanted & notify::kKeyevent) != 0) {
      subscriptions_.Publish(ChannelKind::kChannel, errors::Concat({"__keyevent@", db, "__:", told.event}),
                             told.key);
    }
  }
}

void Dispatcher::Impl::PublishMisses(Session& session, const Command& command,
                                     const protocol::Request& request) {
  if ((settings_.notify_keyspace_events & notify::kMiss) == 0 || !subscriptions_.any()) return;
  std::vector<KeyspaceEvent> missed;
  ForEachKey(command, request.args(), [&](size_t position) {
    const engine::Object* object = journal_.engine().Find(session.db, request[position]);
    if (object != nullptr && !object->IsDue(now_.unix_ms())) return;
    missed.push_back({notify::kMiss, session.db, "keymiss", std::string(request[position])});
  });
  PublishKeyspaceEvents(missed);
}

// So that no handler acts on a dead key.
void Dispatcher::Impl::RemoveDueKeys(const Session& session, const Command& command,
                                     const protocol::Request& request) {
  if (command.keys.kind == Keys::kNone || pause_) return;  // a pause of writes is one of removals too
  ForEachKey(command, request.args(),
             [&](size_t position) { RemoveIfDue(journal_.engine().Find(session.db, request[position])); });
}

void Dispatcher::Impl::RemoveIfDue(const engine::Object* object) {
  if (object == nullptr || !object->IsDue(now_.unix_ms())) return;
  engine::Event removal = engine::RemoveKey{object->id};
  if (Record(std::span(&removal, 1), storage::Log::Use::kReserve, nullptr)) ++statistics_.expired;
}

// Remembers the keys that `event`, not yet applied, will change.
void Dispatcher::Impl::Notice(const engine::Event& event) {
  const engine::Keyspace& keys = journal_.engine().keys();
  if (const auto* flush = std::get_if<engine::FlushKeys>(&event)) {
    for (uint8_t db = 0; db < engine::kDatabases; ++db) {
      if (flush->db == engine::kAllDatabases || flush->db == db) NoticeDatabase(db);
    }
    return;
  }
  if (const auto* swap = std::get_if<engine::SwapDatabases>(&event)) {
    NoticeDatabase(swap->first);
    NoticeDatabase(swap->second);
    return;
  }
  if (const auto* create = std::get_if<engine::CreateKey>(&event))
    return NoticeKey(create->db, create->key, true);
  if (const auto* rename = std::get_if<engine::RenameKey>(&event)) NoticeKey(rename->db, rename->key, true);
  const engine::Object* object = keys.Find(engine::TargetOf(event));
  if (object == nullptr) return;  // created by this very record
  const bool wakes =
      std::holds_alternative<engine::AppendEntry>(event) ||
      std::holds_alternative<engine::RemoveKey>(event) || std::holds_alternative<engine::RenameKey>(event) ||
      std::holds_alternative<engine::DestroyGroup>(event) ||
      std::holds_alternative<engine::SetGroupId>(event) || std::holds_alternative<engine::GiveBack>(event) ||
      std::holds_alternative<engine::Claim>(event);  // XCLAIM may set an entry's time back
  NoticeKey(keys.DatabaseOf(*object), object->key, wakes);
}

void Dispatcher::Impl::NoticeKey(uint8_t db, std::string_view key, bool wakes) {
  if (!watches_.empty()) watches_.Touch(db, key);
  if (wakes && !waiters_.empty()) waiters_.MarkReady(db, key);
}

void Dispatcher::Impl::NoticeDatabase(uint8_t db) {
  watches_.TouchAll(db);
  waiters_.MarkAllReady(db);
}

}  // namespace sluice::commands
