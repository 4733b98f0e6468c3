#include "server/net/bus_error.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <string_view>

#include "server/net/exit_code.h"
#include "storage/mapped_files.h"

namespace sluice::net {
namespace {

std::array<char, 4096> logfile_path;  // a handler can ask nobody else

// A line of text, put together without an allocation.
class Line {
 public:
  void Add(std::string_view text) { size_ += text.copy(bytes_.data() + size_, bytes_.size() - size_); }
  void Add(uint64_t number) {
    std::array<char, 20> digits;
    const char* end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    Add({digits.data(), static_cast<size_t>(end - digits.data())});
  }
  void WriteTo(int descriptor) const {
    // Nobody is left to be told if it fails.
    [[maybe_unused]] const ssize_t wrote = write(descriptor, bytes_.data(), size_);
  }

 private:
  std::array<char, 4600> bytes_;
  size_t size_ = 0;
};

void Explain(int number, siginfo_t* info, void*) {
  const char* path = nullptr;
  uint64_t offset = 0;
  if (!storage::MappedFiles::Find(info->si_addr, &path, &offset)) {
    // None of ours: as if there were no handler.
    signal(number, SIG_DFL);
    raise(number);
    return;
  }
  Line line;
  line.Add("sluice-server: ");
  line.Add(path);
  line.Add(", offset ");
  line.Add(offset);
  line.Add(": cannot be read: the disk failed, or the file was cut. The server ends\n");
  line.WriteTo(STDERR_FILENO);
  if (logfile_path[0] != '\0') {
    const int descriptor = open(logfile_path.data(), O_WRONLY | O_APPEND | O_CLOEXEC);
    if (descriptor >= 0) line.WriteTo(descriptor);
  }
  _exit(kExitLogFailure);
}

}  // namespace

void ExplainBusErrors(const std::string& logfile) {
  logfile.copy(logfile_path.data(), logfile_path.size() - 1);
  struct sigaction action {};
  action.sa_sigaction = Explain;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGBUS, &action, nullptr);
}

}  // namespace sluice::net
