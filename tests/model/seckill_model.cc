#include "tests/model/seckill_model.h"

#include <algorithm>
#include <stdexcept>

namespace sluice::tests {
namespace {

std::string Join(std::initializer_list<std::string> words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}
std::string Digits(uint64_t number) {
  return std::to_string(number);
}

}  // namespace

SeckillModel::Item* SeckillModel::Find(const std::string& name) {
  for (auto& [number, item] : items_) {
    if (item.name == name) return &item;
  }
  return nullptr;
}

std::map<ModelId, SeckillModel::Order>::iterator SeckillModel::FindRequest(Item& item,
                                                                           const std::string& request) {
  return std::find_if(item.orders.begin(), item.orders.end(),
                      [&](const auto& entry) { return !request.empty() && entry.second.request == request; });
}

std::map<ModelId, SeckillModel::Order>::iterator SeckillModel::Find(Item& item, const Named& order) {
  if (order.first.empty()) return FindRequest(item, order.second);
  return std::find_if(item.orders.begin(), item.orders.end(),
                      [&](const auto& entry) { return Text(entry.first) == order.first; });
}

std::vector<SeckillModel::Part> SeckillModel::Parts(Item& item, std::map<ModelId, Order>::iterator order) {
  if (order->second.bundle.empty()) return {{&item, order}};
  std::vector<Part> parts;
  for (uint64_t number : order->second.bundle) {
    const auto member = items_.find(number);
    if (member == items_.end()) continue;
    const auto found = member->second.orders.find(order->first);
    if (found != member->second.orders.end()) parts.push_back({&member->second, found});
  }
  return parts;
}

ModelId SeckillModel::Append(const std::string& key, ModelId id) {
  auto& [last, length] = streams_[key];
  if (id == ModelId{0, 0}) id = std::max(ModelId{last.first, last.second + 1}, ModelId{now_ms, 0});
  if (length != 0 && id <= last) throw std::runtime_error("an ID that is not above the last");
  last = id;
  ++length;
  return id;
}

void SeckillModel::Tell(const Part& part) {
  const Rules& rules = part.item->rules;
  const Order& order = part.order->second;
  const bool tells = rules.events == 2 || (rules.events == 0 && order.was_held && !order.own_fields);
  std::string key = rules.event_stream.empty() ? rules.stream : rules.event_stream;
  if (key.empty()) key = order.bundle_stream;
  if (tells && !key.empty()) Append(key, {0, 0});
}

bool SeckillModel::Sane(const Item& item) {
  uint64_t held = 0;
  for (const auto& [id, order] : item.orders) held += order.state == 'h' ? order.quantity : 0;
  return item.total == item.available + item.held + item.sold && held == item.held;
}

std::string SeckillModel::Create(const std::string& name, uint64_t stock, const Rules& rules) {
  if (Find(name) != nullptr) return "nil";
  Item& item = items_[++numbers_];
  item.number = numbers_;
  item.name = name;
  item.total = item.available = stock;
  item.rules = rules;
  return "OK";
}

std::string SeckillModel::Configure(const std::string& name, const Rules& rules) {
  Item* item = Find(name);
  if (item == nullptr) return "ERR no such item";
  item->rules = rules;
  ForgetStale();
  return "OK";
}

std::string SeckillModel::Delete(const std::string& name) {
  Item* item = Find(name);
  if (item == nullptr) return "0";
  items_.erase(item->number);
  return "1";
}

std::string SeckillModel::Rename(const std::string& from, const std::string& to) {
  Item* item = Find(from);
  if (item == nullptr) return "ERR no such key";
  if (from != to) Delete(to);
  item->name = to;
  return "OK";
}

std::string SeckillModel::AddStock(const std::string& name, int64_t delta, const std::string& request) {
  Item* item = Find(name);
  if (item == nullptr) return "ERR no such item";
  const auto answer = [&] { return Join({Digits(item->total), Digits(item->available)}); };
  if (FindRequest(*item, request) != item->orders.end()) return "ERR that REQID stands for something else";
  if (const auto known = item->restocks.find(request); known != item->restocks.end())
    return known->second.first == delta ? answer() : "ERR that REQID stands for something else";
  if (delta < -static_cast<int64_t>(item->available)) return "ERR not that many pieces are available";
  item->total += static_cast<uint64_t>(delta);
  item->available += static_cast<uint64_t>(delta);
  if (!request.empty()) item->restocks[request] = {delta, now_ms};
  const std::string text = answer();
  ForgetStale();
  return text;
}

std::string SeckillModel::Pause(const std::string& name, bool holds) {
  Item* item = Find(name);
  if (item == nullptr) return "ERR no such item";
  if (holds && item->pause != 2) item->paused_at = now_ms;
  item->pause = holds || item->pause == 2 ? 2 : 1;
  return "OK";
}

std::string SeckillModel::Resume(const std::string& name) {
  Item* item = Find(name);
  if (item == nullptr) return "ERR no such item";
  if (item->pause == 2) {
    for (auto& [id, order] : item->orders) order.deadline += now_ms - item->paused_at;
  }
  item->pause = 0;
  return "OK";
}

int SeckillModel::Check(Item& item, const std::string& user, uint64_t quantity) {
  const Rules& rules = item.rules;
  if (item.pause != 0) return 6;
  if (rules.start != 0 && now_ms < rules.start) return 3;
  if (rules.end != 0 && now_ms >= rules.end) return 4;
  if (rules.rate != 0) {
    const uint64_t gap = rules.per * 1000 / rules.rate;
    const uint64_t now_us = now_ms * 1000;
    uint64_t& full = rates_[{item.number, user}];
    full = std::max(full, now_us);
    if (full - now_us > gap * (rules.rate - 1)) return 7;
    full += gap;
  }
  if (rules.most != 0 && quantity > rules.most) return 2;
  const auto known = item.users.find(user);
  const uint64_t pieces = known == item.users.end() ? 0 : known->second;
  if (rules.limit != 0 && pieces + quantity > rules.limit) return 2;
  if (item.available < quantity) return 1;
  return 0;
}

bool SeckillModel::Backlogged(const Item& item) const {
  const auto stream = streams_.find(item.rules.stream);
  const uint64_t length = stream == streams_.end() ? 0 : stream->second.second;
  return item.rules.backlog != 0 && length >= item.rules.backlog;
}

// The oldest closed orders go until one more has room.
void SeckillModel::MakeRoom(Item& item) {
  const auto closed = [&] {
    return std::count_if(item.orders.begin(), item.orders.end(),
                         [](const auto& entry) { return entry.second.state != 'h'; });
  };
  while (static_cast<uint64_t>(closed()) + 1 > most_closed) {
    auto oldest = item.orders.end();
    for (auto it = item.orders.begin(); it != item.orders.end(); ++it) {
      if (it->second.state == 'h') continue;
      if (oldest == item.orders.end() || it->second.closed < oldest->second.closed) oldest = it;
    }
    item.orders.erase(oldest);
  }
}

void SeckillModel::ForgetStale() {
  for (auto& [number, item] : items_) {
    std::erase_if(item.orders, [&, idem = item.rules.idem](const auto& entry) {
      return entry.second.state != 'h' && entry.second.closed + idem <= now_ms;
    });
    std::erase_if(item.restocks, [&, idem = item.rules.idem](const auto& entry) {
      return entry.second.second + idem <= now_ms;
    });
  }
}

std::string SeckillModel::BuyOne(const std::string& name, const std::string& user, const Buy& buy) {
  Item* item = Find(name);
  if (item == nullptr) return "5 nil 0 0 0";
  const auto answer = [&](int code, const std::string& order, int replayed) {
    const auto known = item->users.find(user);
    return Join({std::to_string(code), order, Digits(item->available),
                 Digits(known == item->users.end() ? 0 : known->second), std::to_string(replayed)});
  };
  if (const auto known = FindRequest(*item, buy.request); known != item->orders.end()) {
    const Order& order = known->second;
    if (order.user != user || order.quantity != buy.quantity || !order.bundle.empty())
      return answer(9, "nil", 0);
    return answer(Standing(order.state), Text(known->first), 1);
  }
  if (item->restocks.contains(buy.request)) return answer(9, "nil", 0);
  if (buy.hold != 0 && item->rules.hold == 0)
    return "ERR HOLD can only shorten the item's hold, and there is none";
  if (const int code = Check(*item, user, buy.quantity); code != 0) return answer(code, "nil", 0);
  if (Backlogged(*item)) return answer(8, "nil", 0);
  ModelId last = item->last;
  if (!item->rules.stream.empty()) last = std::max(last, streams_[item->rules.stream].first);
  const ModelId id = std::max(ModelId{last.first, last.second + 1}, ModelId{now_ms, 0});
  if (!item->rules.stream.empty()) Append(item->rules.stream, id);
  const uint64_t hold = buy.hold == 0 ? item->rules.hold : std::min(buy.hold, item->rules.hold);
  if (hold == 0) MakeRoom(*item);
  item->available -= buy.quantity;
  (hold == 0 ? item->sold : item->held) += buy.quantity;
  item->users[user] += buy.quantity;
  item->last = id;
  ++item->placed;
  item->orders[id] = {.user = user,
                      .request = buy.request,
                      .quantity = buy.quantity,
                      .state = hold == 0 ? 's' : 'h',
                      .deadline = now_ms + hold,
                      .closed = now_ms,
                      .own_fields = buy.own_fields,
                      .was_held = hold != 0,
                      .bundle = {},
                      .bundle_stream = {}};
  const std::string text = answer(0, Text(id), 0);
  ForgetStale();
  return text;
}

std::string SeckillModel::BuyMany(const std::string& user,
                                  const std::vector<std::pair<std::string, uint64_t>>& wanted,
                                  const Buy& buy) {
  struct Want {
    std::string name;
    uint64_t quantity;
    int index;
    Item* item;
  };
  std::vector<Want> wants;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const auto same = std::find_if(wants.begin(), wants.end(),
                                   [&](const Want& want) { return want.name == wanted[i].first; });
    if (same != wants.end()) {
      same->quantity += wanted[i].second;
    } else {
      wants.push_back({wanted[i].first, wanted[i].second, static_cast<int>(i), Find(wanted[i].first)});
    }
  }
  const auto refuse = [](int code, int index) {
    return Join({std::to_string(code), std::to_string(index), "nil", "0"});
  };
  for (const Want& want : wants) {
    if (want.item == nullptr) return refuse(5, want.index);
    const auto known = FindRequest(*want.item, buy.request);
    if (known != want.item->orders.end()) {
      const Order& order = known->second;
      bool same =
          want.index == 0 && order.user == user && std::max<size_t>(order.bundle.size(), 1) == wants.size();
      for (const Want& other : wants) {
        if (other.item == nullptr) same = false;
        if (!same) break;
        const bool member = order.bundle.empty() ? other.item == want.item
                                                 : std::count(order.bundle.begin(), order.bundle.end(),
                                                              other.item->number) != 0;
        const auto part = other.item->orders.find(known->first);
        same = member && (part == other.item->orders.end() || part->second.quantity == other.quantity);
      }
      if (!same) return refuse(9, want.index);
      return Join({std::to_string(Standing(order.state)), "-1", Text(known->first), "1"});
    }
    if (want.item->restocks.contains(buy.request)) return refuse(9, want.index);
    if (const int code = Check(*want.item, user, want.quantity); code != 0) return refuse(code, want.index);
    if (Backlogged(*want.item)) return refuse(8, want.index);
  }
  uint64_t hold = 0;
  for (const Want& want : wants) {
    const uint64_t own = want.item->rules.hold;
    const uint64_t asked = buy.hold == 0 ? own : std::min(buy.hold, own);
    if (asked != 0 && (hold == 0 || asked < hold)) hold = asked;
  }
  if (buy.hold != 0 && hold == 0) return "ERR HOLD can only shorten the item's hold, and there is none";
  const std::string& key = wants[0].item->rules.stream;
  for (const Want& want : wants) {
    if (want.item->rules.stream != key) return "ERR the items have different streams: name one with STREAM";
  }
  ModelId last = key.empty() ? ModelId{0, 0} : streams_[key].first;
  for (const Want& want : wants) last = std::max(last, want.item->last);
  const ModelId id = std::max(ModelId{last.first, last.second + 1}, ModelId{now_ms, 0});
  if (!key.empty()) Append(key, id);
  std::vector<uint64_t> bundle;
  for (const Want& want : wants) bundle.push_back(want.item->number);
  if (bundle.size() == 1) bundle.clear();
  for (const Want& want : wants) {
    Item& item = *want.item;
    if (hold == 0) MakeRoom(item);
    item.available -= want.quantity;
    (hold == 0 ? item.sold : item.held) += want.quantity;
    item.users[user] += want.quantity;
    item.last = id;
    ++item.placed;
    item.orders[id] = {.user = user,
                       .request = buy.request,
                       .quantity = want.quantity,
                       .state = hold == 0 ? 's' : 'h',
                       .deadline = now_ms + hold,
                       .closed = now_ms,
                       .own_fields = buy.own_fields,
                       .was_held = hold != 0,
                       .bundle = bundle,
                       .bundle_stream = bundle.empty() ? "" : key};
  }
  ForgetStale();
  return Join({"0", "-1", Text(id), "0"});
}

