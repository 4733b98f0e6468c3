// What OBJECT ENCODING says of a value.
#pragma once

#include <string_view>

#include "server/engine/object.h"

namespace sluice::commands {

// Under the names that a client of Redis knows: "int", "embstr", "raw", "stream"; ours: "seckill".
std::string_view EncodingOf(const engine::Object& object);

}  // namespace sluice::commands
