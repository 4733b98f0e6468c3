// Fields of a reply that is a map: a name, and what it is.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/reply_writer.h"

namespace sluice::commands {

inline void WriteField(protocol::ReplyWriter& reply, std::string_view name, uint64_t value) {
  reply.Bulk(name);
  reply.Integer(static_cast<int64_t>(value));
}

inline void WriteField(protocol::ReplyWriter& reply, std::string_view name, std::string_view value) {
  reply.Bulk(name);
  reply.Bulk(value);
}

}  // namespace sluice::commands