void SeckillModel::Close(const Part& part, char state, bool restocks) {
  Item& item = *part.item;
  Order& order = part.order->second;
  Tell(part);
  (order.state == 'h' ? item.held : item.sold) -= order.quantity;
  if (state == 's') {
    item.sold += order.quantity;
  } else {
    (restocks ? item.available : item.total) += restocks ? order.quantity : 0 - order.quantity;
    order.quota_kept = item.rules.keep_quota;
    if (!order.quota_kept) item.users[order.user] -= order.quantity;
  }
  order.state = state;
  order.closed = now_ms;
}

std::string SeckillModel::Confirm(const std::string& name, const Named& named, const Settle& settle) {
  Item* item = Find(name);
  if (item == nullptr) return "5";
  const auto order = Find(*item, named);
  if (order == item->orders.end() || (!settle.user.empty() && order->second.user != settle.user)) return "12";
  const char state = order->second.state;
  if (state == 's') return "14";
  const std::vector<Part> parts = Parts(*item, order);
  if (state == 'h') {
    for (const Part& part : parts) MakeRoom(*part.item);
    for (const Part& part : parts) Close(part, 's', true);
    ForgetStale();
    return "0";
  }
  if (!settle.reacquire) return std::to_string(Standing(state));
  if (!order->second.bundle.empty() && parts.size() != order->second.bundle.size()) return "12";
  for (const Part& part : parts) {
    const Order& own = part.order->second;
    const uint64_t limit = part.item->rules.limit;
    if (!own.quota_kept && limit != 0 && part.item->users[own.user] + own.quantity > limit) return "2";
    if (part.item->available < own.quantity) return "1";
  }
  for (const Part& part : parts) {
    Order& own = part.order->second;
    Tell(part);
    part.item->available -= own.quantity;
    part.item->sold += own.quantity;
    if (!own.quota_kept) part.item->users[own.user] += own.quantity;
    own.quota_kept = false;
    own.state = 's';
    own.closed = now_ms;
  }
  ForgetStale();
  return "0";
}

