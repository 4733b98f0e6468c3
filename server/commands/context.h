// What a handler sees, and the two things it may do beyond replying: record, and block.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

#include "protocol/reply_writer.h"
#include "protocol/request.h"
#include "server/commands/entry_head.h"
#include "server/commands/errors.h"
#include "server/commands/host.h"
#include "server/commands/session.h"
#include "server/engine/engine.h"
#include "server/engine/event.h"
#include "server/engine/journal.h"
#include "storage/cold_reads.h"
#include "storage/log.h"

namespace sluice::commands {

struct Command;
struct Diagnostics;
struct ServerStatistics;
class Dispatcher;
class Subscriptions;

// A call that finds nothing yet and is willing to wait.
struct BlockRequest {
  std::span<const std::string_view> keys = {};  // wakes when one of them changes
  // It waits for the end of a checkpoint, and for no key.
  bool for_checkpoint = false;
  // Callers of one group are served in turn, and none after the first that finds nothing; empty: each is
  // asked.
  std::string_view group = {};
  // It may find what a caller of its group before it does not (CLAIM): it is asked all the same.
  bool claims = false;
  // The unix time at which it may find something though no key changes; nullopt: never.
  std::optional<uint64_t> retry_at_ms = std::nullopt;
  uint64_t timeout_ms = 0;  // 0: for ever
  // The request to execute when one of the keys changes; with "$" resolved.
  std::span<const std::string_view> args = {};
};

class Context {
 public:
  virtual ~Context() = default;

  const protocol::Request& request;
  const engine::Engine& engine;
  protocol::ReplyWriter& reply;
  Session& session;
  Host& host;
  const Time& now;
  const Command& command;
  EntryHead& new_ids;  // the text of IDs that are given, one behind the other
  const bool retried;  // the call has waited, and a key that it waits for has changed

  size_t argc() const { return request.size(); }
  std::string_view arg(size_t i) const { return request[i]; }

  // What lives at `key` in the session's database, or in another one.
  const engine::Object* Find(std::string_view key) const { return Find(session.db, key); }
  const engine::Object* Find(uint8_t db, std::string_view key) const {
    const engine::Object* object = engine.Find(db, key);
    // Due keys are removed before a handler runs. On a full disk they stay, and nobody may see them.
    const bool hit = object != nullptr && !object->IsDue(now.unix_ms());
    ++(hit ? hits_ : misses_);
    return hit ? object : nullptr;
  }

  // The entry at `place`. nullopt where what the log's file holds of it is damaged: then the call is answered
  // with an error that names file and offset, whatever it replies besides, and it cannot record any more. Or
  // where it is not in memory: then the call runs again later, from its start, and until then it has replied
  // nothing and can record nothing. Let it go on until reads_on() is false: what else it asks for meanwhile
  // is brought in too.
  std::optional<engine::EntryView> Read(storage::Place place) {
    const engine::EntryLook look = engine::LookAtEntry(place, cold_reads_);
    switch (look.state) {
      case storage::RecordState::kSound:
        return engine::ReadEntry(look.event);
      case storage::RecordState::kDamaged:
        if (!damaged_) damaged_ = place;
        break;
      case storage::RecordState::kAway:
        break;
    }
    return std::nullopt;
  }
  bool reads_on() const { return !damaged_.has_value() && !cold_reads_.full(); }

  // As Stream's own, for what a client is shown. They find nothing more where an index is not in memory: the
  // call runs again later then.
  template <typename Visit>
  void Scan(const engine::Stream& stream, engine::StreamId from, engine::StreamId to, Visit&& visit) {
    stream.Scan(from, to, visit, &cold_reads_);
  }
  template <typename Visit>
  void ScanBack(const engine::Stream& stream, engine::StreamId from, engine::StreamId to, Visit&& visit) {
    stream.ScanBack(from, to, visit, &cold_reads_);
  }
  std::optional<storage::Place> Find(const engine::Stream& stream, engine::StreamId id) {
    return stream.CanFind(id, cold_reads_) ? stream.Find(id) : std::nullopt;
  }

