#include "server/commands/keyspace_events.h"

#include <array>

#include <absl/container/flat_hash_set.h>

namespace sluice::commands {
namespace notify {
namespace {

// In the order in which CONFIG GET writes them.
constexpr std::pair<char, uint64_t> kLetters[] = {
    {'g', kGeneric}, {'$', kString},   {'l', 1 << 4},    {'s', 1 << 5},  {'h', 1 << 6},
    {'z', 1 << 7},   {'x', kExpired},  {'e', 1 << 11},   {'t', kStream}, {'d', kItem},
    {'n', kNew},     {'K', kKeyspace}, {'E', kKeyevent}, {'m', kMiss},
};
constexpr uint64_t kAll =
    kGeneric | kString | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | kExpired | 1 << 11 | kStream | kItem;

}  // namespace

std::optional<uint64_t> Parse(std::string_view text) {
  uint64_t classes = 0;
  for (const char letter : text) {
    uint64_t meant = letter == 'A' ? kAll : 0;
    for (const auto& [known, event_class] : kLetters) {
      if (known == letter) meant = event_class;
    }
    if (meant == 0) return std::nullopt;
    classes |= meant;
  }
  return classes;
}

std::string Format(uint64_t classes) {
  std::string text;
  const bool all = (classes & kAll) == kAll;
  if (all) text += 'A';
  for (const auto& [letter, event_class] : kLetters) {
    if ((classes & event_class) != 0 && !(all && (kAll & event_class) != 0)) text += letter;
  }
  return text;
}

}  // namespace notify

namespace {

using engine::Event;
using engine::ObjectId;

// Reads one record. A key that the record itself creates is known by its CreateKey only.
class Reader {
 public:
  Reader(const engine::Keyspace& keys, const Command* command) : keys_(keys), command_(command) {}

  std::vector<KeyspaceEvent> Read(std::span<const Event> events) {
    for (const Event& event : events) {
      // What is removed to make room for another value under its name was not deleted by anybody.
      replaced_ |= std::holds_alternative<engine::CreateKey>(event) ||
                   std::holds_alternative<engine::RenameKey>(event);
    }
    for (const Event& event : events) {
      std::visit([this](const auto& one) { Take(one); }, event);
    }
    return std::move(found_);
  }

 private:
  struct Home {
    uint8_t db = 0;
    std::string_view key;
  };

  bool By(std::string_view name) const { return command_ != nullptr && command_->name == name; }
  // COPY tells of the copy, not of how it is made.
  bool copies() const { return By("copy"); }

  std::optional<Home> HomeOf(ObjectId id) const {
    for (const auto& [created, home] : created_) {
      if (created == id) return home;
    }
    const engine::Object* object = keys_.Find(id);
    if (object == nullptr) return std::nullopt;
    return Home{keys_.DatabaseOf(*object), object->key};
  }
  void Tell(uint64_t event_class, Home home, std::string_view name) {
    found_.push_back({event_class, home.db, name, std::string(home.key)});
  }
  void Tell(uint64_t event_class, ObjectId id, std::string_view name) {
    if (const auto home = HomeOf(id)) Tell(event_class, *home, name);
  }
  void TellStream(ObjectId id, std::string_view name) {
    if (!copies()) Tell(notify::kStream, id, name);
  }

  void Take(const engine::CreateKey& event) {
    const Home home{event.db, event.key};
    created_.emplace_back(event.object, home);
    Tell(notify::kNew, home, "new");
    if (copies()) Tell(notify::kGeneric, home, "copy_to");
  }
  void Take(const engine::RemoveKey& event) {
    // MSET removes what it replaces by a record of its own.
    if (replaced_ || By("mset")) return;
    const bool expired = command_ == nullptr;
    Tell(expired ? notify::kExpired : notify::kGeneric, event.object, expired ? "expired" : "del");
  }
  void Take(const engine::RenameKey& event) {
    const auto from = HomeOf(event.object);
    if (!from) return;
    const Home to{event.db, event.key};
    Tell(notify::kNew, to, "new");
    Tell(notify::kGeneric, *from, By("move") ? "move_from" : "rename_from");
    Tell(notify::kGeneric, to, By("move") ? "move_to" : "rename_to");
  }
  void Take(const engine::SetString& event) {
    if (copies()) return;
    const bool counts = By("incr") || By("decr") || By("incrby") || By("decrby") || By("increx");
    Tell(notify::kString, event.object, counts ? "incrby" : By("incrbyfloat") ? "incrbyfloat" : "set");
  }
  void Take(const engine::WriteString& event) {
    Tell(notify::kString, event.object, By("append") ? "append" : "setrange");
  }
  void Take(const engine::SetExpiry& event) {
    if (copies()) return;
    if (event.unix_ms != 0) return Tell(notify::kGeneric, event.object, "expire");
    // SET too takes the end away, and does not say so.
    if (By("persist") || By("getex")) Tell(notify::kGeneric, event.object, "persist");
  }
  void Take(const engine::AppendEntry& event) { TellStream(event.stream, "xadd"); }
  void Take(const engine::TrimStream& event) { TellTrimmed(event.stream); }
  void Take(const engine::TrimEntries& event) { TellTrimmed(event.stream); }
  void Take(const engine::DeleteEntries& event) { TellStream(event.stream, "xdel"); }
  void Take(const engine::SetStreamId& event) { TellStream(event.stream, "xsetid"); }
  void Take(const engine::CreateGroup& event) { TellStream(event.stream, "xgroup-create"); }
  void Take(const engine::SetGroupId& event) {
    if (By("xgroup|setid")) TellStream(event.stream, "xgroup-setid");
  }
  void Take(const engine::DestroyGroup& event) { TellStream(event.stream, "xgroup-destroy"); }
  void Take(const engine::CreateConsumer& event) { TellStream(event.stream, "xgroup-createconsumer"); }
  void Take(const engine::DeleteConsumer& event) { TellStream(event.stream, "xgroup-delconsumer"); }

  // An order that was closed long ago is nobody's news.
  void Take(const engine::ForgetOrders&) {}
  void Take(const engine::ForgetOrder&) {}

  // Of an item of stock: once a record, by the command's name.
  template <typename Other>
  void Take(const Other& event) {
    if constexpr (requires { event.item; }) {
      if (!items_.insert(event.item).second) return;
      Tell(notify::kItem, event.item, command_ != nullptr ? command_->name : "seckill.time");
    }
  }

  void TellTrimmed(ObjectId stream) {
    if (stream == trimmed_) return;
    trimmed_ = stream;
    TellStream(stream, "xtrim");
  }

  const engine::Keyspace& keys_;
  const Command* command_;
  bool replaced_ = false;
  std::vector<std::pair<ObjectId, Home>> created_;  // by this record
  ObjectId trimmed_ = engine::kNoObject;
  absl::flat_hash_set<ObjectId> items_;
  std::vector<KeyspaceEvent> found_;
};

}  // namespace

std::vector<KeyspaceEvent> KeyspaceEventsOf(std::span<const Event> events, const engine::Keyspace& keys,
                                            const Command* command) {
  return Reader(keys, command).Read(events);
}

}  // namespace sluice::commands
