// The loads of tools/compare that redis-benchmark has no word for, over the public protocol. One line of JSON
// says how it went.
//
//   compare-driver rate  --port P --per-second R --seconds S --connections C      XADDs at a fixed rate:
//   latencies compare-driver flow  --port P --messages N --producers A --workers B          XADD ->
//   XREADGROUP -> XACK, end to end compare-driver wake  --port P --readers N --rounds R one of N blocked
//   readers is woken compare-driver echo  --port P                                                 an epoll
//   server that answers any read
//                                                                                 with one fixed reply: the
//                                                                                 floor
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

double MicrosecondsSince(Clock::time_point then) {
  return std::chrono::duration<double, std::micro>(Clock::now() - then).count();
}

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "compare-driver: %s\n", what.c_str());
  std::exit(1);
}

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

struct FreeContext {
  void operator()(redisContext* context) const { redisFree(context); }
};

// One connection that waits for its replies. An error reply ends the program: a load that fails measures
// nothing.
class Connection {
 public:
  explicit Connection(int port) : context_(redisConnect("127.0.0.1", port)) {
    if (context_ == nullptr || context_->err != 0) Fail("cannot connect");
    const int on = 1;
    setsockopt(context_->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  int fd() const { return context_->fd; }

  void Send(const std::vector<std::string>& words) {
    std::vector<const char*> texts;
    std::vector<size_t> lengths;
    for (const std::string& word : words) {
      texts.push_back(word.data());
      lengths.push_back(word.size());
    }
    redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), texts.data(), lengths.data());
  }
  // Hands what was sent to the kernel, without waiting for replies.
  void Flush() {
    int done = 0;
    while (done == 0) {
      if (redisBufferWrite(context_.get(), &done) != REDIS_OK) Fail(context_->errstr);
    }
  }
  Reply Receive() {
    void* reply = nullptr;
    if (redisGetReply(context_.get(), &reply) != REDIS_OK) Fail(context_->errstr);
    return Checked(reply);
  }
  Reply Ask(const std::vector<std::string>& words) {
    Send(words);
    return Receive();
  }
  // Takes what has arrived; null where no whole reply is there yet.
  Reply TryReceive() {
    void* reply = nullptr;
    if (redisGetReplyFromReader(context_.get(), &reply) != REDIS_OK) Fail(context_->errstr);
    return reply == nullptr ? nullptr : Checked(reply);
  }
  void ReadSome() {
    if (redisBufferRead(context_.get()) != REDIS_OK) Fail(context_->errstr);
  }

 private:
  static Reply Checked(void* reply) {
    Reply checked(static_cast<redisReply*>(reply));
    if (checked->type == REDIS_REPLY_ERROR) Fail(checked->str);
    return checked;
  }

  std::unique_ptr<redisContext, FreeContext> context_;
};

void PrintLatencies(uint64_t operations, double seconds, std::vector<double>& us) {
  std::sort(us.begin(), us.end());
  const auto at = [&us](double share) {
    return us.empty()
               ? 0.0
               : us[std::min(us.size() - 1, static_cast<size_t>(share * static_cast<double>(us.size())))];
  };
  std::printf(
      "{\"operations\": %llu, \"ops\": %.1f, \"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, "
      "\"p999_us\": %.1f, "
      "\"max_us\": %.1f}\n",
      static_cast<unsigned long long>(operations), static_cast<double>(operations) / seconds, at(0.5),
      at(0.9), at(0.99), at(0.999), at(1.0));
}

const std::string kValue(100, 'x');

