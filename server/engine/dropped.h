// What is no state any more, but still takes memory.
#pragma once

#include <cstddef>
#include <memory>
#include <variant>

#include "server/engine/keyspace.h"
#include "server/engine/object.h"

namespace sluice::engine {

// A thing may be large: ten million entries in one stream's pending list. It is taken apart in pieces, each
// about what one call of free() costs, so that nobody waits for the whole.
using Dropped =
    std::variant<Object, std::unique_ptr<ConsumerGroup>, std::unique_ptr<ProducerTable>, Keyspace::Remains>;

// Frees up to `pieces` pieces, of which those that it does not use are left. True where more is to do; else
// `dropped` is small enough to be destroyed at once.
bool FreeSome(Dropped& dropped, size_t& pieces);

}  // namespace sluice::engine
