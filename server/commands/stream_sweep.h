// What streams lose by themselves: entries that are too old, or more than they may take, and what they knew
// of their producers for too long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "server/commands/host.h"
#include "server/engine/engine.h"
#include "server/engine/event.h"

namespace sluice::commands {

// Once a second a round begins over the streams that have something to lose, which may be all of them: it
// looks at each and decides. In slices, and with a share of the time that is small however many streams there
// are: so a round over very many takes longer than a second.
class StreamSweep {
 public:
  // The server's options, for streams without limits of their own. Of entries; 0: no limit.
  struct Limits {
    uint64_t ms = 0;
    uint64_t bytes = 0;
    uint64_t producer_seconds = 100;  // for which a producer's message is known

    bool any() const { return ms != 0 || bytes != 0; }
    friend bool operator==(const Limits&, const Limits&) = default;
  };

  // Whether there is something to look at now. `limits` hold for streams without their own.
  bool BeginSlice(const engine::Engine& engine, const Limits& limits, const Time& now);
  // The next loss that is due: to be recorded before the next call. nullopt: this slice is over.
  std::optional<engine::Event> Next(const engine::Engine& engine);
  // Whether another slice may follow at once.
  bool has_more() const { return in_round_ && allowance_ > 0; }

  // The log has no room for it: the next round tries again.
  void GiveUp() { in_round_ = false; }

 private:
  void BeginRound();
  const engine::Object* NextStream(const engine::Engine& engine);
  std::optional<engine::Event> LossOf(const engine::Object& object);
  std::optional<engine::Event> TrimOf(const engine::Object& object);
  std::optional<engine::Event> OblivionOf(const engine::Object& object);
  void Leave();

  Limits limits_;
  uint64_t now_ms_ = 0;  // unix

  uint64_t next_round_ms_ = 0;  // monotonic
  uint64_t period_end_ms_ = 0;  // likewise: then there is a new allowance
  size_t allowance_ = 0;        // of steps
  size_t slice_ = 0;            // steps left in it

  bool in_round_ = false;
  bool all_ = false;  // over every slot, not only over streams with limits of their own
  size_t slot_ = 0;   // looked at next, with all_
  engine::ObjectId stream_ = engine::kNoObject;       // being looked at
  engine::ObjectId last_stream_ = engine::kNoObject;  // looked at last
  engine::SizeWalk walk_;                             // of stream_
  bool counting_ = false;                             // walk_ has not come to its end
};

}  // namespace sluice::commands