std::string SeckillModel::Cancel(const std::string& name, const Named& named, const Settle& settle) {
  Item* item = Find(name);
  if (item == nullptr) return "5";
  const auto order = Find(*item, named);
  if (order == item->orders.end() || (!settle.user.empty() && order->second.user != settle.user)) return "12";
  const char state = order->second.state;
  if (state == 's' && !settle.force) return "13";
  if (state == 'e' || state == 'c') return "14";
  const std::vector<Part> parts = Parts(*item, order);
  if (state == 'h') {
    for (const Part& part : parts) MakeRoom(*part.item);
  }
  for (const Part& part : parts) Close(part, 'c', !settle.no_restock);
  ForgetStale();
  return "0";
}

std::string SeckillModel::Extend(const std::string& name, const Named& named, uint64_t ms,
                                 const Settle& settle) {
  Item* item = Find(name);
  if (item == nullptr) return "5";
  const auto order = Find(*item, named);
  if (order == item->orders.end() || (!settle.user.empty() && order->second.user != settle.user)) return "12";
  if (order->second.state == 's') return "13";
  if (order->second.state != 'h') return std::to_string(Standing(order->second.state));
  for (const Part& part : Parts(*item, order))
    part.order->second.deadline = (part.item->pause == 2 ? part.item->paused_at : now_ms) + ms;
  return "0";
}

