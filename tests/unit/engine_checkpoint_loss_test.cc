// Checkpoints of random histories, made while power fails, disks fail and servers are killed: a store can
// always be opened, holds what was promised and nothing that never was.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "server/engine/journal.h"
#include "storage/memory_file_system.h"
#include "tests/harness/seeds.h"

namespace sluice::tests {
namespace {

using engine::ObjectId;
using engine::ObjectType;
using engine::StreamId;

// What one command might have decided: every kind of event, on what there is.
class RandomChange {
 public:
  RandomChange(std::mt19937_64& random, const engine::Keyspace& keys) : random_(random), keys_(keys) {
    const engine::Object* object = keys.Find(0, Name());
    if (object == nullptr) {
      Create();
    } else if (Below(12) == 0) {
      OfKey(*object);
    } else if (object->type() == ObjectType::kString) {
      OfString(*object);
    } else if (object->type() == ObjectType::kStockItem) {
      OfItem(*object);
    } else {
      OfStream(*object);
    }
  }

  std::vector<engine::Event> events;

 private:
  uint64_t Below(uint64_t limit) { return random_() % limit; }
  void Add(engine::Event event) { events.push_back(event); }
  // Lives until the change is recorded, so as the events' views do.
  std::string_view Text(size_t bytes) {
    return texts_.emplace_back(bytes, static_cast<char>('a' + Below(26)));
  }
  std::string_view Name() { return texts_.emplace_back("k" + std::to_string(Below(12))); }

