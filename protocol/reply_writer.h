// Values -> reply bytes, in RESP2 or RESP3.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "protocol/wire.h"

namespace sluice::protocol {

enum class Version : uint8_t { kResp2 = 2, kResp3 = 3 };

// Appends replies to a byte string that the caller owns. Aggregates are announced by their length, then
// their elements are written. Where RESP2 lacks a type it gets what Redis sends instead (named at each
// function).
class ReplyWriter {
 public:
  ReplyWriter(std::string& out, Version version) : out_(out), version_(version) {}

  Version version() const { return version_; }
  void set_version(Version version) { version_ = version; }

  void Simple(std::string_view text);  // +text; CR and LF become spaces
  void Ok() { out_.append("+OK\r\n"); }
  // -text. A text that does not begin with '-' gets "ERR " before it; one that does ("-WRONGTYPE ...") keeps
  // its own code. CR and LF become spaces, so nothing that is echoed can forge a reply.
  void Error(std::string_view text);
  void Integer(int64_t value);
  void Bulk(std::string_view bytes);
  void BulkInteger(int64_t value);  // the decimal text as a bulk string
  void Null() { out_.append(resp3() ? "_\r\n" : "$-1\r\n"); }
  void NullArray() { out_.append(resp3() ? "_\r\n" : "*-1\r\n"); }
  void Array(size_t elements) { Line('*', elements); }
  void Map(size_t pairs);                                              // RESP2: an array of 2 x pairs
  void Set(size_t elements) { Line(resp3() ? '~' : '*', elements); }   // RESP2: an array
  void Push(size_t elements) { Line(resp3() ? '>' : '*', elements); }  // RESP2: an array
  // RESP2: a bulk string. The shortest form that reads back the same; integral values without exponent or
  // point as far as a double counts exactly; inf, -inf, nan.
  void Double(double value);
  void BigNumber(std::string_view digits);  // RESP2: a bulk string
  void Boolean(bool value);                 // RESP2: 1 or 0
  // `format` has 3 letters: txt, mkd. RESP2: a bulk string of `text` alone.
  void Verbatim(std::string_view format, std::string_view text);
  void Raw(std::string_view wire) { out_.append(wire); }  // already RESP: stored fields
  void Raw(const AlteredBytes& wire) {
    const size_t begin = out_.size();
    out_.append(wire.bytes);
    out_[begin + wire.at] = wire.byte;
  }
  // What `write` writes at the pointer that it is given, which has room for `room` bytes; it returns their
  // end.
  template <typename Write>
  void InPlace(size_t room, Write write) {
    const size_t begin = out_.size();
    out_.resize(begin + room);
    out_.resize(static_cast<size_t>(write(out_.data() + begin) - out_.data()));
  }

  // For an aggregate whose length is known only after its elements: begin it, write the elements, then say
  // how many there were and where it began. What was written since is moved where that number has more or
  // fewer digits than the one that was expected.
  size_t BeginArray(size_t expected = 0) { return Begin('*', expected); }
  void EndArray(size_t begin, size_t elements) { End(begin, '*', elements); }
  size_t BeginMap(size_t expected = 0) { return resp3() ? Begin('%', expected) : BeginArray(2 * expected); }
  void EndMap(size_t begin, size_t pairs) { resp3() ? End(begin, '%', pairs) : EndArray(begin, 2 * pairs); }

  // Where the next reply will stand.
  size_t Mark() const { return out_.size(); }
  // What was written since `mark`; until the next write.
  std::string_view Since(size_t mark) const { return std::string_view(out_).substr(mark); }
  // Takes back everything since `mark`.
  void Truncate(size_t mark) { out_.resize(mark); }

 private:
  bool resp3() const { return version_ == Version::kResp3; }
  void Line(char type, size_t number) {
    InPlace(kMaxLine, [=](char* out) { return WriteLine(out, type, number); });
  }
  size_t Begin(char type, size_t expected) {
    const size_t begin = Mark();
    Line(type, expected);
    return begin;
  }
  void End(size_t begin, char type, size_t number);
  void AppendOneLine(std::string_view text);

  std::string& out_;
  Version version_;
};

inline void ReplyWriter::Bulk(std::string_view bytes) {
  // A short bulk is put together first: one growth check of the output instead of three.
  constexpr size_t kShort = 64;
  if (bytes.size() <= kShort)
    return InPlace(kBulkFrame + kShort, [=](char* out) { return WriteBulk(out, bytes); });
  Line('$', bytes.size());
  out_.append(bytes);
  out_.append("\r\n", 2);
}

}  // namespace sluice::protocol
