// Random conversations about streams that two servers can have.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace sluice::tests {

using Words = std::vector<std::string>;

// Speaks of few keys, groups, consumers and IDs, so that commands meet each other's work; of no clock (IDs
// are written out, idle times are huge or nothing), so that what is heard depends on the seed alone.
class StreamTalk {
 public:
  // What the conversation does to entries: kWhole only trims them from the start, so that nodes, lag and
  // entries-read have one meaning; kHoled deletes them anywhere.
  enum class Kind : uint8_t { kWhole, kHoled };

  StreamTalk(uint64_t seed, Kind kind) : random_(seed), kind_(kind) {}

  // The next commands: a few that belong together.
  std::vector<Words> Next();

 private:
  uint64_t Below(uint64_t limit) { return random_() % limit; }
  bool Chance(uint64_t percent) { return Below(100) < percent; }
  std::string Number(uint64_t limit) { return std::to_string(Below(limit)); }
  std::string Pick(std::vector<std::string> words) { return words[Below(words.size())]; }
  std::string Key() { return Pick({"s", "s", "s", "t", "t", "text"}); }
  std::string Group() { return Pick({"g", "g", "h"}); }
  std::string Consumer() { return Pick({"ann", "bob", "cy"}); }
  std::string Id();
  std::string NewId();
  std::string Bound(bool start);

  Words Append();
  Words TrimmingAppend();
  Words Trim();
  Words Delete();
  Words Range();
  Words Read();
  Words ReadGroup(const std::string& key, const std::string& group, const std::string& consumer);
  Words Claim(const std::string& key, const std::string& group, const std::string& consumer);
  Words AutoClaim(const std::string& key, const std::string& group, const std::string& consumer);
  Words Acknowledge();
  Words Pending();
  Words GroupWork();
  Words SetId();
  Words Info();
  Words Nonsense();

  std::mt19937_64 random_;
  Kind kind_;
  uint64_t top_ms_ = 1;
};

}  // namespace sluice::tests
