#include "tools/flash_sale/crowd.h"

#include <poll.h>

#include <chrono>
#include <deque>

namespace sluice::flash_sale {
namespace {

uint64_t Nanoseconds() {
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

}  // namespace

class Crowd::Party {
 public:
  Party(Crowd& crowd, size_t lanes) : crowd_(crowd), lanes_(lanes) {}

  void Run();

  struct Figures {
    Counter attempts, answers, replays, lost;
    std::array<Counter, code::kCount> codes;
    Latencies latencies;
  };
  const Figures& figures() const { return figures_; }
  const std::vector<Told>& told() const { return told_; }
  const std::vector<uint32_t>& lost() const { return lost_; }

 private:
  struct Click {
    uint32_t attempt;
    uint64_t sent_ns;
  };
  struct Lane {
    std::unique_ptr<Connection> connection;
    std::deque<Click> under_way;  // oldest first
    uint64_t heard_ns = 0;        // an answer, or when the first of those under way was sent
  };

  bool Connect();
  bool Next(uint32_t& attempt);
  void Fill(Lane& lane);
  void Take(Lane& lane);
  bool Answered(const Click& click, const redisReply& reply);
  void Lose(Lane& lane);
  bool Wait();

  Crowd& crowd_;
  std::vector<Lane> lanes_;
  std::deque<uint32_t> again_;  // attempts to be sent once more, before any new one
  uint64_t fresh_ = 0;          // attempts that are this party's, and not sent yet
  uint64_t fresh_end_ = 0;
  Figures figures_;
  std::vector<Told> told_;
  std::vector<uint32_t> lost_;
};

void Crowd::Party::Run() {
  while (!crowd_.run_.stop) {
    if (!Connect()) return;
    for (Lane& lane : lanes_) Fill(lane);
    if (!Wait()) return;
  }
}

// Those who wait for a server wait together: when it is back, it is for all.
bool Crowd::Party::Connect() {
  for (Lane& lane : lanes_) {
    if (lane.connection != nullptr) continue;
    lane.connection = Connection::Await(crowd_.address_, crowd_.run_.stop);
    if (lane.connection == nullptr) return false;
  }
  return true;
}

bool Crowd::Party::Next(uint32_t& attempt) {
  if (!again_.empty()) {
    attempt = again_.front();
    again_.pop_front();
    return true;
  }
  constexpr uint64_t kAtOnce = 16;
  if (fresh_ == fresh_end_) {
    fresh_ = std::min(crowd_.next_attempt_.fetch_add(kAtOnce), crowd_.options_.tries);
    fresh_end_ = std::min(fresh_ + kAtOnce, crowd_.options_.tries);
  }
  if (fresh_ == fresh_end_) return false;
  attempt = static_cast<uint32_t>(fresh_++);
  if (crowd_.plan_.IsDoubled(attempt)) again_.push_back(attempt);
  return true;
}

void Crowd::Party::Fill(Lane& lane) {
  if (lane.connection == nullptr) return;
  const bool idle = lane.under_way.empty();
  const uint64_t now = Nanoseconds();
  uint32_t attempt = 0;
  while (lane.under_way.size() < crowd_.options_.pipeline && Next(attempt)) {
    const ShortText user = crowd_.plan_.UserName(crowd_.plan_.UserOf(attempt));
    if (crowd_.options_.requests) {
      const ShortText request = crowd_.plan_.RequestName(attempt);
      lane.connection->Append({"SECKILL.BUY", crowd_.item_, user.view(), "REQID", request.view()});
    } else {
      lane.connection->Append({"SECKILL.BUY", crowd_.item_, user.view()});
    }
    lane.under_way.push_back({attempt, now});
  }
  if (idle) lane.heard_ns = now;
  if (!lane.under_way.empty() && !lane.connection->Flush()) Lose(lane);
}

// False where everything is answered.
bool Crowd::Party::Wait() {
  std::vector<pollfd> polled;
  for (const Lane& lane : lanes_) {
    if (lane.connection != nullptr && !lane.under_way.empty())
      polled.push_back({lane.connection->fd(), POLLIN, 0});
  }
  if (polled.empty()) return !again_.empty();
  ::poll(polled.data(), polled.size(), 50);
  const uint64_t now = Nanoseconds();
  size_t i = 0;
  for (Lane& lane : lanes_) {
    if (lane.connection == nullptr || lane.under_way.empty()) continue;
    if (polled[i++].revents != 0) {
      Take(lane);
    } else if (now - lane.heard_ns > crowd_.address_.patience_s * 1'000'000'000) {
      throw Trouble("the server has not answered for " + std::to_string(crowd_.address_.patience_s) + " s");
    }
  }
  return true;
}

void Crowd::Party::Take(Lane& lane) {
  if (!lane.connection->ReadSome()) return Lose(lane);
  uint64_t answers = 0;
  const uint64_t now = Nanoseconds();
  lane.heard_ns = now;
  while (!lane.under_way.empty()) {
    const Reply reply = lane.connection->TryReceive();
    if (reply == nullptr) break;
    const Click click = lane.under_way.front();
    if (!Answered(click, *reply)) break;
    lane.under_way.pop_front();
    figures_.latencies.Record(now - click.sent_ns);
    ++answers;
  }
  figures_.answers.Add(answers);
  if (crowd_.chaos_ != nullptr) crowd_.chaos_->Answered(answers);
}

// False where the server is not ready: the click stays under way, and is lost with its connection.
bool Crowd::Party::Answered(const Click& click, const redisReply& reply) {
  if (IsNotReady(reply)) return false;
  const int64_t code = IntegerOf(ElementOf(reply, 0));
  if (code < 0 || code >= static_cast<int64_t>(code::kCount))
    throw Trouble("the server answers a buy with the code " + std::to_string(code));
  figures_.codes[static_cast<size_t>(code)].Add();
  if (IntegerOf(ElementOf(reply, 4)) != 0) figures_.replays.Add();
  if (const redisReply& order = ElementOf(reply, 1); order.type != REDIS_REPLY_NIL) {
    const auto id = ParseOrderId(TextOf(order));
    if (!id) throw Trouble("the server answers a buy with the order " + std::string(TextOf(order)));
    told_.push_back({*id, click.attempt});
  }
  uint8_t& outcome = crowd_.outcomes_[click.attempt];
  const auto bought = [](uint8_t c) {
    return c == code::kOk || c == code::kExpired || c == code::kCancelled;
  };
  if (outcome == Evidence::kUnanswered) figures_.attempts.Add();
  // What counts at the end: that it bought; else that its user was told to have bought.
  const auto now = static_cast<uint8_t>(code);
  if (outcome == Evidence::kUnanswered || bought(now) || (!bought(outcome) && now == code::kLimit))
    outcome = now;
  return true;
}

void Crowd::Party::Lose(Lane& lane) {
  lane.connection.reset();
  figures_.lost.Add(lane.under_way.size());
  for (const Click& click : lane.under_way) {
    again_.push_back(click.attempt);
    lost_.push_back(click.attempt);
  }
  lane.under_way.clear();
}

Crowd::Crowd(const Options& options, const Address& address, std::string item, const TryPlan& plan,
             flash_sale::Run& run, Chaos* chaos)
    : options_(options),
      address_(address),
      item_(std::move(item)),
      plan_(plan),
      run_(run),
      chaos_(chaos),
      outcomes_(options.tries, Evidence::kUnanswered) {
  for (size_t i = 0; i < options.threads; ++i) {
    const size_t lanes = options.clients / options.threads + (i < options.clients % options.threads ? 1 : 0);
    parties_.push_back(std::make_unique<Party>(*this, lanes));
  }
  for (const auto& party : parties_) {
    threads_.emplace_back([this, &party] {
      try {
        party->Run();
      } catch (const std::exception& error) {
        run_.Fail(error.what());
      }
      ++finished_;
    });
  }
}

Crowd::~Crowd() {
  if (!done()) run_.stop = true;
  for (std::thread& thread : threads_) thread.join();
}

CrowdFigures Crowd::figures() const {
  CrowdFigures sum;
  for (const auto& party : parties_) {
    const Party::Figures& own = party->figures();
    sum.attempts += own.attempts.value();
    sum.answers += own.answers.value();
    sum.replays += own.replays.value();
    sum.lost += own.lost.value();
    for (size_t i = 0; i < code::kCount; ++i) sum.codes[i] += own.codes[i].value();
  }
  return sum;
}

void Crowd::AddLatenciesTo(Latencies& sum) const {
  for (const auto& party : parties_) sum.Add(party->figures().latencies);
}

void Crowd::Testify(Evidence& evidence) const {
  evidence.outcomes = outcomes_;
  for (const auto& party : parties_) {
    evidence.told.insert(evidence.told.end(), party->told().begin(), party->told().end());
    evidence.lost.insert(evidence.lost.end(), party->lost().begin(), party->lost().end());
  }
}

}  // namespace sluice::flash_sale
