// A client of a few lines that speaks RESP2 and RESP3. hiredis of Debian 12 knows RESP2 only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/harness/stage.h"

namespace sluice::tests {

class SocketClient {
 public:
  SocketClient() = default;
  ~SocketClient();
  SocketClient(const SocketClient&) = delete;
  SocketClient& operator=(const SocketClient&) = delete;

  // False where nobody listens.
  [[nodiscard]] bool Connect(uint16_t port, const std::string& host = "127.0.0.1");
  void Close();
  bool connected() const { return fd_ >= 0; }

  // False where the connection ended. Waits while the peer takes nothing, up to kPatience: then throws.
  bool SendBytes(std::string_view bytes);
  bool Send(const std::vector<std::string>& words);
  // Sends as many of `bytes` as the connection takes now; how many those were. 0 also where it ended.
  size_t TrySendBytes(std::string_view bytes);

  // The next reply; kNothing after `limit_ms`; kClosed where the connection ended. Throws on bytes that are not RESP.
  Stage::Heard Receive(int limit_ms);

 private:
  int fd_ = -1;
  std::string received_;
};

// `words` as a request on the wire.
std::string EncodeRequest(const std::vector<std::string>& words);

}  // namespace sluice::tests
