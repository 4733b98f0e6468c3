// The parts of a request's way: the parser, a record in the log, a reply.
#include <benchmark/benchmark.h>

#include <stdexcept>
#include <string>

#include "protocol/reply_writer.h"
#include "protocol/request_parser.h"
#include "storage/log.h"
#include "tests/bench/vanishing_file_system.h"
#include "tests/harness/socket_client.h"

namespace sluice::tests {
namespace {

const std::string kValue(100, 'x');

// 64 requests in one buffer, as they come from a pipeline.
void ParseXadd(benchmark::State& state) {
  std::string wire;
  for (int i = 0; i < 64; ++i) wire += EncodeRequest({"XADD", "s", "*", "f", kValue});
  protocol::RequestParser parser;
  for (auto _ : state) {
    std::string_view rest = wire;
    while (!rest.empty()) {
      if (parser.Parse(rest) != protocol::RequestParser::Status::kRequest)
        throw std::runtime_error("no request");
      benchmark::DoNotOptimize(parser.request().size());
      rest.remove_prefix(parser.consumed());
    }
  }
  state.SetItemsProcessed(state.iterations() * 64);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(wire.size()));
}
BENCHMARK(ParseXadd);

void WriteRecord(benchmark::State& state) {
  VanishingFileSystem files;
  storage::LogOptions options;
  options.directory = "data";
  options.commit_path = storage::CommitPath::kInline;
  options.direct_io = false;
  options.spare_segments = 0;
  storage::RecoveryReport report;
  const auto replay = [](storage::Place, std::string_view) { return storage::Result<void>(); };
  auto log = storage::Log::Open(files, options, replay, &report);
  if (!log) throw std::runtime_error(log.error().message);
  const auto bytes = static_cast<size_t>(state.range(0));
  const std::string body(bytes, 'x');
  uint64_t records = 0;
  for (auto _ : state) {
    const auto room = (*log)->BeginRecord(bytes);
    std::copy_n(body.data(), bytes, room->body);
    (*log)->EndRecord(bytes);
    if (++records % 64 == 0) (*log)->Submit();
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(WriteRecord)->Arg(160)->Arg(1024)->Iterations(1'000'000);

void WriteReply(benchmark::State& state) {
  std::string out;
  protocol::ReplyWriter reply(out, protocol::Version::kResp2);
  for (auto _ : state) {
    out.clear();
    for (int i = 0; i < 64; ++i) reply.Bulk("1700000000000-17");
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * 64);
}
BENCHMARK(WriteReply);

}  // namespace
}  // namespace sluice::tests

BENCHMARK_MAIN();
