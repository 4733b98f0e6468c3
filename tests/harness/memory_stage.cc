#include "tests/harness/memory_stage.h"

#include <stdexcept>

#include "tests/harness/socket_client.h"

namespace sluice::tests {
namespace {

// 2023-11-14, a date that no `*` of a real server meets.
constexpr uint64_t kStartUnixUs = 1'700'000'000'000'000;
constexpr uint64_t kStartMonotonicMs = 1'000'000;

template <typename T>
T Must(storage::Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace

MemoryStage::MemoryStage(const Config& config, Pace pace)
    : config_(config), pace_(pace), time_{.unix_us = kStartUnixUs, .monotonic_ms = kStartMonotonicMs} {
  Open();
}

MemoryStage::~MemoryStage() {
  LetGo();
}

void MemoryStage::Open() {
  // Another seed in each life: nothing that is remembered may depend on it.
  engine_ = std::make_unique<engine::Engine>(0x9e3779b97f4a7c15u * ++lives_);
  storage::LogOptions options;
  options.directory = "data";
  options.segment_bytes = 64 << 10;  // the smallest: long conversations cross from one to the next
  options.commit_path = storage::CommitPath::kInline;
  options.direct_io = pace_.passes_page_cache;
  options.spare_segments = 0;
  options.tail_cache_bytes =
      64 << 10;  // one segment: what a long conversation reads comes from all three places
  storage::RecoveryReport report;
  const engine::CheckpointOptions checkpoints{.log_bytes = config_.checkpoint_log_bytes,
                                              .bytes_per_second = 0,
                                              .slice_bytes = pace_.checkpoint_slice_bytes,
                                              .background = false};
  const storage::CompactionOptions compaction{
      .dead_percent = static_cast<uint32_t>(config_.compaction_dead_percent),
      .bytes_per_second = 0,
      .background = false};
  const storage::ColdReadOptions cold_reads{.pages = &pages_,
                                            .files = &files_,
                                            .chunk_bytes = config_.cold_read_buffers,
                                            .bytes = config_.cold_read_bytes,
                                            .ahead_bytes = config_.cold_read_ahead,
                                            .background = false};
  journal_ =
      Must(engine::Journal::Open(files_, options, *engine_, &report, checkpoints, compaction, cold_reads));
  host_ = std::make_unique<TestHost>(config_);
  dispatcher_ = std::make_unique<commands::Dispatcher>(*journal_, *host_);
  dispatcher_->SetTime(time_);
}

void MemoryStage::LetGo() {
  for (auto& [name, client] : clients_) {
    if (client.session == nullptr) continue;
    dispatcher_->Drop(*client.session);
    host_->Disconnect(*client.session);
  }
  clients_.clear();
  dispatcher_.reset();
  host_.reset();
  journal_.reset();
  engine_.reset();
}

MemoryStage::Client& MemoryStage::Connected(const std::string& name) {
  Client& client = clients_[name];
  if (client.session == nullptr) {
    client.session = &host_->Connect(time_.unix_ms());
    client.ended = false;
  }
  return client;
}

// What server/net does at the end of a tick: commit, and let go of what may be seen.
void MemoryStage::EndTick() {
  dispatcher_->SetTime(time_);
  while (const uint64_t slept_ms = host_->TakeSleptMs()) Advance(slept_ms);
  while (pace_.fetches_pages && Fetch()) {
  }
  while (dispatcher_->RunBackgroundSlice() && !pace_.one_slice_a_tick) {
  }
  storage::Log& log = journal_->log();
  host_->ForEachSession([&](commands::Session& session) { session.output.EndTick(log.tail()); });
  log.Submit();
  log.Reap();
  if (log.failure()) throw std::runtime_error("the log failed: " + log.failure()->message);
  for (auto& [name, client] : clients_) {
    if (client.session == nullptr) continue;
    commands::Output& output = client.session->output;
    while (const size_t ready = output.Releasable(log.committed())) {
      client.received.append(output.front().substr(0, ready));
      output.Consume(ready);
    }
    if (!output.empty()) throw std::runtime_error("a reply is held back although everything is committed");
  }
  for (commands::Session* session : host_->TakeClosed()) {
    for (auto& [name, client] : clients_) {
      if (client.session != session) continue;
      client.session = nullptr;
      client.ended = true;
    }
    dispatcher_->Drop(*session);
    host_->Disconnect(*session);
  }
}

// What the worker does, and then the loop.
bool MemoryStage::Fetch() {
  bool fetched = false;
  while (journal_->cold_reads().Work()) fetched = true;
  if (journal_->cold_reads().has_fetched()) dispatcher_->RunDue();
  return fetched;
}

bool MemoryStage::FetchPages() {
  const bool fetched = Fetch();
  EndTick();
  return fetched;
}

Stage::Heard MemoryStage::Ask(const std::string& name, const std::vector<std::string>& words) {
  Client& client = Connected(name);
  if (client.session->waits()) throw std::runtime_error("client '" + name + "' waits already");
  const std::string wire = EncodeRequest(words);
  if (client.parser.Parse(wire) != protocol::RequestParser::Status::kRequest) {
    throw std::runtime_error("the parser refuses a request: " + client.parser.error());
  }
  client.session->active_ms = time_.unix_ms();
  const bool was_mute = client.session->mute();
  dispatcher_->Execute(*client.session, client.parser.request());
  dispatcher_->EndTurn(*client.session, &client.parser.request());
  while (pace_.fetches_pages && client.session->cold && Fetch()) {
  }
  if (client.session->waits()) {
    EndTick();
    return {Outcome::kBlocked, {}};
  }
  if (client.session->output.empty() && !client.session->close && !was_mute && !client.session->mute()) {
    throw std::runtime_error("neither a reply nor a blocked call");
  }
  EndTick();
  return Peek(name);
}

Stage::Heard MemoryStage::Peek(const std::string& name) {
  Client& client = clients_[name];
  Heard heard;
  size_t consumed = 0;
  switch (ParseReply(client.received, heard.reply, consumed)) {
    case ParseStatus::kReply:
      client.received.erase(0, consumed);
      heard.outcome = Outcome::kReply;
      return heard;
    case ParseStatus::kMalformed:
      throw std::runtime_error("not a reply: " + Quoted(client.received));
    case ParseStatus::kNeedMore:
      break;
  }
  if (!client.received.empty()) throw std::runtime_error("half a reply: " + Quoted(client.received));
  heard.outcome = client.ended ? Outcome::kClosed : Outcome::kNothing;
  client.ended = false;
  return heard;
}

Stage::Heard MemoryStage::Receive(const std::string& name) {
  return Peek(name);  // whatever could come has come: nothing happens by itself here
}

void MemoryStage::Advance(uint64_t ms) {
  // Step by step over the deadlines, as a loop that is not asleep would see them.
  const uint64_t end_ms = time_.monotonic_ms + ms;
  // What is due at one moment may be more than one step does; only who never ends is wrong.
  constexpr int kMostAtOnce = 100000;
  int same = 0;
  for (;;) {
    const std::optional<uint64_t> deadline_ms = dispatcher_->next_deadline_ms();
    const bool due = deadline_ms && *deadline_ms <= end_ms;
    const uint64_t to_ms = due ? std::max(*deadline_ms, time_.monotonic_ms) : end_ms;
    time_.unix_us += (to_ms - time_.monotonic_ms) * 1000;
    time_.monotonic_ms = to_ms;
    dispatcher_->SetTime(time_);
    if (!due) break;
    dispatcher_->RunDue();
    // A loop commits before it comes back to what is due.
    journal_->log().Submit();
    journal_->log().Reap();
    same = dispatcher_->next_deadline_ms() == deadline_ms ? same + 1 : 0;
    if (same == kMostAtOnce) {
      throw std::runtime_error("a deadline stays although its time is over");
    }
  }
  EndTick();
}

void MemoryStage::CheckSame(uint64_t hash_before, const char* what) const {
  if (StateHash() != hash_before) throw std::runtime_error(std::string("the state changed over a ") + what);
}

void MemoryStage::Crash() {
  const uint64_t before = StateHash();
  // First the power, then the objects: what they still write on their way out reaches nothing.
  files_.Crash(lives_);
  LetGo();
  Open();
  CheckSame(before, "crash");
}

void MemoryStage::Reopen() {
  const uint64_t before = StateHash();
  Must(journal_->Close(true, time_.unix_ms()));
  LetGo();
  Open();
  CheckSame(before, "clean stop");
}

}  // namespace sluice::tests
