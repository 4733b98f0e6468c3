#include "server/admin/service_notifier.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <utility>

namespace sluice::admin {
namespace {

std::string TakeVariable(const char* name) {
  const char* value = std::getenv(name);
  std::string text = value != nullptr ? value : "";
  unsetenv(name);
  return text;
}

uint64_t NumberOf(const std::string& text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

}  // namespace

ServiceNotifier ServiceNotifier::FromEnvironment() {
  ServiceNotifier notifier;
  notifier.address_ = TakeVariable("NOTIFY_SOCKET");
  const std::string interval_us = TakeVariable("WATCHDOG_USEC");
  const std::string watched = TakeVariable("WATCHDOG_PID");
  const std::string& address = notifier.address_;
  if (address.size() < 2 || (address[0] != '/' && address[0] != '@')) return notifier;
  if (address.size() >= sizeof(sockaddr_un::sun_path)) return notifier;
  notifier.fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (watched.empty() || NumberOf(watched) == static_cast<uint64_t>(getpid())) {
    notifier.beat_every_ms_ = NumberOf(interval_us) / 2000;
  }
  return notifier;
}

ServiceNotifier::~ServiceNotifier() {
  if (fd_ >= 0) close(fd_);
}

ServiceNotifier::ServiceNotifier(ServiceNotifier&& other) noexcept {
  *this = std::move(other);
}

ServiceNotifier& ServiceNotifier::operator=(ServiceNotifier&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(address_, other.address_);
  beat_every_ms_ = other.beat_every_ms_;
  last_beat_ms_ = other.last_beat_ms_;
  return *this;
}

void ServiceNotifier::Beat(uint64_t monotonic_ms) {
  if (beat_every_ms_ == 0 || monotonic_ms - last_beat_ms_ < beat_every_ms_) return;
  last_beat_ms_ = monotonic_ms;
  Send("WATCHDOG=1");
}

void ServiceNotifier::Send(std::string_view words) {
  if (fd_ < 0) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  address_.copy(to.sun_path, sizeof to.sun_path - 1);
  if (to.sun_path[0] == '@') to.sun_path[0] = '\0';
  const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  // Never waits: systemd reads these at once, or is in trouble of its own.
  static_cast<void>(
      sendto(fd_, words.data(), words.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), bytes));
}

}  // namespace sluice::admin