std::string SeckillModel::Counters(const std::string& name) const {
  const Item* item = Find(name);
  if (item == nullptr) return "nil";
  if (!Sane(*item)) throw std::runtime_error("the model itself is wrong");
  const auto users = std::count_if(item->users.begin(), item->users.end(),
                                   [](const auto& entry) { return entry.second != 0; });
  return Join({Digits(item->total), Digits(item->available), Digits(item->held), Digits(item->sold),
               Digits(item->placed), std::to_string(users)});
}

std::string SeckillModel::OrderOf(const std::string& name, const Named& named) const {
  const Item* item = Find(name);
  if (item == nullptr) return "nil";
  const auto order = const_cast<SeckillModel*>(this)->Find(*const_cast<Item*>(item), named);
  if (order == item->orders.end()) return "nil";
  const Order& own = order->second;
  const uint64_t waited = item->pause == 2 ? now_ms - item->paused_at : 0;
  const std::string states[] = {"held", "sold", "expired", "cancelled"};
  return Join(
      {Text(order->first), own.user, Digits(own.quantity), states[std::string("hsec").find(own.state)],
       Digits(own.state == 'h' ? own.deadline + waited : 0), own.request.empty() ? "nil" : own.request});
}

std::string SeckillModel::UserOf(const std::string& name, const std::string& user) const {
  const Item* item = Find(name);
  if (item == nullptr) return "nil";
  const auto known = item->users.find(user);
  std::string text = Digits(known == item->users.end() ? 0 : known->second);
  for (const auto& [id, order] : item->orders) {
    if (order.user == user && order.state == 'h') text += " " + Text(id);
  }
  return text;
}

