#include "tools/flash_sale/proof.h"

#include <algorithm>
#include <functional>
#include <unordered_set>

namespace sluice::flash_sale {
namespace {

std::string Text(uint64_t n) {
  return std::to_string(n);
}

// Collects what speaks against one claim.
class Claim {
 public:
  void Fault(const std::string& what) {
    constexpr uint64_t kTold = 3;
    if (++count_ <= kTold) told_ += (told_.empty() ? "" : "; ") + what;
  }
  Finding Find(const std::string& claim) const {
    std::string faults = told_;
    if (count_ > 3) faults += "; and " + Text(count_ - 3) + " more";
    return {count_ == 0, claim, faults};
  }

 private:
  std::string told_;
  uint64_t count_ = 0;
};

struct Counters {
  uint64_t total, available, held, sold;
};

Reply AskNow(Connection& connection, Words words) {
  Reply reply = connection.Ask(words);
  if (reply == nullptr) throw Trouble("the server is gone while the proof is made");
  return reply;
}

uint64_t Number(const redisReply& map, std::string_view name) {
  const redisReply* field = FieldOf(map, name);
  if (field == nullptr) throw Trouble("the server's answer has no '" + std::string(name) + "'");
  return static_cast<uint64_t>(IntegerOf(*field));
}

class Prover {
 public:
  Prover(const Options& options, const TryPlan& plan, const Evidence& evidence, Connection& connection,
         const std::string& item, const std::string& stream)
      : options_(options),
        plan_(plan),
        evidence_(evidence),
        connection_(connection),
        item_(item),
        stream_(stream),
        book_(options, plan) {}

  Proof Prove() {
    ReadCounters();
    book_.Read(connection_, stream_);
    Proof proof{{Stock(), Stream(), SoldOncePerUser(), Acknowledged(), NothingInvented(), Refusals()}};
    if (options_.hold_ms != 0) proof.findings.push_back(Confirmations());
    for (const Finding& finding : {Queue(), Buyers(), Audit()}) proof.findings.push_back(finding);
    return proof;
  }

 private:
  void ReadCounters() {
    const Reply item = AskNow(connection_, {"SECKILL.GET", item_});
    if (item->type != REDIS_REPLY_ARRAY) throw Trouble("the item " + item_ + " is gone");
    counters_ = {Number(*item, "total"), Number(*item, "available"), Number(*item, "held"),
                 Number(*item, "sold")};
  }

  Finding Stock() const {
    Claim claim;
    const Counters& c = counters_;
    if (c.total != options_.stock) claim.Fault("the item has " + Text(c.total) + " pieces in all");
    if (c.total != c.available + c.held + c.sold)
      claim.Fault("the counters do not add up to " + Text(c.total));
    if (c.held != 0) claim.Fault("something is still held");
    const bool turned_away =
        std::count(evidence_.outcomes.begin(), evidence_.outcomes.end(), code::kSoldOut) != 0;
    if (options_.hold_ms == 0 && turned_away && c.available != 0)
      claim.Fault("buyers were told SOLD_OUT, and some are left");
    return claim.Find(Text(options_.stock) + " pieces: " + Text(c.sold) + " sold, " + Text(c.held) +
                      " held, " + Text(c.available) + " available");
  }

  Finding Stream() const {
    Claim claim;
    for (const std::string& fault : book_.faults()) claim.Fault(fault);
    for (uint64_t i = book_.faults().size(); i < book_.fault_count(); ++i) claim.Fault("");
    return claim.Find("the stream's " + Text(book_.entries()) +
                      " entries, one after the other: never more than the stock, no user above the limit");
  }

  Finding SoldOncePerUser() const {
    Claim claim;
    const uint64_t sold = counters_.sold;
    const uint64_t orders = book_.orders().size();
    const uint64_t users = book_.pieces().size();
    if (book_.sold() != sold) claim.Fault("the stream has " + Text(book_.sold()) + " sales");
    if (orders != sold + book_.released())
      claim.Fault("the stream has " + Text(orders) + " orders, " + Text(book_.released()) +
                  " of them released");
    if (options_.limit == 1 && users != sold) claim.Fault(Text(users) + " users have bought");
    std::string text = Text(sold) + " sold = " + Text(orders) + " orders of the stream";
    if (book_.released() != 0) text += " - " + Text(book_.released()) + " released";
    return claim.Find(text + (options_.limit == 1 ? " = " : ", by ") + Text(users) + " users");
  }

