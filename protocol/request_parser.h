// Bytes -> requests. Incremental: bytes may arrive split anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/request.h"

namespace sluice::protocol {

// What a peer may send. What is beyond a limit is a protocol error with Redis's own text.
struct RequestLimits {
  size_t max_args = size_t{1024} * 1024;             // "Protocol error: invalid multibulk length"
  size_t max_bulk_bytes = size_t{64} * 1024 * 1024;  // "Protocol error: invalid bulk length"
  // "Protocol error: too big inline request"; also of a line that should be a number and does not end:
  // "Protocol error: too big mbulk count string", "Protocol error: too big bulk count string"
  size_t max_inline_bytes = size_t{64} * 1024;
};

// The limits that Redis applies before AUTH: 10 arguments of 16 KiB
// ("Protocol error: unauthenticated multibulk length", "Protocol error: unauthenticated bulk length").
inline constexpr size_t kUnauthenticatedMaxArgs = 10;
inline constexpr size_t kUnauthenticatedMaxBulkBytes = size_t{16} * 1024;

// Multibulk requests ("*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n") are not copied: their arguments are views into the
// input. Anything that does not begin with '*' is an inline command: a line of words
// (protocol/inline_word.h), which is encoded into a buffer of the parser's own, so that a Request always
// looks the same.
//
// Stricter than Redis where looseness would let bytes through that Redis skips unread: a line ends in "\r\n",
// and so does a bulk, because a request's wire bytes are stored as they are. More lenient in one place: a NUL
// in an inline command is a byte like any other.
class RequestParser {
 public:
  enum class Status {
    kRequest,   // request() is whole; consumed() bytes of the input belong to it
    kNeedMore,  // the input ends inside a request: call again with the same bytes and more behind them
    kEmpty,     // consumed() bytes held no request (an empty line, "*0\r\n", "*-2\r\n"): nothing to answer
    kError,     // the peer does not speak RESP: error() is the text without "-ERR "; close after it
  };

  explicit RequestParser(const RequestLimits& limits = {}) : limits_(limits) {}
  // request() views into the parser.
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Parses the first request of `input`, which begins where the last request ended. After kNeedMore the
  // next input must begin with the same bytes (it may have moved in memory): scanning resumes where it
  // stopped, so feeding byte by byte costs no more than feeding the whole. Memory grows only with bytes
  // received, and what an unusually large request took is given back by the next one.
  //
  // How the bytes were split never changes what is found. After kError consumed() is 0 and the parser stands
  // at the beginning again.
  Status Parse(std::string_view input);

  // Only after kRequest, and until the next Parse().
  const Request& request() const { return request_; }
  // After kRequest and kEmpty; 0 otherwise.
  size_t consumed() const { return consumed_; }
  // Only after kError.
  const std::string& error() const { return error_; }

  // How many bytes the input must have at least before the request can be whole; 0 where not known.
  // Lets a connection size its buffer once for a large bulk. It is what the peer announces, not what it sent:
  // a connection that reserves so much before a byte of it came should bound how much it believes.
  size_t bytes_needed() const;

  void set_limits(const RequestLimits& limits) { limits_ = limits; }
  // The stricter limits hold while `authenticated` is false.
  void set_authenticated(bool authenticated) { authenticated_ = authenticated; }

 private:
  // An argument as a place in its buffer, since the buffer may move before the request is whole.
  struct Place {
    size_t offset;
    size_t length;
  };
  static constexpr size_t kNoBulk = static_cast<size_t>(-1);
  static constexpr size_t kNotFound = static_cast<size_t>(-1);

  Status ParseInline(std::string_view input);
  Status ParseCount(std::string_view input);
  Status ParseArguments(std::string_view input);
  Status NoInteger(std::string_view input, std::string_view malformed, std::string_view too_long);
  size_t FindInLine(std::string_view input, char wanted);
  bool LineIsTooLong(std::string_view input) const;
  Status Finish(const char* base, size_t consumed);
  Status Empty(size_t consumed);
  Status Fail(std::string_view text);
  void StartOver();
  void GiveBackMemory();

  RequestLimits limits_;
  bool authenticated_ = true;
  Request request_;
  size_t consumed_ = 0;
  std::string error_;

  // Where scanning resumes, as offsets into the input. Between requests all of it is as it is here.
  size_t position_ = 0;           // the first byte that is not parsed yet
  size_t scanned_ = 0;            // up to here there is no end of the line that begins at position_
  size_t missing_ = 0;            // arguments still to come; 0 before the count is known
  size_t bulk_length_ = kNoBulk;  // of the bulk whose bytes begin at position_, once its header is read

  std::vector<Place> places_;           // of the arguments so far
  std::vector<std::string_view> args_;  // request_ shows the first of them; the rest are from longer requests
  std::string inline_args_;             // an inline command's arguments as bulk strings
  std::string word_;                    // the inline word in work
};

}  // namespace sluice::protocol
