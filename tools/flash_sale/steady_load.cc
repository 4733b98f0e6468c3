#include "tools/flash_sale/steady_load.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <deque>

namespace sluice::flash_sale {
namespace {

using Clock = std::chrono::steady_clock;

struct Asked {
  Clock::time_point due;
  size_t phase;
};
struct Lane {
  std::unique_ptr<Connection> connection;
  std::deque<Asked> under_way;
};

}  // namespace

SteadyLoad::SteadyLoad(const Address& address, uint64_t per_second, uint64_t at_once, size_t connections,
                       size_t phases, Say say, Run& run)
    : address_(address),
      per_second_(per_second),
      at_once_(at_once),
      connections_(connections),
      say_(std::move(say)),
      run_(run) {
  for (size_t i = 0; i < phases; ++i) latencies_.push_back(std::make_unique<Latencies>());
  thread_ = std::thread([this] {
    try {
      Load();
    } catch (const std::exception& error) {
      run_.Fail(error.what());
    }
  });
}

SteadyLoad::~SteadyLoad() {
  Stop();
}

void SteadyLoad::Stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void SteadyLoad::Load() {
  std::vector<Lane> lanes(connections_);
  std::vector<pollfd> polled;
  for (Lane& lane : lanes) {
    lane.connection = Connection::Await(address_, run_.stop);
    if (lane.connection == nullptr) return;
    polled.push_back({lane.connection->fd(), POLLIN, 0});
  }
  const auto gap = std::chrono::nanoseconds(at_once_ * 1'000'000'000ull / per_second_);
  Clock::time_point due = Clock::now();
  uint64_t sent = 0;
  std::string space;
  std::vector<std::string_view> words;
  while (!stop_ && !run_.stop) {
    Clock::time_point now = Clock::now();
    std::vector<bool> spoke(lanes.size());
    // What is due by now, a part of it at a time, so that answers are taken meanwhile.
    for (size_t i = 0; i < lanes.size() && due <= now; ++i, due += gap) {
      const size_t which = sent / at_once_ % lanes.size();
      for (uint64_t n = 0; n < at_once_; ++n, ++sent) {
        say_(sent, space, words);
        lanes[which].connection->Append(words);
        lanes[which].under_way.push_back({due, phase_});
      }
      spoke[which] = true;
    }
    for (size_t i = 0; i < lanes.size(); ++i) {
      if (spoke[i] && !lanes[i].connection->Flush()) throw Trouble("the server closed a connection");
    }
    const auto left = std::max<std::chrono::nanoseconds>(due - Clock::now(), std::chrono::nanoseconds(0));
    const timespec wait{0, std::min<long>(static_cast<long>(left.count()), 50'000'000)};
    if (::ppoll(polled.data(), polled.size(), &wait, nullptr) <= 0) continue;
    now = Clock::now();
    for (size_t i = 0; i < lanes.size(); ++i) {
      if (polled[i].revents == 0) continue;
      if (!lanes[i].connection->ReadSome()) throw Trouble("the server closed a connection");
      while (!lanes[i].under_way.empty()) {
        const Reply reply = lanes[i].connection->TryReceive();
        if (reply == nullptr) break;
        if (IsNotReady(*reply)) throw Trouble("the server is loading");
        const Asked asked = lanes[i].under_way.front();
        lanes[i].under_way.pop_front();
        const auto took = std::max<std::chrono::nanoseconds>(now - asked.due, std::chrono::nanoseconds(0));
        latencies_[asked.phase]->Record(static_cast<uint64_t>(took.count()));
        answers_.Add();
      }
    }
  }
}

}  // namespace sluice::flash_sale
