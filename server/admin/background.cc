#include "server/admin/background.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace sluice::admin {
namespace {

[[noreturn]] void WaitForChild(pid_t child, int said) {
  char byte = 0;
  ssize_t count = 0;
  do {
    count = read(said, &byte, 1);
  } while (count < 0 && errno == EINTR);
  if (count == 1) _exit(0);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

}  // namespace

tl::expected<Background, std::string> Background::Enter() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return tl::unexpected(std::string(std::strerror(errno)));
  const pid_t child = fork();
  if (child < 0) {
    const std::string why = std::strerror(errno);
    close(ends[0]);
    close(ends[1]);
    return tl::unexpected(why);
  }
  if (child > 0) {
    close(ends[1]);
    WaitForChild(child, ends[0]);
  }
  close(ends[0]);
  setsid();
  return Background(ends[1]);
}

Background::~Background() {
  if (told_ >= 0) close(told_);
}

void Background::Ready() {
  if (const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC); nothing >= 0) {
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
    dup2(nothing, STDERR_FILENO);
    if (nothing > STDERR_FILENO) close(nothing);
  }
  const char byte = 1;
  while (write(told_, &byte, 1) < 0 && errno == EINTR) {
  }
  close(told_);
  told_ = -1;
}

}  // namespace sluice::admin