  // None is missing, none is doubled.
  Finding Acknowledged() const {
    Claim claim;
    std::vector<Told> told = evidence_.told;
    std::sort(told.begin(), told.end(), [](const Told& a, const Told& b) {
      return std::tie(a.attempt, a.order) < std::tie(b.attempt, b.order);
    });
    uint64_t distinct = 0;
    for (size_t i = 0; i < told.size(); ++i) {
      const bool same_attempt = i > 0 && told[i - 1].attempt == told[i].attempt;
      if (same_attempt && told[i - 1].order == told[i].order) continue;
      ++distinct;
      if (same_attempt && options_.requests)
        claim.Fault("the request " + std::string(plan_.RequestName(told[i].attempt).view()) +
                    " was told of two orders");
      const std::string order = "the acknowledged order " + told[i].order.text();
      const BookedOrder* booked = book_.Find(told[i].order);
      if (booked == nullptr) {
        claim.Fault(order + " is missing in the stream");
      } else if (booked->user != plan_.UserOf(told[i].attempt) ||
                 (options_.requests && booked->attempt != told[i].attempt)) {
        claim.Fault(order + " is another buyer's in the stream");
      }
    }
    std::vector<uint32_t> attempts;
    for (const BookedOrder& order : book_.orders()) {
      if (order.attempt != BookedOrder::kNobody) attempts.push_back(order.attempt);
    }
    std::sort(attempts.begin(), attempts.end());
    for (auto twice = attempts.begin(); (twice = std::adjacent_find(twice, attempts.end())) != attempts.end();
         ++twice) {
      claim.Fault("the request " + std::string(plan_.RequestName(*twice).view()) + " has two orders");
    }
    return claim.Find("each of " + Text(distinct) +
                      " acknowledged orders is in the stream, once, for its buyer");
  }

  // An order of the stream was told to its buyer; without request ids at least an answer of his was lost.
  Finding NothingInvented() const {
    Claim claim;
    std::vector<OrderId> told;
    for (const Told& one : evidence_.told) told.push_back(one.order);
    std::sort(told.begin(), told.end());
    std::unordered_set<uint32_t> unheard;
    if (!options_.requests) {
      for (const uint32_t attempt : evidence_.lost) unheard.insert(plan_.UserOf(attempt));
    }
    for (const BookedOrder& order : book_.orders()) {
      if (std::binary_search(told.begin(), told.end(), order.id) || unheard.contains(order.user)) continue;
      claim.Fault("nobody was told of the order " + order.id.text());
    }
    return claim.Find("each of " + Text(book_.orders().size()) +
                      " orders of the stream was told to its buyer");
  }

  Finding Refusals() const {
    Claim claim;
    uint64_t refused = 0;
    std::unordered_map<uint32_t, uint64_t> orders;
    for (const BookedOrder& order : book_.orders()) ++orders[order.user];
    for (size_t i = 0; i < evidence_.outcomes.size(); ++i) {
      const uint8_t outcome = evidence_.outcomes[i];
      if (outcome == Evidence::kUnanswered) claim.Fault("the try " + Text(i) + " has no answer");
      if (outcome != code::kLimit) continue;
      ++refused;
      const uint32_t user = plan_.UserOf(static_cast<uint32_t>(i));
      const auto bought = orders.find(user);
      if (bought == orders.end() || bought->second < options_.limit)
        claim.Fault(std::string(plan_.UserName(user).view()) +
                    " was told LIMIT without having bought that much");
    }
    return claim.Find("each of " + Text(evidence_.outcomes.size()) + " tries has its answer; those " +
                      Text(refused) + " that were told LIMIT had bought");
  }

