// Whatever a record's body holds, reading it gives events or says that it is malformed; events that were read
// can be written again, are then the same, and can be shown; and the index sees the entries that the reader
// sees.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/engine/event_codec.h"
#include "server/engine/event_text.h"
#include "server/engine/indexer.h"

namespace {

using namespace sluice;
using namespace sluice::engine;

void Require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", promise);
  std::abort();
}

std::string Encoded(const Event& event) {
  std::string bytes(EncodedSize(event), '\0');
  Require(Encode(event, bytes.data()) == bytes.data() + bytes.size(), "an event is as long as it says");
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // In memory of its own, so that the sanitizer sees a view that reaches too far.
  const auto memory = std::make_unique<char[]>(size);
  std::copy_n(data, size, memory.get());
  const std::string_view body(memory.get(), size);

  EventReader reader(body);
  KeyNames names;
  size_t read = 0;
  while (const std::optional<Event> event = reader.Next()) {
    Require(reader.offset() == read, "an event begins where the one before ended");
    const std::string bytes = Encoded(*event);
    read += bytes.size();
    Require(read <= size, "events stay inside the body");
    Require(body.substr(reader.offset(), bytes.size()) == bytes, "an event stands in one way only");
    names.Note(*event);
    Require(EventText(*event, names, 40).find('\n') == std::string::npos, "an event is shown on one line");
  }
  Require(!reader.ok() || read == size, "a body is read to its end, or refused");

  storage::IndexSink sink;
  VisitEntries(body, sink);
  return 0;
}
