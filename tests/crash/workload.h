// Clients that work against a server which may die at any moment, and remember what they were told.
//
// Each runs on a thread of its own with a connection of its own, until its connection ends. What a client
// sent, what it got an answer to, and nothing else, is then compared with what the server knows after its
// restart.
#pragma once

#include <atomic>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace sluice::tests {

// The order of stream IDs, which text does not have.
struct EntryId {
  uint64_t ms = 0;
  uint64_t seq = 0;
  auto operator<=>(const EntryId&) const = default;
};
EntryId ParseEntryId(const std::string& text);

// Adds entries "producer <name> seq <n>" to the stream `events`, n counting on over all the server's lives.
struct Producer {
  struct Life {
    uint64_t first = 0;      // seq of the first entry that was sent in this life
    uint64_t sent_end = 0;   // behind the last that was sent
    uint64_t acked_end = 0;  // behind the last that was acknowledged
  };
  std::string name;
  std::vector<Life> lives;
  std::map<uint64_t, std::string> ids;  // seq -> ID, of those that were acknowledged

  void Run(uint16_t port, std::atomic<uint64_t>& answers);
};

// Reads `events` as a consumer of the group `g`, and acknowledges most of what it gets.
struct Consumer {
  std::string name;
  std::set<std::string> delivered;  // IDs that it was given
  std::set<std::string> ack_sent;   // IDs that it sent an XACK for
  std::set<std::string> ack_done;   // and got the answer 1

  void Run(uint16_t port, std::atomic<uint64_t>& answers);
};

// Buys one piece of `item` for one new user after another.
struct Buyer {
  std::string name;
  uint64_t next = 0;                          // users tried so far: "<name>-0" and so on
  std::map<std::string, std::string> bought;  // user -> order, of those that were told so

  void Run(uint16_t port, std::atomic<uint64_t>& answers);
};

// What a stream and its one group hold.
struct Shelf {
  std::set<uint64_t> entries;  // n of the ID n-0
  uint64_t last_delivered = 0;
  std::map<uint64_t, std::string> pending;  // n -> consumer

  bool operator==(const Shelf&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Shelf& shelf);

// Adds to the stream `shelf`, delivers, claims, acknowledges, deletes and trims, one request after the other:
// so it knows the whole state but for whether the last request, which got no answer, was carried out.
struct Keeper {
  std::string name;
  Shelf answered;     // after the last request that was answered
  Shelf asked;        // after the one behind it
  uint64_t next = 1;  // n of the next entry
  uint64_t seed = 1;

  void Run(uint16_t port, std::atomic<uint64_t>& answers);
  // What the server has. Throws std::runtime_error where it is neither `answered` nor `asked`; both are what
  // the server has, afterwards.
  void Compare(uint16_t port);

 private:
  std::vector<std::string> Decide(uint64_t random);
};

}  // namespace sluice::tests