  // Records `events` as one record and applies them: all of the command's changes, decided before the first
  // of them acts. False where the log has no room, or an entry was found damaged: nothing has changed, the
  // error stands instead of whatever this command has replied so far, and the handler returns. False, too,
  // where the call will run again because something was not in memory.
  [[nodiscard]] virtual bool Record(std::span<engine::Event> events) = 0;
  [[nodiscard]] bool Record(std::initializer_list<engine::Event> events) {
    engine::Event list[8];
    size_t count = 0;
    for (const engine::Event& event : events) list[count++] = event;
    return Record(std::span(list, count));
  }

  // Instead of a reply. Within EXEC, and for a timeout, the reply is a null array.
  virtual void Block(const BlockRequest& block) = 0;

  // A consumer has looked, without an event to tell it.
  virtual void Touch(engine::ObjectId stream, uint32_t group, uint32_t consumer) = 0;

  // Whether `user` (a hash of the name) may try to buy `item`, at `rate` tries in `span_ms`; counts the try.
  [[nodiscard]] virtual bool MayTry(engine::ObjectId item, uint64_t user, uint64_t rate,
                                    uint64_t span_ms) = 0;
  // Somebody tried to buy, with that answer (SaleStatistics).
  virtual void CountTry(engine::ObjectId item, size_t code) = 0;
  // The item's stock was changed by what was just recorded; `available` pieces were there before. Tells those
  // who listen where nothing is left, or something is again.
  virtual void StockChanged(engine::ObjectId item, uint64_t available) = 0;

  // EXEC: executes each queued request in turn, as one record, and replies the array of their replies. Where
  // the log has no room nothing is executed, and the error is the reply.
  virtual void ExecuteAll(const Transaction& transaction) = 0;
  // WATCH and its end.
  virtual void Watch(std::string_view key) = 0;
  virtual void Unwatch() = 0;
  // CLIENT UNBLOCK: answers a call that waits, as a timeout would or with an error. False where none waits.
  virtual bool Unblock(Session& blocked, bool with_error) = 0;

  // Asks for a checkpoint of the state as it is after this command.
  virtual void RequestCheckpoint(engine::CheckpointReason reason) = 0;
  virtual const engine::Journal& journal() const = 0;
  const storage::Log& log() const { return journal().log(); }

  // PUBLISH: sends `message` to those who listen to `channel`, once what this command (and EXEC around it)
  // records is committed; how many it is sent to. A handler that publishes because of a change records it
  // first.
  virtual size_t Publish(std::string_view channel, std::string_view message) = 0;
  virtual Subscriptions& subscriptions() = 0;
  // MONITOR: the session is shown every command from now on, until RESET.
  virtual void Monitor() = 0;
  // RESET: as far as the dispatcher knows the session, it is new.
  virtual void Forget() = 0;
  // CLIENT PAUSE: holds back requests (`all`, or only writes) until then. A pause that is on is only ever
  // made longer and wider. And its end.
  virtual void Pause(uint64_t until_monotonic_ms, bool all) = 0;
  virtual void Unpause() = 0;
  virtual size_t monitors() const = 0;
  // True within EXEC: what would wait, or speak later, is refused.
  virtual bool in_exec() const = 0;

  // CONFIG SET has changed something.
  virtual void SettingsChanged() = 0;

  virtual Diagnostics& diagnostics() = 0;
  const ServerStatistics& statistics();

 protected:
  storage::ColdReads& cold_reads_;
  std::optional<storage::Place> damaged_;  // the first entry that was found so

  Context(const protocol::Request& r, const engine::Engine& e, storage::ColdReads& cold,
          protocol::ReplyWriter& w, Session& s, Host& h, const Time& t, const Command& c, EntryHead& ids,
          bool again)
      : request(r),
        engine(e),
        reply(w),
        session(s),
        host(h),
        now(t),
        command(c),
        new_ids(ids),
        retried(again),
        cold_reads_(cold) {}

  mutable uint32_t hits_ = 0;  // of Find()
  mutable uint32_t misses_ = 0;
};

}  // namespace sluice::commands