  void Create() {
    const std::string_view name = texts_.back();
    const ObjectId id = keys_.NextId();
    const auto type = static_cast<ObjectType>(1 + Below(3));
    Add(engine::CreateKey{id, 0, type, name});
    if (type == ObjectType::kString) Add(engine::SetString{id, Text(Below(100))});
    if (type == ObjectType::kStream) Add(engine::CreateGroup{id, 0, {}, {}, "g"});
    if (type == ObjectType::kStream) Add(engine::CreateConsumer{id, 0, 0, 5, "c"});
    if (type == ObjectType::kStockItem) Add(engine::AddStock{id, 100'000});
  }

  void OfItem(const engine::Object& object) {
    const engine::StockItem& item = object.item();
    if (const engine::Order* open = Below(3) == 0 ? item.oldest_open() : nullptr) {
      ids_ = {open->id};
      const auto state = static_cast<engine::OrderState>(2 + Below(3));
      return Add(engine::SettleOrders{object.id, state, static_cast<uint8_t>(Below(4)), 7, ids_});
    }
    if (Below(5) == 0)
      return Add(engine::PauseSale{object.id, static_cast<engine::Pause>(Below(3)), 6 + Below(9)});
    const std::string_view request = Below(2) == 0 ? Text(1 + Below(2)) : std::string_view();
    const bool known = item.requests().Find(request) != engine::RequestTable::kNone;
    Add(engine::PlaceOrder{.item = object.id,
                           .order = {item.last_order().ms + 1, 1},
                           .now_ms = 5,
                           .deadline_ms = Below(2) * 1000,
                           .quantity = static_cast<uint32_t>(1 + Below(3)),
                           .flags = 0,
                           .user = Text(1 + Below(30)),
                           .request = known ? std::string_view() : request});
  }

  void OfKey(const engine::Object& object) {
    const std::string_view other = Name();
    switch (Below(6)) {
      case 0:
        return Add(engine::SetExpiry{object.id, Below(2) * 5'000'000});
      case 1:
        if (keys_.Find(0, other) == nullptr) Add(engine::RenameKey{object.id, 0, other});
        return;
      case 2:
        if (Below(6) == 0) Add(engine::FlushKeys{Below(2) == 0 ? uint8_t{0} : engine::kAllDatabases});
        return;
      case 3:
        if (Below(6) == 0) Add(engine::SwapDatabases{0, 1});
        return;
      default:
        return Add(engine::RemoveKey{object.id});
    }
  }

  void OfString(const engine::Object& object) {
    if (Below(8) == 0) return Add(engine::SetString{object.id, Text(Below(120'000))});
    if (Below(2) == 0) return Add(engine::SetString{object.id, Text(Below(200))});
    Add(engine::WriteString{object.id, Below(object.string().size() + 9), Text(1 + Below(100))});
  }

  void OfStream(const engine::Object& object) {
    const engine::Stream& stream = object.stream();
    const ObjectId id = object.id;
    const uint64_t ms = stream.last_id().ms + 1;
    const StreamId some = stream.length() == 0 ? StreamId{} : stream.Select(Below(stream.length()));
    ids_ = {some};
    const uint64_t dice = Below(20);
    if (dice < 8 || stream.length() == 0) {
      return Add(engine::AppendEntry{0, id, {ms, Below(2)}, 1, "$1\r\nf\r\n$1\r\nv\r\n"});
    }
    if (dice == 8) return Add(engine::DeleteEntries{id, ids_});
    if (dice == 9) return Add(engine::TrimStream{id, Below(8) == 0 ? stream.last_id() : some});
    if (dice == 10) return Add(engine::RememberMessage{id, some, 1 + Below(9), Text(1), Text(1)});
    if (dice == 11 && stream.idempotence().producers) return Add(engine::ForgetMessages{id, some.ms});
    if (dice == 12 && Below(5) == 0) return Add(engine::LimitProducers{id, Below(9), Below(9)});
    if (dice == 13 && Below(3) == 0) {
      return Add(engine::SetRetention{id, Below(2) == 0 ? std::nullopt : std::optional(Below(9)), {}});
    }
    OfGroup(id, stream, some, ms);
  }

  void OfGroup(ObjectId id, const engine::Stream& stream, StreamId some, uint64_t ms) {
    const engine::ConsumerGroup* group = stream.FindGroup("g");
    if (group == nullptr) {
      Add(engine::CreateGroup{id, stream.next_group(), {}, Below(9), "g"});
      return Add(engine::CreateConsumer{id, stream.next_group(), 0, ms, "c"});
    }
    const uint32_t number = group->number();
    const bool pending = group->pending().contains(some);
    switch (Below(7)) {
      case 0:
      case 1:
        if (group->last_delivered() < some) Add(engine::Deliver{id, number, 0, ms, some, {}, 0});
        return;
      case 2:
        if (pending) Add(engine::Release{id, number, ids_});
        return;
      case 3:
        return Add(engine::GiveBack{id, number, engine::GiveBack::kSet, Below(2) * 5'000'000'000 + 1, ids_});
      case 4:
        return Add(engine::Claim{id, number, 0, ms, ms, engine::Claim::kIncrement, 0, ids_});
      case 5:
        return Add(engine::SetGroupId{id, number, some, Below(9)});
      default:
        if (Below(12) == 0) Add(engine::DestroyGroup{id, number});
    }
  }

  std::mt19937_64& random_;
  const engine::Keyspace& keys_;
  std::deque<std::string> texts_;
  std::vector<StreamId> ids_;
};

// The disk loses power, fails or is full at any moment of a checkpoint's making, under every durability: a
// store can always be opened, holds what was promised and nothing that was never there.
class PowerLoss {
 public:
  explicit PowerLoss(uint64_t seed) : random_(seed) {}

  void Run() {
    for (int life = 0; life < 4; ++life) {
      Open();
      if (testing::Test::HasFatalFailure()) return;
      Live();
      End();
    }
    Open();
  }
  uint64_t begun_with_one() const { return begun_with_one_; }

 private:
  bool OneIn(uint64_t n) { return random_() % n == 0; }

  void Open() {
    durability_ = static_cast<storage::Durability>(random_() % 3);
    engine_ = std::make_unique<engine::Engine>(random_());
    storage::LogOptions options;
    options.directory = "data";
    options.segment_bytes = 64 << 10;
    options.durability = durability_;
    options.commit_path = storage::CommitPath::kInline;
    options.direct_io = false;
    options.spare_segments = 0;
    storage::RecoveryReport report;
    auto journal = engine::Journal::Open(
        files_, options, *engine_, &report,
        {.log_bytes = 3000, .bytes_per_second = 0, .slice_bytes = 300, .background = false},
        {.dead_percent = 30, .bytes_per_second = 0, .background = false});
    ASSERT_TRUE(journal.has_value()) << journal.error().message;
    journal_ = std::move(*journal);
    begun_with_one_ += journal_->loaded().path.empty() ? 0 : 1;
    const auto found =
        std::find(hashes_.begin() + static_cast<ptrdiff_t>(promised_), hashes_.end(), engine_->StateHash());
    if (hashes_.empty()) {
      hashes_.push_back(engine_->StateHash());
    } else {
      ASSERT_NE(found, hashes_.end()) << "a state that never was, or less than was promised";
      hashes_.erase(found + 1, hashes_.end());
    }
    ends_.assign(hashes_.size(), storage::Lsn{});
    promised_ = hashes_.size() - 1;
  }

  void Live() {
    if (OneIn(3)) files_.FailWrites(random_() % 60);
    if (OneIn(4)) files_.FailSyncs(random_() % 30);
    if (OneIn(6)) files_.SetFreeBytes(random_() % 200'000);
    for (uint64_t steps = random_() % 250; steps > 0 && !journal_->log().failure(); --steps) {
      Record();
      if (OneIn(3)) journal_->checkpointer().RunSlice(1);
      if (OneIn(4)) journal_->log().Submit();
      if (OneIn(6)) engine_->FreeSome();
      if (OneIn(8)) journal_->log().Tick(now_ms_ += random_() % 700);
      if (OneIn(30)) journal_->checkpointer().Request(engine::CheckpointReason::kSave);
    }
  }

  void Record() {
    RandomChange change(random_, engine_->keys());
    if (change.events.empty() || !journal_->Record(change.events, storage::Log::Use::kGrowth)) return;
    hashes_.push_back(engine_->StateHash());
    ends_.push_back(journal_->log().tail());
  }

  size_t Below(storage::Lsn lsn) const {
    size_t count = promised_;
    while (count + 1 < ends_.size() && ends_[count + 1] <= lsn) ++count;
    return count;
  }

  void End() {
    if (OneIn(4) && journal_->Close(OneIn(2), 1)) {
      promised_ = hashes_.size() - 1;
    } else if (OneIn(2)) {  // killed
      promised_ = Below(journal_->log().committed());
    } else {
      promised_ = Below(journal_->log().stable());
      files_.Crash(random_());
    }
    journal_.reset();
    engine_.reset();
    files_.FailWrites(storage::MemoryFileSystem::kNever);
    files_.FailSyncs(storage::MemoryFileSystem::kNever);
    files_.SetFreeBytes(storage::MemoryFileSystem::kNever);
  }

  std::mt19937_64 random_;
  storage::MemoryFileSystem files_;
  storage::Durability durability_ = storage::Durability::kAlways;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::Journal> journal_;
  std::vector<uint64_t> hashes_;    // of the state after each record; the first: of what was opened
  std::vector<storage::Lsn> ends_;  // where each record ends; 0 for those of earlier lives
  size_t promised_ = 0;             // the one that must be there
  uint64_t now_ms_ = 0;
  uint64_t begun_with_one_ = 0;
};

TEST(CheckpointLoss, SurvivesPowerLossAtEveryStep) {
  constexpr uint64_t kSeeds = Seeds(3000);
  uint64_t begun_with_one = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    PowerLoss life(seed);
    life.Run();
    begun_with_one += life.begun_with_one();
    if (HasFailure()) return;
  }
  EXPECT_GT(begun_with_one, kSeeds);
}

}  // namespace
}  // namespace sluice::tests
