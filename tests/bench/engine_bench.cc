// What a command costs without sockets and disk: parsed requests go to the dispatcher, records into the log's
// memory.
#include <benchmark/benchmark.h>

#include <deque>
#include <stdexcept>
#include <string>
#include <vector>

#include "protocol/request_parser.h"
#include "server/commands/dispatcher.h"
#include "server/config.h"
#include "server/engine/journal.h"
#include "tests/bench/vanishing_file_system.h"
#include "tests/harness/socket_client.h"
#include "tests/harness/test_host.h"

namespace sluice::tests {
namespace {

// Requests as the parser would hand them over, one behind the other in memory.
class Prepared {
 public:
  Prepared() = default;
  explicit Prepared(const std::vector<std::string>& words) { Add(words); }

  void Add(const std::vector<std::string>& words) {
    const std::string wire = EncodeRequest(words);
    protocol::RequestParser parser;
    if (parser.Parse(wire) != protocol::RequestParser::Status::kRequest)
      throw std::runtime_error("no request");
    if (blocks_.empty() || blocks_.back().size() + wire.size() > kBlock)
      blocks_.emplace_back().reserve(kBlock);
    const char* begin = blocks_.back().data() + blocks_.back().size();
    blocks_.back() += wire;
    first_.push_back(args_.size());
    for (std::string_view arg : parser.request().args())
      args_.emplace_back(begin + (arg.data() - wire.data()), arg.size());
  }
  protocol::Request At(size_t i) const {
    const size_t end = i + 1 < first_.size() ? first_[i + 1] : args_.size();
    return protocol::Request(std::span(args_).subspan(first_[i], end - first_[i]));
  }
  size_t size() const { return first_.size(); }

 private:
  static constexpr size_t kBlock = 1 << 20;

  std::deque<std::string> blocks_;
  std::vector<std::string_view> args_;
  std::vector<size_t> first_;
};

class Bench {
 public:
  // What vanished cannot be read back: who reads keeps all of it in memory. Who only writes keeps as much as
  // the server does, whose memory is used again and again.
  enum class Keep { kAll, kTail };

  explicit Bench(Keep keep) : host_(DefaultConfig()), session_(host_.Connect(kUnixMs)) {
    storage::LogOptions options;
    options.directory = "data";
    options.commit_path = storage::CommitPath::kInline;
    options.direct_io = false;
    options.spare_segments = 0;
    storage::RecoveryReport report;
    options.tail_cache_bytes = keep == Keep::kAll ? uint64_t{16} << 30 : DefaultConfig().tail_cache_bytes;
    auto opened =
        engine::Journal::Open(files_, options, engine_, &report, {.log_bytes = 0, .background = false},
                              {.dead_percent = 0, .background = false});
    if (!opened) throw std::runtime_error(opened.error().message);
    journal_ = std::move(*opened);
    dispatcher_ = std::make_unique<commands::Dispatcher>(*journal_, host_);
    dispatcher_->SetTime({.unix_us = kUnixMs * 1000, .monotonic_ms = 1});
  }

  // Ticks end every 64 requests, as at pipeline 64.
  void Execute(const Prepared& prepared, size_t i = 0) {
    dispatcher_->Execute(session_, prepared.At(i));
    if (++requests_ % 64 == 0) EndTick();
  }
  void Setup(const std::vector<std::string>& words) {
    Execute(Prepared(words));
    if (session_.output.bytes().starts_with("-")) throw std::runtime_error(session_.output.bytes());
    EndTick();
  }
  const std::string& replies() const { return session_.output.bytes(); }
  void EndTick() {
    journal_->log().Submit();
    journal_->log().Reap();
    dispatcher_->RunBackgroundSlice();
    session_.output.EndTick(journal_->log().tail());
    session_.output.Consume(session_.output.Releasable(journal_->log().committed()));
  }

 private:
  static constexpr uint64_t kUnixMs = 1'700'000'000'000;

  VanishingFileSystem files_;
  TestHost host_;
  commands::Session& session_;
  engine::Engine engine_{1};
  std::unique_ptr<engine::Journal> journal_;
  std::unique_ptr<commands::Dispatcher> dispatcher_;
  uint64_t requests_ = 0;
};

const std::string kValue(100, 'x');

void Xadd(benchmark::State& state) {
  Bench bench(Bench::Keep::kTail);
  const Prepared xadd({"XADD", "s", "*", "f", kValue});
  for (auto _ : state) bench.Execute(xadd);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Xadd)->Iterations(4'000'000);

// Deliveries of 100 messages; items are messages.
void Xreadgroup(benchmark::State& state) {
  Bench bench(Bench::Keep::kAll);
  const Prepared xadd({"XADD", "s", "*", "f", kValue});
  for (int64_t i = 0; i < static_cast<int64_t>(state.max_iterations) * 100; ++i) bench.Execute(xadd);
  bench.Setup({"XGROUP", "CREATE", "s", "g", "0"});
  const Prepared read({"XREADGROUP", "GROUP", "g", "c", "COUNT", "100", "STREAMS", "s", ">"});
  for (auto _ : state) bench.Execute(read);
  state.SetItemsProcessed(state.iterations() * 100);
}
BENCHMARK(Xreadgroup)->Iterations(20'000);

// One acknowledgement a request, in the order of delivery.
void Xack(benchmark::State& state) {
  Bench bench(Bench::Keep::kAll);
  Prepared acks;

  for (benchmark::IterationCount i = 0; i < state.max_iterations; ++i) {
    const std::string id = "1-" + std::to_string(i + 1);
    bench.Execute(Prepared({"XADD", "s", id, "f", kValue}));
    acks.Add({"XACK", "s", "g", id});
  }
  bench.Setup({"XGROUP", "CREATE", "s", "g", "0"});
  bench.Setup({"XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">"});
  size_t next = 0;
  for (auto _ : state) bench.Execute(acks, next++);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Xack)->Iterations(500'000);

// Each purchase by a user of its own.
void SeckillBuy(benchmark::State& state) {
  Bench bench(Bench::Keep::kTail);
  bench.Setup({"SECKILL.CREATE", "item", "STOCK", "1000000000", "STREAM", "orders"});
  Prepared buys;

  for (benchmark::IterationCount i = 0; i < state.max_iterations; ++i) {
    buys.Add({"SECKILL.BUY", "item", "user:" + std::to_string(i * 7919)});
  }
  size_t next = 0;
  for (auto _ : state) bench.Execute(buys, next++);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(SeckillBuy)->Iterations(1'000'000);

// 100 messages somewhere in a stream of a million: the look-up, and the copy.
void XrangeInTheMiddle(benchmark::State& state) {
  Bench bench(Bench::Keep::kAll);
  for (int i = 1; i <= 1'000'000; ++i)
    bench.Execute(Prepared({"XADD", "s", "1-" + std::to_string(i), "f", kValue}));
  Prepared ranges;
  for (int i = 0; i < 1000; ++i) {
    const std::string from = "1-" + std::to_string(1 + i * 999 % 999'000);
    ranges.Add({"XRANGE", "s", from, "+", "COUNT", std::to_string(state.range(0))});
  }
  size_t next = 0;
  for (auto _ : state) bench.Execute(ranges, next++ % ranges.size());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(XrangeInTheMiddle)->Arg(1)->Arg(100)->Iterations(100'000);

}  // namespace
}  // namespace sluice::tests

BENCHMARK_MAIN();
