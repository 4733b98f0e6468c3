// sluice-backup: a consistent copy of a store, also of one that a server is writing to.
//
//   sluice-backup DIR TARGET [--rate BYTES_PER_SECOND] [--verify]
//
// TARGET must be empty or missing. To restore, start a server on it. Exit status: 0 done, 1 not done.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <string>
#include <thread>

#include "storage/posix_file_system.h"
#include "storage/store_copy.h"
#include "storage/store_walk.h"
#include "tools/plain_files.h"
#include "tools/progress.h"

namespace sluice::tools {
namespace {

int Fail(const std::string& what) {
  std::fprintf(stderr, "sluice-backup: %s\n", what.c_str());
  return 1;
}

// Shows how far the copy is, and makes it wait where it runs ahead of its rate.
class Pace : public storage::CopyWatcher {
 public:
  explicit Pace(uint64_t bytes_per_second) : rate_(bytes_per_second) {}

  void OnCopied(uint64_t bytes, uint64_t of_bytes) override {
    progress_.Show(bytes, of_bytes);
    if (rate_ == 0) return;
    const std::chrono::duration<double> due(static_cast<double>(bytes) / static_cast<double>(rate_));
    std::this_thread::sleep_until(began_ + std::chrono::duration_cast<std::chrono::nanoseconds>(due));
  }
  void EndProgress() { progress_.Clear(); }

 private:
  uint64_t rate_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  Progress progress_{"copied"};
};

class Verifier : public storage::StoreVisitor {
 public:
  void OnProgress(uint64_t bytes, uint64_t of_bytes) override { progress_.Show(bytes, of_bytes); }
  void EndProgress() { progress_.Clear(); }

 private:
  Progress progress_{"verified"};
};

int Verify(storage::FileSystem& files, const std::string& target) {
  Verifier verifier;
  const auto found = storage::WalkStore(files, target, verifier);
  verifier.EndProgress();
  if (!found) return Fail(found.error().message);
  for (const storage::Finding& finding : found->findings) {
    std::fprintf(stderr, "sluice-backup: %s, offset %" PRIu64 ": %s\n", finding.path.c_str(), finding.offset,
                 finding.what.c_str());
  }
  if (!found->findings.empty()) return Fail("the copy is not sound");
  std::printf("verified: %" PRIu64 " records\n", found->records);
  return 0;
}

int Main(int argc, char** argv) {
  std::string source;
  std::string target;
  uint64_t rate = 0;
  bool verify = false;
  CLI::App app("Copies a store of sluice-server, also while it serves. Exit status: 0 done, 1 not done.");
  app.add_option("directory", source, "the data folder")->required();
  app.add_option("target", target, "where the copy goes: a folder that is empty or missing")->required();
  app.add_option("--rate", rate, "at most so many bytes a second (10mb); 0: as fast as it goes")
      ->transform(CLI::AsSizeValue(false));
  app.add_flag("--verify", verify, "read the copy back and check it as sluice-check does");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 1;
  }
  if (const std::string wrong = NotPlain(source); !wrong.empty()) return Fail(wrong);
  storage::PosixFileSystem files;
  Pace pace(rate);
  const auto copied = storage::CopyStore(files, source, target, pace);
  pace.EndProgress();
  if (!copied) return Fail(copied.error().message);
  std::printf("copied %" PRIu64 " segments, %" PRIu64 " records, up to LSN %" PRIu64 "\n", copied->segments,
              copied->records, storage::Value(copied->end));
  return verify ? Verify(files, target) : 0;
}

}  // namespace
}  // namespace sluice::tools

int main(int argc, char** argv) {
  return sluice::tools::Main(argc, argv);
}
