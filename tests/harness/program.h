// Child processes: started, fed, waited for with a limit, and never left behind.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/harness/deadline.h"

namespace sluice::tests {

// Starts `arguments` (the program first, found by PATH) with the given descriptors as its standard input and output
// (and error). It dies with this process. Throws std::runtime_error where it cannot be started.
pid_t StartProgram(const std::vector<std::string>& arguments, int standard_input, int standard_output);

// The exit status of `child` (128 + n where signal n ended it), as a shell has it; nullopt where it still runs when
// `limit` is over. Reaps it.
std::optional<int> WaitForExit(pid_t child, std::chrono::milliseconds limit);

struct ProgramResult {
  int status = 0;      // as WaitForExit gives it
  std::string output;  // standard output and error
};

// Runs `arguments` to its end with `input` on its standard input. Throws std::runtime_error, with the output so far,
// where it takes longer than `limit`: the program is killed then.
ProgramResult RunProgram(const std::vector<std::string>& arguments, const std::string& input = "",
                         std::chrono::milliseconds limit = kPatience);

// Lets this process have as many descriptors as it may; returns how many that are (`ulimit -Hn`).
uint64_t RaiseDescriptorLimit();

// A directory below the system's temporary one that goes away with this object.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace sluice::tests
