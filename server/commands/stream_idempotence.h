// Idempotent production: a message that a producer sends again is not appended again.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/commands/context.h"
#include "server/commands/stream_references.h"

namespace sluice::commands {

// Who sends a message, and what he calls it.
struct MessageName {
  std::string_view producer;
  std::string_view message;  // empty with IDMPAUTO: made of the message's fields
  std::string made;
};

// Reads "IDMPAUTO producer" or "IDMP producer message" at argument `i`, which is then the last that was read.
// nullopt: the error is replied.
std::optional<MessageName> ParseMessageName(Context& ctx, size_t& i);

// The name that IDMPAUTO gives a message: 16 bytes, the same for the same pairs of field and value in any
// order.
std::string NameOfPairs(const protocol::Request& request, size_t fields_at);

class Idempotence {
 public:
  // `object` is null where the stream is yet to be created, as `id`.
  Idempotence(Context& ctx, const engine::Object* object, engine::ObjectId id);

  // True where the message is known (the reply is its entry's ID), or where the log is full: all is said
  // then.
  bool AnswerDuplicate(MessageName& name, size_t fields_at);
  // Decides to remember the message, which becomes `entry`. The event points into `name`.
  void Remember(const MessageName& name, engine::StreamId entry, Events& events) const;

 private:
  // Until when messages are too old to be known; nullopt: none is.
  std::optional<uint64_t> TooOld() const;

  Context& ctx_;
  const engine::Stream* stream_;
  engine::ObjectId id_;
};

// The limits that hold for a stream: its own, or the server's.
uint64_t ProducerSeconds(const Context& ctx, const engine::Stream* stream);
uint64_t ProducerMessages(const Context& ctx, const engine::Stream* stream);

}  // namespace sluice::commands