std::string SeckillModel::StreamLength(const std::string& key) const {
  const auto stream = streams_.find(key);
  return Digits(stream == streams_.end() ? 0 : stream->second.second);
}

std::vector<std::string> SeckillModel::Names() const {
  std::vector<std::string> names;
  for (const auto& [number, item] : items_) names.push_back(item.name);
  return names;
}

void SeckillModel::Advance(uint64_t ms) {
  const uint64_t end = now_ms + ms;
  for (;;) {
    // The hold that ends first; of those that end together, any: each tells the same.
    Item* first = nullptr;
    std::map<ModelId, Order>::iterator due;
    for (auto& [number, item] : items_) {
      if (item.pause == 2) continue;
      for (auto it = item.orders.begin(); it != item.orders.end(); ++it) {
        if (it->second.state != 'h') continue;
        if (first == nullptr || it->second.deadline < due->second.deadline) {
          first = &item;
          due = it;
        }
      }
    }
    if (first == nullptr || due->second.deadline > end) break;
    now_ms = std::max(now_ms, due->second.deadline);
    for (const Part& part : Parts(*first, due)) {
      MakeRoom(*part.item);
      Close(part, 'e', true);
    }
  }
  now_ms = end;
  ForgetStale();
}

}  // namespace sluice::tests
