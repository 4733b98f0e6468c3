// The stage in memory: parser, dispatcher, engine and log over a file system that loses power on request. No
// sockets, no disk, and a clock that stands still between two `advance`s.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "protocol/request_parser.h"
#include "server/commands/dispatcher.h"
#include "server/commands/session.h"
#include "server/engine/engine.h"
#include "server/engine/journal.h"
#include "storage/memory_file_system.h"
#include "tests/harness/stage.h"
#include "tests/harness/test_host.h"
#include "tests/harness/test_page_cache.h"

namespace sluice::tests {

// Every reply is heard only once it is committed, so after a crash everything that was heard must still hold:
// the stage compares the hash of the state before each crash and reopening with the one after, and throws
// where they differ.
class MemoryStage : public Stage {
 public:
  // How the work that is deferred goes on: as soon as it can, or a little with each request, so that much
  // happens in between.
  struct Pace {
    size_t checkpoint_slice_bytes = 64 << 10;
    bool one_slice_a_tick = false;
    // What is read from a segment's file is not in memory at first. False: it comes only with FetchPages().
    bool fetches_pages = true;
    bool passes_page_cache = true;  // as far as there are buffers
  };

  explicit MemoryStage(const Config& config) : MemoryStage(config, Pace{}) {}
  MemoryStage(const Config& config, Pace pace);
  ~MemoryStage() override;

  Heard Ask(const std::string& client, const std::vector<std::string>& words) override;
  Heard Receive(const std::string& client) override;
  Heard Peek(const std::string& client) override;
  void Advance(uint64_t ms) override;
  void Crash() override;
  void Reopen() override;

  // What calls wait for is brought in, and they run again. False where nothing was to be fetched.
  bool FetchPages();
  TestPageCache& pages() { return pages_; }

  const engine::Engine& engine() const { return *engine_; }
  uint64_t unix_ms() const { return time_.unix_ms(); }
  uint64_t StateHash() const { return engine_->StateHash(); }
  const engine::Journal& journal() const { return *journal_; }
  // As CONFIG SET does.
  void SetDeadPercent(uint32_t percent) { journal_->compactor().set_dead_percent(percent); }
  storage::MemoryFileSystem& files() { return files_; }

 private:
  struct Client {
    commands::Session* session = nullptr;  // null: not connected
    protocol::RequestParser parser;
    std::string received;
    bool ended = false;  // the server closed the connection, and the client has not heard of it yet
  };

  void Open();
  void LetGo();
  void EndTick();
  bool Fetch();
  Client& Connected(const std::string& name);
  void CheckSame(uint64_t hash_before, const char* what) const;

  Config config_;
  Pace pace_;
  storage::MemoryFileSystem files_;
  TestPageCache pages_;
  commands::Time time_;
  uint64_t lives_ = 0;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::Journal> journal_;
  std::unique_ptr<TestHost> host_;
  std::unique_ptr<commands::Dispatcher> dispatcher_;
  std::map<std::string, Client> clients_;
};

}  // namespace sluice::tests
