// Telling systemd how the server does: its notification protocol (sd_notify(3)), a few words in one datagram.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::admin {

// Does nothing where nobody listens (no NOTIFY_SOCKET in the environment). A lost word is no failure of the
// server's, so none is reported.
class ServiceNotifier {
 public:
  // Takes the address from the environment, and the interval that a watchdog (WatchdogSec=) wants, if it is
  // meant for this process. Removes both from the environment: no child is to speak for us.
  static ServiceNotifier FromEnvironment();

  ServiceNotifier() = default;
  ~ServiceNotifier();
  ServiceNotifier(ServiceNotifier&& other) noexcept;
  ServiceNotifier& operator=(ServiceNotifier&& other) noexcept;

  bool listening() const { return fd_ >= 0; }
  // Clients can connect. `status` is shown by `systemctl status`.
  void Ready(const std::string& status) { Send("READY=1\nSTATUS=" + status); }
  void Stopping() { Send("STOPPING=1\nSTATUS=stopping: everything recorded is made durable"); }
  // To be called often; says that the loop turns, twice in the watchdog's interval.
  void Beat(uint64_t monotonic_ms);

 private:
  void Send(std::string_view words);

  int fd_ = -1;
  std::string address_;         // a path, or '@' and an abstract name
  uint64_t beat_every_ms_ = 0;  // 0: no watchdog
  uint64_t last_beat_ms_ = 0;
};

}  // namespace sluice::admin
