// A request that waits, in as few bytes as it takes.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace sluice::commands {

// Keeps the arguments only, one behind the other, each with its length in front (seven bits a byte, the
// lowest first): about half of what their RESP form takes. So there is no Request::Raw() of them.
class KeptRequest {
 public:
  KeptRequest() = default;
  explicit KeptRequest(std::span<const std::string_view> args);

  // Replaces `args` by the arguments: views that live as long as this request.
  void Unpack(std::vector<std::string_view>& args) const;
  // What it holds. O(arguments): for those who look at clients, not for each request.
  size_t memory_bytes() const;

 private:
  std::unique_ptr<char[]> bytes_;  // how many arguments, then them
};

}  // namespace sluice::commands
