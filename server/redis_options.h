// Options of Redis that Sluice does not have: what becomes of a redis.conf that names them.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sluice {

// One option of Redis 7.0 (or an older name of one).
struct RedisOption {
  std::string_view name;
  // Values with which it makes no difference here, so that it is taken with a warning: "*" for every value,
  // else a list
  // ("no|0"), which may be empty. Any other value is refused, because somebody counts on what it does.
  std::string_view harmless;
  std::string_view advice;  // why it makes no difference, or what to do instead; one sentence, no full stop
};

// Sorted by name; lives as long as the program. Options of ours are not among them.
std::span<const RedisOption> RedisOptions();
// The row of `name` (any case), or null.
const RedisOption* FindRedisOption(std::string_view name);

// True where `option` with these values changes nothing here.
bool MakesNoDifference(const RedisOption& option, std::span<const std::string> values);
// "replicaof: Sluice does not have this option of Redis: <advice>"
std::string Refusal(const RedisOption& option);

// docs/redis-options.md.
std::string RedisOptionsText();

}  // namespace sluice
