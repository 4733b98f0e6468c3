// Whatever the bytes are and however they are split, the parser must say the same, stay inside them and keep
// its promises about what it says. The first two bytes of the input choose the limits and the pieces; the
// rest is wire.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/request_parser.h"

namespace {

using sluice::protocol::Request;
using sluice::protocol::RequestLimits;
using sluice::protocol::RequestParser;
using Status = RequestParser::Status;

void Require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", promise);
  std::abort();
}

struct Settings {
  RequestLimits limits;
  bool authenticated;
};

Settings SettingsFrom(uint8_t choice) {
  Settings settings{{}, (choice & 1) == 0};
  if ((choice & 2) != 0) settings.limits = {.max_args = 8, .max_bulk_bytes = 64, .max_inline_bytes = 24};
  return settings;
}

// What a request is to the rest of the server: its arguments behind each other as canonical bulk strings.
std::string Encode(const Request& request) {
  std::string wire;
  for (const std::string_view arg : request.args()) {
    wire += "$" + std::to_string(arg.size()) + "\r\n";
    wire += arg;
    wire += "\r\n";
  }
  return wire;
}

void CheckRequest(const Request& request, std::string_view input, size_t consumed,
                  const RequestLimits& limits) {
  Require(request.size() >= 1, "a request has an argument");
  const std::string encoded = Encode(request);
  const size_t first = encoded.size() - request.Raw(1, request.size()).size();
  Require(encoded.substr(first) == request.Raw(1, request.size()), "Raw() is the arguments as bulk strings");
  for (size_t i = 1; i < request.size(); ++i) {
    Require(request.Raw(i, i).empty(), "an empty run is empty");
    Require(request.Raw(i, i + 1).find(request[i]) != std::string_view::npos, "Raw() holds its argument");
  }
  if (input.front() != '*') {
    Require(consumed <= limits.max_inline_bytes + 1, "an inline command keeps its limit");
    return;
  }
  const std::string head = "*" + std::to_string(request.size()) + "\r\n";
  Require(head + encoded == input.substr(0, consumed), "a multibulk request is what was consumed");
  Require(request[0].data() == input.data() + (consumed - encoded.size()) + encoded.find('\n') + 1,
          "a multibulk argument is a view into the input");
  Require(request.size() <= limits.max_args, "a request keeps its limit");
  for (const std::string_view arg : request.args()) {
    Require(arg.size() <= limits.max_bulk_bytes, "an argument keeps its limit");
  }
}

// Everything that was found, as one text. Each call gets a buffer of its own that ends with the last byte: a
// view that is kept too long or reaches too far is seen by the address sanitizer.
std::string Parse(std::string_view wire, const Settings& settings, size_t piece) {
  RequestParser parser(settings.limits);
  parser.set_authenticated(settings.authenticated);
  std::string found;
  size_t done = 0;
  size_t there = std::min(piece, wire.size());
  for (;;) {
    const size_t size = there - done;
    const auto buffer = std::make_unique<char[]>(size);
    wire.copy(buffer.get(), size, done);
    const std::string_view input(buffer.get(), size);
    const Status status = parser.Parse(input);
    const size_t consumed = parser.consumed();
    switch (status) {
      case Status::kRequest:
        CheckRequest(parser.request(), input, consumed, settings.limits);
        found += "request " + std::to_string(parser.request().size()) + " " + Encode(parser.request());
        break;
      case Status::kEmpty:
        found += "empty ";
        break;
      case Status::kError:
        Require(consumed == 0, "an error consumes nothing");
        Require(parser.error().starts_with("Protocol error: "), "an error says what it is");
        Require(parser.error().find_first_of("\r\n") == std::string::npos, "an error is one line");
        return found + parser.error();
      case Status::kNeedMore:
        Require(consumed == 0, "half a request consumes nothing");
        Require(parser.bytes_needed() == 0 || parser.bytes_needed() > size,
                "what is needed is not there yet");
        if (there == wire.size()) return found + "needs more behind " + std::to_string(done);
        there += std::min(piece, wire.size() - there);
        continue;
    }
    Require(consumed >= 1 && consumed <= size, "what was consumed was there");
    done += consumed;
    found += std::to_string(consumed) + "\n";
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const Settings settings = SettingsFrom(data[0]);
  const size_t piece = 1 + data[1] % 37;
  const std::string_view wire(reinterpret_cast<const char*>(data) + 2, size - 2);

  const std::string whole = Parse(wire, settings, wire.size());
  Require(Parse(wire, settings, piece) == whole, "how bytes are split changes nothing");
  Require(Parse(wire, settings, 1) == whole, "feeding byte by byte changes nothing");
  return 0;
}
