#include "tests/harness/socket_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>

#include "tests/harness/deadline.h"

namespace sluice::tests {

std::string EncodeRequest(const std::vector<std::string>& words) {
  std::string wire = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) {
    wire.append("$").append(std::to_string(word.size())).append("\r\n").append(word).append("\r\n");
  }
  return wire;
}

SocketClient::~SocketClient() {
  Close();
}

void SocketClient::Close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  received_.clear();
}

bool SocketClient::Connect(uint16_t port, const std::string& host) {
  Close();
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  const bool connected = ::inet_pton(AF_INET, host.c_str(), &address.sin_addr) == 1 &&
                         ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  if (!connected) {
    Close();
    return false;
  }
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  ::fcntl(fd_, F_SETFL, O_NONBLOCK);
  return true;
}

bool SocketClient::Send(const std::vector<std::string>& words) {
  return SendBytes(EncodeRequest(words));
}

size_t SocketClient::TrySendBytes(std::string_view bytes) {
  const ssize_t sent = fd_ < 0 ? -1 : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return sent > 0 ? static_cast<size_t>(sent) : 0;
}

bool SocketClient::SendBytes(std::string_view bytes) {
  const Deadline deadline(kPatience);
  while (!bytes.empty()) {
    if (fd_ < 0) return false;
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (sent < 0 && errno == EAGAIN) {
      pollfd wait{fd_, POLLOUT, 0};
      ::poll(&wait, 1, deadline.left_ms());
      if (deadline.over()) throw std::runtime_error("the server takes no bytes");
    } else if (sent < 0 && errno != EINTR) {
      return false;
    }
  }
  return true;
}

Stage::Heard SocketClient::Receive(int limit_ms) {
  const Deadline deadline{std::chrono::milliseconds(limit_ms)};
  for (;;) {
    Stage::Heard heard;
    size_t consumed = 0;
    switch (ParseReply(received_, heard.reply, consumed)) {
      case ParseStatus::kReply:
        received_.erase(0, consumed);
        heard.outcome = Stage::Outcome::kReply;
        return heard;
      case ParseStatus::kMalformed:
        throw std::runtime_error("not a reply: " + Quoted(received_.substr(0, 200)));
      case ParseStatus::kNeedMore: break;
    }
    if (fd_ < 0) return {Stage::Outcome::kClosed, {}};
    pollfd wait{fd_, POLLIN, 0};
    if (::poll(&wait, 1, deadline.left_ms()) == 0) return {Stage::Outcome::kNothing, {}};
    std::array<char, 65536> bytes;
    const ssize_t got = ::recv(fd_, bytes.data(), bytes.size(), 0);
    if (got > 0) {
      received_.append(bytes.data(), static_cast<size_t>(got));
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      if (!received_.empty()) throw std::runtime_error("closed in the middle of a reply: " + Quoted(received_));
      Close();
      return {Stage::Outcome::kClosed, {}};
    }
  }
}

}  // namespace sluice::tests
