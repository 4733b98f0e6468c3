// A reply as a client sees it, and as a person reads it.
//
// The text form looks like redis-cli's and tells every type apart (tests/golden/README.md explains it to authors):
//
//   +OK                simple string          (double) 1.5            RESP3
//   -ERR no such key   error                  (true), (false)         RESP3
//   (integer) 3        integer                (big number) 123        RESP3
//   "text\r\n"         bulk string            (verbatim txt) "text"   RESP3
//   (nil)              null bulk, $-1         (null)                  RESP3's null, _
//   (nilarray)         null array, *-1
//   1) "a"             array                  (empty array), (empty set), (empty map), (empty push)
//   2) 1) "nested"
//   1~ "a"             set                    1# "key" => "value"     map      1> "message"     push
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::tests {

struct Reply {
  enum class Type : uint8_t {
    kSimple,
    kError,
    kInteger,
    kBulk,
    kNullBulk,
    kArray,
    kNullArray,
    kNull,
    kDouble,
    kBoolean,
    kBigNumber,
    kVerbatim,
    kSet,
    kMap,
    kPush,
  };
  Type type = Type::kNull;
  std::string text;             // of everything that is not an aggregate; a verbatim string begins with "txt:"
  std::vector<Reply> elements;  // of an aggregate; a map's keys and values in turn
};

enum class ParseStatus : uint8_t { kReply, kNeedMore, kMalformed };

// Takes the first reply off `bytes`: what it is made of in `reply`, how many bytes it had in `consumed`. A client's
// strictness: a byte that RESP does not allow there is kMalformed.
ParseStatus ParseReply(std::string_view bytes, Reply& reply, size_t& consumed);

// The text form, one line an element, without a final line end.
std::string FormatReply(const Reply& reply);

// `bytes` between double quotes; what cannot be printed becomes \r, \n, \t or \xHH.
std::string Quoted(std::string_view bytes);

}  // namespace sluice::tests
