// Flash sales as one would explain them: maps, and loops over them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/model/stream_model.h"

namespace sluice::tests {

// Items, their orders and their streams. Every function does what the command of its name does, and gives the
// reply's elements, one behind the other with a blank between them; nil is "nil".
class SeckillModel {
 public:
  struct Rules {
    uint64_t start = 0, end = 0, limit = 1, most = 1, hold = 0, rate = 0, per = 0, backlog = 0, idem = 1000;
    bool keep_quota = false;
    int events = 0;  // 0 as fits, 1 orders, 2 all
    std::string stream, event_stream;
  };
  struct Buy {
    uint64_t quantity = 1;
    std::string request;
    uint64_t hold = 0;  // 0: not said
    bool own_fields = false;
  };
  struct Settle {
    std::string user;  // empty: not said
    bool reacquire = false, force = false, no_restock = false;
  };
  using Named = std::pair<std::string, std::string>;  // an order: its ID, or empty and its request

  uint64_t now_ms = 0;
  uint64_t most_closed = 1000000;

  std::string Create(const std::string& name, uint64_t stock, const Rules& rules);
  std::string Configure(const std::string& name, const Rules& rules);
  std::string Delete(const std::string& name);
  std::string Rename(const std::string& from, const std::string& to);
  std::string AddStock(const std::string& name, int64_t delta, const std::string& request);
  std::string Pause(const std::string& name, bool holds);
  std::string Resume(const std::string& name);
  std::string BuyOne(const std::string& name, const std::string& user, const Buy& buy);
  std::string BuyMany(const std::string& user, const std::vector<std::pair<std::string, uint64_t>>& wanted,
                      const Buy& buy);
  std::string Confirm(const std::string& name, const Named& order, const Settle& settle);
  std::string Cancel(const std::string& name, const Named& order, const Settle& settle);
  std::string Extend(const std::string& name, const Named& order, uint64_t ms, const Settle& settle);

  std::string Counters(const std::string& name) const;  // total available held sold orders users
  std::string OrderOf(const std::string& name, const Named& order) const;
  std::string UserOf(const std::string& name, const std::string& user) const;
  std::string StreamLength(const std::string& key) const;
  std::vector<std::string> Names() const;

  // The clock moves on, and what it brings comes when it is due.
  void Advance(uint64_t ms);
  void Restart() { rates_.clear(); }  // what is volatile is gone

 private:
  struct Order {
    std::string user, request;
    uint64_t quantity = 0;
    char state = 'h';       // held, sold, expired, cancelled
    uint64_t deadline = 0;  // while it is held
    uint64_t closed = 0;
    bool own_fields = false, was_held = false, quota_kept = false;
    std::vector<uint64_t> bundle;  // of items; empty: it stands alone
    std::string bundle_stream;
  };
  struct Item {
    uint64_t number = 0;
    std::string name;
    uint64_t total = 0, available = 0, held = 0, sold = 0, placed = 0;
    Rules rules;
    std::map<ModelId, Order> orders;
    std::map<std::string, uint64_t> users;
    std::map<std::string, std::pair<int64_t, uint64_t>> restocks;  // delta, time
    ModelId last{0, 0};
    int pause = 0;
    uint64_t paused_at = 0;
  };
  struct Part {
    Item* item;
    std::map<ModelId, Order>::iterator order;
  };

  Item* Find(const std::string& name);
  const Item* Find(const std::string& name) const { return const_cast<SeckillModel*>(this)->Find(name); }
  std::map<ModelId, Order>::iterator Find(Item& item, const Named& order);
  std::map<ModelId, Order>::iterator FindRequest(Item& item, const std::string& request);
  std::vector<Part> Parts(Item& item, std::map<ModelId, Order>::iterator order);
  int Check(Item& item, const std::string& user, uint64_t quantity);
  bool Backlogged(const Item& item) const;
  ModelId Append(const std::string& key, ModelId id);
  void Tell(const Part& part);
  void MakeRoom(Item& item);
  void Close(const Part& part, char state, bool restocks);
  void ForgetStale();
  static int Standing(char state) { return state == 'e' ? 10 : state == 'c' ? 11 : 0; }
  static bool Sane(const Item& item);

  std::map<uint64_t, Item> items_;  // by number
  uint64_t numbers_ = 0;
  std::map<std::string, std::pair<ModelId, uint64_t>> streams_;  // the last ID, how many
  std::map<std::pair<uint64_t, std::string>, uint64_t> rates_;   // when it is full again, in microseconds
};

}  // namespace sluice::tests
