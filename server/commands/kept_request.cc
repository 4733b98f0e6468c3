#include "server/commands/kept_request.h"

#include <cstring>

namespace sluice::commands {
namespace {

size_t SizeOfNumber(size_t number) {
  size_t bytes = 1;
  for (; number >= 0x80; number >>= 7) ++bytes;
  return bytes;
}

char* PutNumber(char* to, size_t number) {
  for (; number >= 0x80; number >>= 7) *to++ = static_cast<char>(number | 0x80);
  *to++ = static_cast<char>(number);
  return to;
}

size_t TakeNumber(const char*& from) {
  size_t number = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(*from++);
    number |= static_cast<size_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return number;
  }
}

}  // namespace

KeptRequest::KeptRequest(std::span<const std::string_view> args) {
  size_t size = SizeOfNumber(args.size());
  for (std::string_view arg : args) size += SizeOfNumber(arg.size()) + arg.size();
  bytes_.reset(new char[size]);
  char* to = PutNumber(bytes_.get(), args.size());
  for (std::string_view arg : args) {
    to = PutNumber(to, arg.size());
    if (!arg.empty()) std::memcpy(to, arg.data(), arg.size());
    to += arg.size();
  }
}

void KeptRequest::Unpack(std::vector<std::string_view>& args) const {
  args.clear();
  if (bytes_ == nullptr) return;
  const char* from = bytes_.get();
  for (size_t count = TakeNumber(from); count != 0; --count) {
    const size_t size = TakeNumber(from);
    args.emplace_back(from, size);
    from += size;
  }
}

size_t KeptRequest::memory_bytes() const {
  if (bytes_ == nullptr) return 0;
  const char* from = bytes_.get();
  for (size_t count = TakeNumber(from); count != 0; --count) {
    const size_t size = TakeNumber(from);
    from += size;
  }
  return static_cast<size_t>(from - bytes_.get());
}

}  // namespace sluice::commands
