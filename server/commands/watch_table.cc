#include "server/commands/watch_table.h"

#include <algorithm>

namespace sluice::commands {

void WatchTable::Add(Session& session, uint8_t db, std::string_view key) {
  auto it = keys_.find(Name{db, key});
  if (it == keys_.end()) {
    it = keys_.insert(std::make_unique<WatchedKey>(WatchedKey{db, std::string(key), {}})).first;
  }
  WatchedKey& watched = **it;
  if (std::find(session.watched.begin(), session.watched.end(), &watched) != session.watched.end()) return;
  watched.sessions.push_back(&session);
  session.watched.push_back(&watched);
}

void WatchTable::Remove(Session& session) {
  for (WatchedKey* watched : session.watched) {
    std::erase(watched->sessions, &session);
    if (watched->sessions.empty()) keys_.erase(keys_.find(Name{watched->db, watched->key}));
  }
  session.watched.clear();
  session.watch_broken = false;
}

void WatchTable::Touch(uint8_t db, std::string_view key) {
  const auto it = keys_.find(Name{db, key});
  if (it == keys_.end()) return;
  for (Session* session : (*it)->sessions) session->watch_broken = true;
}

void WatchTable::TouchAll(uint8_t db) {
  for (auto it = keys_.lower_bound(Name{db, {}}); it != keys_.end() && (*it)->db == db; ++it) {
    for (Session* session : (*it)->sessions) session->watch_broken = true;
  }
}

}  // namespace sluice::commands
