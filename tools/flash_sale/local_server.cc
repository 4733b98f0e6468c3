#include "tools/flash_sale/local_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>
#include <vector>

#include "tools/flash_sale/connection.h"

namespace sluice::flash_sale {
namespace {

uint16_t FreePort() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  if (fd >= 0) ::close(fd);
  if (!bound) throw Trouble("no free port on the loopback");
  return ntohs(address.sin_port);
}

std::string TemporaryFolder() {
  const char* temporary = std::getenv("TMPDIR");
  std::string name =
      std::string(temporary != nullptr && *temporary != '\0' ? temporary : "/tmp") + "/flash-sale-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw Trouble("no folder can be made at " + name);
  return name;
}

// Runs in the child: from here on nothing may allocate.
[[noreturn]] void Become(char** words, int log, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  // Ctrl-C is for us, who stop it when we are through with it.
  ::setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execvp(words[0], words);
  ::_exit(127);
}

}  // namespace

LocalServer::LocalServer(const Options& options)
    : options_(options), home_(TemporaryFolder()), port_(options.port != 0 ? options.port : FreePort()) {
  try {
    Start();
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove_all(home_, ignored);
    throw;
  }
}

LocalServer::~LocalServer() {
  if (pid_ != 0) {
    // A clean stop takes a moment; whoever waits for us takes no more than that.
    ::kill(pid_, SIGTERM);
    for (int i = 0; i < 1000 && !dead(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (!dead()) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }
  std::error_code ignored;
  if (temporary_) std::filesystem::remove_all(home_, ignored);
}

std::string LocalServer::directory() const {
  return options_.directory.empty() ? home_ + "/data" : options_.directory;
}

void LocalServer::Start() {
  std::vector<std::string> words = {options_.server, "--port",   std::to_string(port_), "--bind", "127.0.0.1",
                                    "--dir",         directory()};
  // Holds should end while somebody watches, after each start.
  words.insert(words.end(), {"--hold-grace-ms", "1000"});
  for (const std::string& option : options_.server_options) {
    const size_t space = option.find(' ');
    words.push_back("--" + option.substr(0, space));
    words.push_back(option.substr(space + 1));
  }
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const int log = ::open(LogFile().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) throw Trouble("cannot write " + LogFile());
  const pid_t parent = ::getpid();
  killed_ = false;
  const pid_t child = ::fork();
  if (child == 0) Become(arguments.data(), log, parent);
  ::close(log);
  if (child < 0) throw Trouble("no process can be started");
  pid_ = child;

  const Address address{"127.0.0.1", port_, options_.user, options_.password, options_.patience_s};
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(options_.patience_s);
  std::string why;
  while (Connection::Open(address, why) == nullptr) {
    if (dead() && killed_) return;  // again, before we had a look
    if (dead()) throw Trouble("the server does not start (" + options_.server + "):\n" + EndOfLog());
    if (std::chrono::steady_clock::now() >= until)
      throw Trouble("the server started and does not answer: " + why + "\n" + EndOfLog());
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

std::string LocalServer::EndOfLog() const {
  std::ifstream file(LogFile());
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  constexpr size_t kShown = 2000;
  if (text.empty()) return "it said nothing: is there such a program?";
  return text.size() > kShown ? text.substr(text.size() - kShown) : text;
}

bool LocalServer::Kill() {
  const pid_t pid = pid_;
  if (pid == 0 || killed_.exchange(true)) return false;
  ++kills_;
  ::kill(pid, SIGKILL);
  return true;
}

bool LocalServer::dead() {
  if (pid_ != 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = 0;
  return pid_ == 0;
}

void LocalServer::Restart() {
  if (!killed_) throw Trouble("the server ended, and nobody had killed it:\n" + EndOfLog());
  Start();
}

double LocalServer::ProcessorSeconds() const {
  double seconds = 0;
  const auto add = [&](const timeval& time) {
    seconds += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  rusage ended{};
  ::getrusage(RUSAGE_CHILDREN, &ended);
  add(ended.ru_utime);
  add(ended.ru_stime);
  if (pid_ == 0) return seconds;
  std::ifstream file("/proc/" + std::to_string(pid_) + "/stat");
  std::string line;
  std::getline(file, line);
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return seconds;
  // Behind the name: the state, and eleven numbers before utime and stime.
  std::istringstream rest(line.substr(name_end + 2));
  std::string skipped;
  for (int i = 0; i < 11 && rest >> skipped; ++i) continue;
  uint64_t user = 0;
  uint64_t system = 0;
  rest >> user >> system;
  return seconds + static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace sluice::flash_sale
