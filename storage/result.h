// Expected failures as values.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace sluice::storage {

struct Error {
  enum class Code : uint8_t {
    kIo,       // the device or the kernel said no: final
    kCorrupt,  // bytes that were durable do not verify: refuse to start, name file and offset
    kFull,     // no space, seen before anything was recorded: may pass
    kInUse,    // another server has the store open
    kInvalid,  // an option or a path that cannot work
  };
  Code code;
  std::string message;  // one line for an operator; names file and offset where there are any
};

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> Fail(Error::Code code, std::string message) {
  return tl::make_unexpected(Error{code, std::move(message)});
}
inline tl::unexpected<Error> Corrupt(std::string message) {
  return Fail(Error::Code::kCorrupt, std::move(message));
}
// `what` is wrong at `offset` of the file `path`.
inline tl::unexpected<Error> CorruptAt(const std::string& path, uint64_t offset, const std::string& what) {
  return Corrupt(path + ", offset " + std::to_string(offset) + ": " + what);
}

}  // namespace sluice::storage
