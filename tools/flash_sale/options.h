// What a run is asked to do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::flash_sale {

struct Options {
  // The server: one that runs, or one that is started.
  std::string host = "127.0.0.1";
  uint16_t port = 6379;
  std::string user;
  std::string password;
  std::string server;                       // path of sluice-server; empty: one that runs
  std::string directory;                    // its data; empty: a temporary one
  std::vector<std::string> server_options;  // "appendfsync everysec"
  bool chaos = false;
  uint64_t kills = 5;

  // The sale.
  std::string item;  // empty: a name of its own
  uint64_t stock = 1000;
  uint64_t limit = 1;
  uint64_t hold_ms = 0;
  bool keep = false;

  // The crowd.
  uint64_t tries = 1'000'000;
  uint64_t users = 200'000;
  uint64_t clients = 50;
  uint64_t pipeline = 64;
  double double_clicks = 0.1;
  bool requests = true;
  uint64_t workers = 2;
  double paid = 0.8;
  uint64_t threads = 2;
  uint64_t seed = 0;  // 0: another one each time
  uint64_t patience_s = 30;

  // Holds that run out together.
  uint64_t due = 0;       // how many; 0: a sale
  uint64_t due_in_s = 0;  // seconds after the start; 0: as many as placing them should take
  uint64_t buys_per_second = 50'000;
  uint64_t probes_per_second = 1'000;
  double p99_below_ms = 5;
  uint64_t within_s = 10;

  bool json = false;
  bool quiet = false;
};

// Exit statuses.
constexpr int kProven = 0;
constexpr int kDisproven = 1;
constexpr int kUsage = 2;
constexpr int kTrouble = 3;
constexpr int kInterrupted = 130;

// Fills in `options`. Returns the status to exit with at once (--help, wrong options: it has been said), or
// -1.
[[nodiscard]] int ParseOptions(int argc, char** argv, Options& options);

}  // namespace sluice::flash_sale
