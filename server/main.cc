// The program: configuration, store, server, in this order; and what went wrong, in one line, where one of
// them fails.

#include <malloc.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/random.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "server/admin/background.h"
#include "server/admin/pid_file.h"
#include "server/commands/process_memory.h"
#include "server/config.h"
#include "server/engine/engine.h"
#include "server/engine/journal.h"
#include "server/net/bus_error.h"
#include "server/net/exit_code.h"
#include "server/net/log_output.h"
#include "server/net/server.h"
#include "storage/kernel_page_cache.h"
#include "storage/posix_file_system.h"

namespace sluice {
namespace {

// Before the log lines have their place, and for whoever started us by hand.
int Complain(const std::string& what) {
  std::fprintf(stderr, "sluice-server: %s\n", what.c_str());
  return net::kExitStartup;
}

storage::CommitPath CommitPathOf(CommitWay way) {
  switch (way) {
    case CommitWay::kAuto:
      return storage::CommitPath::kAuto;
    case CommitWay::kUring:
      return storage::CommitPath::kUring;
    case CommitWay::kThread:
      return storage::CommitPath::kThread;
    case CommitWay::kInline:
      return storage::CommitPath::kInline;
  }
  return storage::CommitPath::kAuto;
}

storage::LogOptions LogOptionsOf(const Config& config) {
  return {.directory = config.dir,
          .segment_bytes = config.segment_bytes,
          // Durable from the first record on; the server relaxes it where appendfsync says so.
          .durability = storage::Durability::kAlways,
          .commit_path = CommitPathOf(config.commit_path),
          .direct_io = config.direct_io,
          .commit_wait_us = static_cast<uint32_t>(config.commit_wait_us),
          .spare_segments = static_cast<uint32_t>(config.spare_segments),
          .zeroing_bytes_per_second = config.zeroing_bytes_per_second,
          .tail_cache_bytes = config.tail_cache_bytes,
          .max_disk_bytes = config.maxdisk};
}

uint64_t RandomSeed() {
  uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, 0) == sizeof seed) return seed;
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

std::string Absolute(const std::string& path) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(path, error);
  return error ? path : whole.lexically_normal().string();
}

// "1234 records (56789 bytes) of 2 segments in 12.3 ms; 99 events applied behind
// data/checkpoint-000000000007"
std::string RecoveryText(const storage::RecoveryReport& report, const engine::LoadedCheckpoint& checkpoint,
                         double ms) {
  std::string text = fmt::format("{} records ({} bytes) of {} segments in {:.1f} ms", report.records,
                                 report.bytes, report.segments, ms);
  if (!checkpoint.path.empty()) {
    text += fmt::format("; {} events applied behind {} ({} bytes)", checkpoint.replayed, checkpoint.path,
                        checkpoint.file_bytes);
  }
  if (report.cut_bytes != 0) {
    text += fmt::format("; cut {} bytes of an unfinished write at the end: {}, offset {}", report.cut_bytes,
                        report.cut_file, report.cut_offset);
  }
  return text;
}