// Sends at times fixed in advance, whatever the server does: a request that has to wait for its turn counts
// its waiting (no coordinated omission).
void Rate(int port, uint64_t per_second, uint64_t seconds, size_t connections) {
  struct Lane {
    std::unique_ptr<Connection> connection;
    std::vector<Clock::time_point> due;  // of what is under way, oldest first
    size_t answered = 0;
  };
  std::vector<Lane> lanes(connections);
  const int epoll = epoll_create1(0);
  for (size_t i = 0; i < connections; ++i) {
    lanes[i].connection = std::make_unique<Connection>(port);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    epoll_ctl(epoll, EPOLL_CTL_ADD, lanes[i].connection->fd(), &event);
  }
  const uint64_t wanted = per_second * seconds;
  std::vector<double> us;
  us.reserve(wanted);
  const Clock::time_point began = Clock::now();
  uint64_t sent = 0;
  while (us.size() < wanted) {
    const auto due_at = [&](uint64_t n) {
      return began + std::chrono::nanoseconds(n * 1'000'000'000ull / per_second);
    };
    while (sent < wanted && Clock::now() >= due_at(sent)) {
      Lane& lane = lanes[sent % connections];
      lane.connection->Send({"XADD", "rate", "*", "f", kValue});
      lane.connection->Flush();
      lane.due.push_back(due_at(sent++));
    }
    epoll_event events[64];
    const int ready = epoll_wait(epoll, events, 64, 0);
    for (int i = 0; i < ready; ++i) {
      Lane& lane = lanes[events[i].data.u64];
      lane.connection->ReadSome();
      while (lane.connection->TryReceive()) us.push_back(MicrosecondsSince(lane.due[lane.answered++]));
    }
    if (Clock::now() - began > std::chrono::seconds(3 * seconds + 10))
      Fail("the server cannot keep up with the rate");
  }
  close(epoll);
  PrintLatencies(us.size(), MicrosecondsSince(began) / 1e6, us);
}

// Producers and workers at full speed; the latency is that from a message's XADD to its worker.
void Flow(int port, uint64_t messages, size_t producers, size_t workers) {
  Connection setup(port);
  setup.Ask({"DEL", "flow"});
  setup.Ask({"XGROUP", "CREATE", "flow", "g", "0", "MKSTREAM"});
  const Clock::time_point began = Clock::now();
  std::atomic<uint64_t> acknowledged{0};
  std::vector<std::vector<double>> latencies(workers);
  std::vector<std::thread> threads;
  for (size_t p = 0; p < producers; ++p) {
    threads.emplace_back([&, p] {
      constexpr uint64_t kPipeline = 64;
      Connection connection(port);
      const uint64_t share = messages / producers + (p < messages % producers ? 1 : 0);
      for (uint64_t sent = 0; sent < share;) {
        const uint64_t now = std::min(kPipeline, share - sent);
        for (uint64_t i = 0; i < now; ++i) {
          const auto ns = (Clock::now() - began).count();
          connection.Send({"XADD", "flow", "*", "t", std::to_string(ns), "f", kValue});
        }
        for (uint64_t i = 0; i < now; ++i) connection.Receive();
        sent += now;
      }
    });
  }
  for (size_t w = 0; w < workers; ++w) {
    threads.emplace_back([&, w] {
      Connection connection(port);
      while (acknowledged < messages) {
        Reply reply = connection.Ask({"XREADGROUP", "GROUP", "g", "worker-" + std::to_string(w), "COUNT",
                                      "100", "BLOCK", "100", "STREAMS", "flow", ">"});
        if (reply->type != REDIS_REPLY_ARRAY) continue;
        const redisReply* entries = reply->element[0]->element[1];
        std::vector<std::string> ack{"XACK", "flow", "g"};
        const auto now = (Clock::now() - began).count();
        for (size_t i = 0; i < entries->elements; ++i) {
          const redisReply* entry = entries->element[i];
          ack.emplace_back(entry->element[0]->str, entry->element[0]->len);
          const long long then = std::strtoll(entry->element[1]->element[1]->str, nullptr, 10);
          latencies[w].push_back(static_cast<double>(now - then) / 1000);
        }
        acknowledged += static_cast<uint64_t>(connection.Ask(ack)->integer);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<double> us;
  for (const auto& part : latencies) us.insert(us.end(), part.begin(), part.end());
  PrintLatencies(messages, MicrosecondsSince(began) / 1e6, us);
}

// Each reader waits at a stream of its own; in turn one of them is given a message.
void Wake(int port, size_t readers, uint64_t rounds) {
  std::vector<std::unique_ptr<Connection>> blocked;
  const auto key = [](size_t i) { return "wake:" + std::to_string(i); };
  const auto block = [&](size_t i) {
    blocked[i]->Send({"XREAD", "BLOCK", "0", "STREAMS", key(i), "$"});
    blocked[i]->Flush();
  };
  for (size_t i = 0; i < readers; ++i) {
    blocked.push_back(std::make_unique<Connection>(port));
    block(i);
  }
  Connection writer(port);
  // All of them wait once the server says so.
  const std::string all = "blocked_clients:" + std::to_string(readers) + "\r\n";
  for (int i = 0; std::string(writer.Ask({"INFO", "clients"})->str).find(all) == std::string::npos; ++i) {
    if (i == 10'000) Fail("the readers do not block");
    usleep(1000);
  }
  std::vector<double> us;
  const Clock::time_point began = Clock::now();
  for (uint64_t round = 0; round < rounds; ++round) {
    const size_t i = round * 7919 % readers;
    const Clock::time_point sent = Clock::now();
    writer.Ask({"XADD", key(i), "*", "f", kValue});
    blocked[i]->Receive();
    us.push_back(MicrosecondsSince(sent));
    block(i);
  }
  PrintLatencies(rounds, MicrosecondsSince(began) / 1e6, us);
}

// What any server pays for the kernel's part of one request and one reply. Runs until it is killed.
void Echo(int port) {
  constexpr char kReply[] = "$15\r\n1234567890123-0\r\n";
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, 511) != 0) {
    Fail("cannot listen");
  }
  const int epoll = epoll_create1(0);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = listener;
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    epoll_event events[128];
    const int ready = epoll_wait(epoll, events, 128, -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[i].data.fd;
      if (fd == listener) {
        const int client = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
        if (client < 0) continue;
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        event.data.fd = client;
        epoll_ctl(epoll, EPOLL_CTL_ADD, client, &event);
        continue;
      }
      char buffer[16384];
      const ssize_t got = read(fd, buffer, sizeof buffer);
      if (got == 0 || (got < 0 && errno != EAGAIN)) {
        close(fd);
      } else if (got > 0 && write(fd, kReply, sizeof kReply - 1) < 0) {
        close(fd);
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Loads for tools/compare");
  app.require_subcommand(1);
  int port = 0;
  uint64_t per_second = 10'000, seconds = 5, messages = 200'000, rounds = 2'000;
  size_t connections = 50, producers = 2, workers = 2, readers = 1;
  CLI::App* rate = app.add_subcommand("rate", "XADDs at a fixed rate");
  rate->add_option("--per-second", per_second)->check(CLI::Range(1, 10'000'000));
  rate->add_option("--seconds", seconds)->check(CLI::Range(1, 3600));
  rate->add_option("--connections", connections)->check(CLI::Range(1, 10'000));
  CLI::App* flow = app.add_subcommand("flow", "Through a consumer group, end to end");
  flow->add_option("--messages", messages)->check(CLI::PositiveNumber);
  flow->add_option("--producers", producers)->check(CLI::Range(1, 1000));
  flow->add_option("--workers", workers)->check(CLI::Range(1, 1000));
  CLI::App* wake = app.add_subcommand("wake", "Waking one of many blocked readers");
  wake->add_option("--readers", readers)->check(CLI::Range(1, 100'000));
  wake->add_option("--rounds", rounds)->check(CLI::PositiveNumber);
  CLI::App* echo = app.add_subcommand("echo", "The floor: an epoll server with one fixed reply");
  for (CLI::App* mode : {rate, flow, wake, echo})
    mode->add_option("--port", port)->required()->check(CLI::Range(1, 65535));
  CLI11_PARSE(app, argc, argv);
  if (*rate) Rate(port, per_second, seconds, connections);
  if (*flow) Flow(port, messages, producers, workers);
  if (*wake) Wake(port, readers, rounds);
  if (*echo) Echo(port);
}
