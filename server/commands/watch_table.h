// Who watches which key, for WATCH.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "server/commands/session.h"

namespace sluice::commands {

// A key and the sessions whose transaction fails once it changes.
struct WatchedKey {
  uint8_t db;
  std::string key;
  std::vector<Session*> sessions;
};

class WatchTable {
 public:
  bool empty() const { return keys_.empty(); }
  void Add(Session& session, uint8_t db, std::string_view key);
  // Forgets all that `session` watches; whether something has changed is forgotten too.
  void Remove(Session& session);
  // A key has changed; a whole database has.
  void Touch(uint8_t db, std::string_view key);
  void TouchAll(uint8_t db);

 private:
  struct Name {
    uint8_t db;
    std::string_view key;
    friend auto operator<=>(const Name&, const Name&) = default;
  };
  struct Less {
    using is_transparent = void;
    static Name NameOf(const Name& name) { return name; }
    static Name NameOf(const std::unique_ptr<WatchedKey>& watched) { return {watched->db, watched->key}; }
    bool operator()(const auto& a, const auto& b) const { return NameOf(a) < NameOf(b); }
  };

  std::set<std::unique_ptr<WatchedKey>, Less> keys_;
};

}  // namespace sluice::commands
