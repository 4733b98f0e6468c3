// Events in human form, for the tools that show a store.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "server/engine/event.h"
#include "server/engine/object_id.h"

namespace sluice::engine {

// What objects are called, learned from the events that name them.
class KeyNames {
 public:
  // To be told of every event, in the log's order.
  void Note(const Event& event);
  // The key of `object`; nothing where no event has told it (or it has been removed).
  const std::string* Find(ObjectId object) const;

 private:
  std::unordered_map<uint64_t, std::string> names_;
};

// "AppendEntry stream=orders id=1700-0 pairs=2 fields=...": the event's name, and its members in their order,
// each under its own name. Bytes are quoted and shortened to `most_bytes`; an object shows its key where
// `names` knows it, its number otherwise.
std::string EventText(const Event& event, const KeyNames& names, size_t most_bytes);

// `bytes` in quotes, with \xHH for what cannot be printed; at most `most` of them, and how many there are.
std::string QuotedBytes(std::string_view bytes, size_t most);

}  // namespace sluice::engine