  Finding Confirmations() const {
    Claim claim;
    std::vector<OrderId> confirmed = evidence_.confirmed;
    std::sort(confirmed.begin(), confirmed.end());
    confirmed.erase(std::unique(confirmed.begin(), confirmed.end()), confirmed.end());
    for (const OrderId& id : confirmed) {
      const BookedOrder* order = book_.Find(id);
      if (order == nullptr || order->confirmed != 1 || order->released != 0)
        claim.Fault("the confirmed order " + id.text() + " is not sold in the stream");
    }
    uint64_t settled = 0;
    for (const BookedOrder& order : book_.orders()) {
      if (!order.held) continue;
      ++settled;
      if (order.confirmed + order.released != 1)
        claim.Fault("the hold of " + order.id.text() + " did not end once");
    }
    return claim.Find("each of " + Text(settled) + " holds ended once; " + Text(confirmed.size()) +
                      " confirmations stand");
  }

  Finding Queue() const {
    Claim claim;
    const Reply groups = AskNow(connection_, {"XINFO", "GROUPS", stream_});
    const redisReply& group = ElementOf(*groups, 0);
    const uint64_t pending = Number(group, "pending");
    const uint64_t lag = Number(group, "lag");
    if (options_.workers == 0) return claim.Find("no workers, " + Text(lag) + " entries wait for some");
    if (pending != 0 || lag != 0)
      claim.Fault(Text(pending) + " are pending, " + Text(lag) + " were never read");
    return claim.Find("the workers have read and acknowledged every entry");
  }

  Finding Buyers() const {
    Claim claim;
    uint64_t buyers = 0;
    std::string cursor = "0";
    std::unordered_set<uint32_t> seen;
    do {
      const Reply page = AskNow(connection_, {"SECKILL.BUYERS", item_, cursor, "COUNT", "5000"});
      const redisReply& list = ElementOf(*page, 1);
      for (size_t i = 0; i + 1 < list.elements; i += 2) {
        const std::string_view name = TextOf(ElementOf(list, i));
        const auto count = static_cast<uint64_t>(IntegerOf(ElementOf(list, i + 1)));
        const auto user = plan_.UserNamed(name);
        if (count == 0 || (user && !seen.insert(*user).second)) continue;  // a walk may show one again
        ++buyers;
        const auto booked = user ? book_.pieces().find(*user) : book_.pieces().end();
        if (booked == book_.pieces().end() || booked->second != count)
          claim.Fault("the item counts " + Text(count) + " for '" + std::string(name) + "'");
      }
      const redisReply& next = ElementOf(*page, 0);
      cursor = next.type == REDIS_REPLY_INTEGER ? std::to_string(next.integer) : std::string(TextOf(next));
    } while (cursor != "0");
    if (buyers != book_.pieces().size()) claim.Fault("the stream has " + Text(book_.pieces().size()));
    return claim.Find("the item's " + Text(buyers) + " buyers are those of the stream");
  }

  Finding Audit() const {
    Claim claim;
    const Reply audit = connection_.AskAnything({"SECKILL.AUDIT", item_});
    if (audit == nullptr) throw Trouble("the server is gone while the proof is made");
    if (audit->type == REDIS_REPLY_ERROR) claim.Fault({audit->str, static_cast<size_t>(audit->len)});
    return claim.Find("SECKILL.AUDIT recounts, and finds the same");
  }

  const Options& options_;
  const TryPlan& plan_;
  const Evidence& evidence_;
  Connection& connection_;
  const std::string& item_;
  const std::string& stream_;
  Book book_;
  Counters counters_{};
};

}  // namespace

bool Proof::holds() const {
  return std::all_of(findings.begin(), findings.end(), [](const Finding& finding) { return finding.holds; });
}

Proof Prove(const Options& options, const TryPlan& plan, const Evidence& evidence, Connection& connection,
            const std::string& item, const std::string& stream) {
  return Prover(options, plan, evidence, connection, item, stream).Prove();
}

}  // namespace sluice::flash_sale
