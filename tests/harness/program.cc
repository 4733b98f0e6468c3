#include "tests/harness/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <thread>

namespace sluice::tests {
namespace {

[[noreturn]] void Throw(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

}  // namespace

pid_t StartProgram(const std::vector<std::string>& arguments, int standard_input, int standard_output) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) Throw("fork");
  if (child > 0) return child;

  // In the child: only calls that are safe after fork().
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  ::dup2(standard_input, STDIN_FILENO);
  ::dup2(standard_output, STDOUT_FILENO);
  ::dup2(standard_output, STDERR_FILENO);
  ::execvp(argv[0], argv.data());
  constexpr char kText[] = "this program cannot be started\n";
  if (::write(STDERR_FILENO, kText, sizeof(kText) - 1) < 0) ::_exit(126);
  ::_exit(127);
}

std::optional<int> WaitForExit(pid_t child, std::chrono::milliseconds limit) {
  const Deadline deadline(limit);
  for (;;) {
    int status = 0;
    const pid_t reaped = ::waitpid(child, &status, WNOHANG);
    if (reaped < 0) Throw("waitpid");
    if (reaped == child) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (deadline.over()) return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

ProgramResult RunProgram(const std::vector<std::string>& arguments, const std::string& input,
                         std::chrono::milliseconds limit) {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) Throw("pipe2");
  Descriptor child_in(in[0]);
  Descriptor to_child(in[1]);
  Descriptor from_child(out[0]);
  Descriptor child_out(out[1]);
  const pid_t child = StartProgram(arguments, child_in.get(), child_out.get());
  child_in.Close();
  child_out.Close();
  ::fcntl(to_child.get(), F_SETFL, O_NONBLOCK);
  // A child that ends before it has read everything is not our end.
  ::signal(SIGPIPE, SIG_IGN);

  const Deadline deadline(limit);
  ProgramResult result;
  size_t written = 0;
  if (input.empty()) to_child.Close();
  while (from_child.open()) {
    std::array<pollfd, 2> waits{pollfd{from_child.get(), POLLIN, 0}, pollfd{to_child.get(), POLLOUT, 0}};
    const int ready = ::poll(waits.data(), waits.size(), deadline.left_ms());
    if (ready < 0 && errno != EINTR) Throw("poll");
    if (deadline.over()) {
      ::kill(child, SIGKILL);
      WaitForExit(child, kPatience);
      throw std::runtime_error(arguments[0] + " did not come to its end in time; it said:\n" + result.output);
    }
    if (waits[0].revents != 0) {
      std::array<char, 65536> bytes{};
      const ssize_t got = ::read(from_child.get(), bytes.data(), bytes.size());
      if (got > 0) result.output.append(bytes.data(), static_cast<size_t>(got));
      if (got == 0) from_child.Close();
    }
    if (to_child.open() && waits[1].revents != 0) {
      const ssize_t put = ::write(to_child.get(), input.data() + written, input.size() - written);
      if (put > 0) written += static_cast<size_t>(put);
      if (written == input.size() || (put < 0 && errno != EAGAIN && errno != EINTR)) to_child.Close();
    }
  }
  const std::optional<int> status = WaitForExit(child, kPatience);
  if (!status) {
    ::kill(child, SIGKILL);
    WaitForExit(child, kPatience);
    throw std::runtime_error(arguments[0] + " closed its output and does not end");
  }
  result.status = *status;
  return result;
}

uint64_t RaiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) Throw("getrlimit");
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) Throw("setrlimit");
  return limit.rlim_max;
}

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "sluice-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) Throw("mkdtemp " + name);
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace sluice::tests
