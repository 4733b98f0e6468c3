// A request as it came over the wire: arguments as views, and the wire bytes behind them.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace sluice::protocol {

// The arguments of one command, as views into the buffer that was parsed (or, for an inline command, into
// the parser). Valid until the parser's next Parse() or until that buffer changes, whichever comes first.
//
// Every argument stands in its buffer as a canonical RESP bulk string, "$<length>\r\n<bytes>\r\n", and the
// arguments stand one behind the other: that is what Raw() relies on.
class Request {
 public:
  Request() = default;
  explicit Request(std::span<const std::string_view> args) : args_(args) {}

  // How many arguments, the command's name included. At least 1 for a parsed request.
  size_t size() const { return args_.size(); }
  std::string_view operator[](size_t i) const { return args_[i]; }
  std::span<const std::string_view> args() const { return args_; }

  // The wire bytes of the arguments [first, last): "$5\r\nprice\r\n$2\r\n42\r\n". Requires
  // 1 <= first <= last <= size(); an empty run gives an empty view.
  std::string_view Raw(size_t first, size_t last) const {
    if (first == last) return {};
    const char* begin = args_[first - 1].data() + args_[first - 1].size() + 2;
    const char* end = args_[last - 1].data() + args_[last - 1].size() + 2;
    return {begin, static_cast<size_t>(end - begin)};
  }

 private:
  std::span<const std::string_view> args_;
};

}  // namespace sluice::protocol