// `background`: where the process left its terminal.
int Serve(const Config& config, const CommandLine& command_line,
          std::optional<admin::Background>& background) {
  const std::string& config_file = command_line.config_file;
  const std::vector<std::string>& without_effect = command_line.without_effect;
  if (auto error = net::OpenLogOutput(config.logfile, config.loglevel)) return Complain("logfile: " + *error);
  const auto fail = [&config](const std::string& what) {
    spdlog::critical("{}", what);
    // Where the lines go to a file, whoever looks at the terminal should not be left guessing.
    return config.logfile.empty() ? net::kExitStartup : Complain(what);
  };

  net::ExplainBusErrors(config.logfile);
  const uint64_t allocated_bytes = commands::AllocatedBytes();
  const auto began = std::chrono::steady_clock::now();
  storage::PosixFileSystem files;
  storage::KernelPageCache pages;
  engine::Engine engine(RandomSeed());
  storage::RecoveryReport report;
  if (const auto made = files.CreateDirectory(config.dir); !made) return fail("dir: " + made.error().message);
  const engine::CheckpointOptions checkpoints{.log_bytes = config.checkpoint_log_bytes,
                                              .bytes_per_second = config.checkpoint_bytes_per_second};
  const storage::CompactionOptions compaction{
      .dead_percent = static_cast<uint32_t>(config.compaction_dead_percent),
      .bytes_per_second = config.compaction_bytes_per_second};
  const storage::ColdReadOptions cold_reads{
      .pages = &pages,
      .files = &files,
      .chunk_bytes = config.cold_read_buffers,
      .bytes = config.cold_read_bytes,
      .ahead_bytes = config.cold_read_ahead};
  const auto journal = engine::Journal::Open(files, LogOptionsOf(config), engine, &report, checkpoints,
                                             compaction, cold_reads);
  if (!journal) {
    if (journal.error().code == storage::Error::Code::kInUse) {
      return fail("the data folder is in use by another server: " + journal.error().message);
    }
    return fail("the data folder cannot be opened: " + journal.error().message);
  }
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
  const std::string recovery = RecoveryText(report, (*journal)->loaded(), took.count());
  for (const std::string& why : (*journal)->loaded().passed_over)
    spdlog::warn("A checkpoint is damaged, and an older one or the log itself serves instead: {}", why);

  net::Server server(config,
                     {.config_file = config_file.empty() ? "" : Absolute(config_file),
                      .recovery = recovery,
                      .allocated_bytes = allocated_bytes},
                     **journal);
  if (const auto error = server.Listen()) {
    static_cast<void>((*journal)->log().Close());
    return fail(*error);
  }
  admin::PidFile pid_file;
  if (!config.pidfile.empty()) {
    // As in Redis, no reason not to serve.
    if (const auto error = pid_file.Write(config.pidfile)) spdlog::warn("pidfile: {}", *error);
  }
  if (!without_effect.empty()) {
    spdlog::warn("Options of Redis that make no difference here (docs/redis-options.md says why): {}",
                 fmt::join(without_effect, ", "));
  }
  spdlog::info("Sluice {} ready: port {}{}, data in {}, recovered {}", SLUICE_VERSION, config.port,
               config.tls_port == 0 ? "" : fmt::format(", TLS port {}", config.tls_port),
               Absolute(config.dir), recovery);
  if (background) background->Ready();
  server.Run();
  return 0;
}

bool IsSupervised(const Config& config) {
  return config.supervised == Supervision::kSystemd ||
         (config.supervised == Supervision::kAuto && std::getenv("NOTIFY_SOCKET") != nullptr);
}

int Main(const std::vector<std::string>& arguments) {
  Config config = DefaultConfig();
  CommandLine command_line;
  if (const auto error = ParseCommandLine(arguments, command_line, config)) return Complain(*error);
  switch (command_line.wish) {
    case CommandLine::Wish::kVersion:
      std::printf("Sluice server v=%s\n", SLUICE_VERSION);
      return 0;
    case CommandLine::Wish::kHelp:
      std::fputs(HelpText().c_str(), stdout);
      return 0;
    case CommandLine::Wish::kServe:
      break;
  }
  // A client that goes away while we write to it is an error of that write, not the end.
  signal(SIGPIPE, SIG_IGN);
  // What is freed joins its neighbours at once: put off, as small pieces are by default, it stopped the loop
  // for tens of milliseconds after millions of keys were dropped.
  mallopt(M_MXFAST, 0);
  // Replies come and go by the hundred kilobytes: with malloc's own thresholds each was mapped, zeroed and
  // unmapped by the kernel anew, which took a third of an XRANGE.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 16 << 20);
  std::optional<admin::Background> background;
  // Who is supervised stays where the supervisor expects it.
  if (config.daemonize && !IsSupervised(config)) {
    auto entered = admin::Background::Enter();
    if (!entered) return Complain("daemonize: " + entered.error());
    background.emplace(std::move(*entered));
  }
  return Serve(config, command_line, background);
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  return sluice::Main({argv + 1, argv + argc});
}
