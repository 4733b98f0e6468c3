// A stream's index is the same wherever it comes from: from appends, from sidecars while it grows, from
// sidecars alone at an opening that begins further up.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "server/engine/journal.h"
#include "storage/memory_file_system.h"

namespace sluice::engine {

// What the state at a checkpoint lacks: the index.
class StreamTester {
 public:
  static void ForgetIndex(const Stream& stream) {
    auto& mutable_stream = const_cast<Stream&>(stream);
    mutable_stream.sealed_.clear();
    mutable_stream.open_.clear();
  }
  static size_t RunsInMemory(const Stream& stream) { return stream.open_.size(); }
  static size_t SealedRuns(const Stream& stream) { return stream.sealed_.size(); }
};

namespace {

storage::LogOptions SmallLog() {
  storage::LogOptions options;
  options.directory = "/store";
  options.segment_bytes = 64 << 10;
  options.tail_cache_bytes = 0;
  options.commit_path = storage::CommitPath::kInline;
  options.spare_segments = 0;
  options.new_log_id = 7;
  return options;
}

// An engine and its journal.
struct Life {
  std::unique_ptr<Engine> engine = std::make_unique<Engine>(1);
  std::unique_ptr<Journal> journal;
  storage::RecoveryReport report;

  void Open(storage::FileSystem& files, storage::Lsn from = {}) {
    auto opened = Journal::Open(files, SmallLog(), *engine, &report, from);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    journal = std::move(*opened);
  }
  void SealAll() {
    journal->log().Submit();
    while (journal->SealSome()) {
    }
  }
  std::vector<const Stream*> Streams() const {
    std::vector<const Stream*> streams;
    for (size_t slot = 0; slot < engine->keys().slots(); ++slot) {
      const Object* object = engine->keys().At(slot);
      if (object != nullptr) streams.push_back(&object->stream());
    }
    return streams;
  }
};

// Random events of a few streams, decided as commands would.
class History {
 public:
  History(uint64_t seed, Journal& journal) : random_(seed), journal_(journal) {}

  void Step() {
    std::vector<const Object*> keys;
    const Keyspace& keyspace = journal_.engine().keys();
    for (size_t slot = 0; slot < keyspace.slots(); ++slot) {
      if (const Object* object = keyspace.At(slot)) keys.push_back(object);
    }
    if (keys.size() < 3 && (keys.empty() || Below(20) == 0)) {
      const std::string name = "key" + std::to_string(++names_);
      return Record({CreateKey{keyspace.NextId(), 0, ObjectType::kStream, name}});
    }
    const Object& object = *keys[Below(keys.size())];
    const Stream& stream = object.stream();
    const uint64_t choice = Below(100);
    if (choice < 70) {
      Append(object, 1 + (Below(12) == 0 ? Below(5) : 0));
    } else if (choice < 80) {
      if (stream.length() == 0) return;
      const StreamId id = stream.Select(Below(stream.length()));
      Record({DeleteEntries{object.id, std::span(&id, 1)}});
    } else if (choice < 84) {
      if (stream.length() == 0) return;
      const uint64_t behind = Below(4) == 0 ? stream.length() - 1 : Below(stream.length()) / 2;
      Record({TrimStream{object.id, stream.Select(behind)}});
    } else if (choice < 86) {
      if (stream.length() == 0) return;
      const StreamId id = stream.Select(Below(stream.length()));
      Record({TrimEntries{object.id, std::span(&id, 1)}});
    } else if (choice < 92) {
      // An empty stream's last ID may go back: what comes next has IDs that were there before.
      if (stream.length() != 0) {
        if (Below(4) != 0) return;
        Record({TrimStream{object.id, stream.last_id()}});
      }
      Record(
          {SetStreamId{object.id, {Below(300), Below(3)}, stream.entries_added(), stream.max_deleted_id()}});
    } else if (choice < 93) {
      if (Below(3) == 0) Record({RemoveKey{object.id}});
    } else if (choice < 96) {
      // An append that empties the stream in the same record.
      const StreamId id = NextId(stream);
      Record({AppendEntry{0, object.id, id, 1, "$1\r\nf\r\n$1\r\nv\r\n"}, TrimStream{object.id, id}});
    } else {
      journal_.log().Submit();
      while (journal_.SealSome() && Below(2) == 0) {
      }
    }
  }

 private:
  uint64_t Below(uint64_t limit) { return random_() % limit; }
  StreamId NextId(const Stream& stream) {
    const StreamId last = stream.last_id();
    switch (Below(30)) {
      case 0:
        return {last.ms + 3'000'000, 0};
      case 1:
        return {last.ms, last.seq + 6000};
      default:
        return Below(2) == 0 ? *Next(last) : StreamId{last.ms + 1 + Below(40), Below(3)};
    }
  }
  void Append(const Object& object, uint64_t count) {
    std::vector<Event> events;
    std::vector<std::string> fields;
    fields.reserve(count);
    StreamId id = object.stream().last_id();
    for (uint64_t i = 0; i < count; ++i) {
      id = i == 0 ? NextId(object.stream()) : *Next(id);
      const std::string value(Below(900), static_cast<char>('a' + Below(26)));
      fields.push_back("$1\r\nf\r\n$" + std::to_string(value.size()) + "\r\n" + value + "\r\n");
      events.push_back(AppendEntry{0, object.id, id, 1, fields.back()});
    }
    Record(events);
  }
  void Record(std::vector<Event> events) { ASSERT_TRUE(journal_.Record(events).has_value()); }

  std::mt19937_64 random_;
  Journal& journal_;
  uint64_t names_ = 0;
};

// Every way to ask for entries gives the same.
void ExpectSameReads(const Life& a, const Life& b, std::mt19937_64& random) {
  ASSERT_EQ(a.engine->StateHash(), b.engine->StateHash());
  const auto of_a = a.Streams();
  const auto of_b = b.Streams();
  ASSERT_EQ(of_a.size(), of_b.size());
  for (size_t s = 0; s < of_a.size(); ++s) {
    const Stream& one = *of_a[s];
    const Stream& other = *of_b[s];
    std::vector<StreamId> ids;
    one.Scan(kMinStreamId, kMaxStreamId, [&](StreamId id, storage::Place place) {
      EXPECT_TRUE(EntryIsSound(place));
      EXPECT_EQ(ReadEntry(place).id, id);
      ids.push_back(id);
      return true;
    });
    ASSERT_EQ(ids.size(), one.length());
    std::vector<StreamId> back;
    other.ScanBack(kMinStreamId, kMaxStreamId, [&](StreamId id, storage::Place place) {
      EXPECT_TRUE(EntryIsSound(place));
      back.push_back(id);
      return true;
    });
    std::reverse(back.begin(), back.end());
    ASSERT_EQ(ids, back);
    EXPECT_EQ(one.Nodes(10), other.Nodes(10));
    for (int i = 0; i < 30 && !ids.empty(); ++i) {
      const uint64_t n = random() % ids.size();
      EXPECT_EQ(one.Select(n), ids[n]);
      EXPECT_EQ(other.Select(n), ids[n]);
      StreamId id = ids[n];
      if (random() % 2 == 0) id.seq += random() % 5000;
      EXPECT_EQ(one.CountAfter(id), other.CountAfter(id));
      ASSERT_EQ(one.Find(id).has_value(), other.Find(id).has_value());
      if (one.Find(id)) {
        EXPECT_EQ(ReadEntry(*one.Find(id)).fields, ReadEntry(*other.Find(id)).fields);
      }
      const Trim trim{.kind = Trim::kMaxLength,
                      .approximate = true,
                      .max_length = random() % ids.size(),
                      .node_entries = 10};
      EXPECT_EQ(one.PlanTrim(trim, std::nullopt), other.PlanTrim(trim, std::nullopt));
    }
  }
}

void CopyStore(const storage::MemoryFileSystem& from, storage::MemoryFileSystem& to, bool with_sidecars) {
  auto& names = const_cast<storage::MemoryFileSystem&>(from);
  const std::vector<std::string> found = names.List("/store").value();
  for (const std::string& name : found) {
    if (name == "LOCK" || (!with_sidecars && name.ends_with(".idx"))) continue;
    ASSERT_TRUE(to.Open("/store/" + name, {.create = true}).has_value());
    to.SetContents("/store/" + name, from.Contents("/store/" + name));
  }
  ASSERT_TRUE(to.SyncDirectory("/store").has_value());
}

TEST(Indexer, SidecarsAloneGiveWhatReplayGives) {
  for (uint64_t seed = 1; seed <= 40 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    storage::MemoryFileSystem files, then, later, last;  // outlive the logs that hold their locks
    Life life;
    life.Open(files);
    History history(seed, *life.journal);
    for (uint64_t steps = 300 + random() % 1200; steps > 0; --steps) history.Step();
    life.journal->log().Submit();

    // The state at this LSN, without an index, as a checkpoint would hold it.
    const storage::Lsn from = life.journal->log().tail();
    CopyStore(files, then, true);
    Life checkpoint;
    checkpoint.Open(then);
    checkpoint.journal.reset();
    for (const Stream* stream : checkpoint.Streams()) StreamTester::ForgetIndex(*stream);

    for (uint64_t steps = random() % 1200; steps > 0; --steps) history.Step();
    ASSERT_TRUE(life.journal->log().Close().has_value());
    CopyStore(files, later, seed % 3 != 0);
    checkpoint.Open(later, from);
    life.SealAll();
    ExpectSameReads(life, checkpoint, random);

    // They go on alike: what is trimmed next finds the same ranks.
    checkpoint.SealAll();
    ExpectSameReads(life, checkpoint, random);
    History more(seed, *checkpoint.journal);
    for (int step = 0; step < 200; ++step) more.Step();
    Life replayed;
    ASSERT_TRUE(checkpoint.journal->log().Close().has_value());
    CopyStore(later, last, true);
    replayed.Open(last);
    ExpectSameReads(checkpoint, replayed, random);
  }
}

TEST(Indexer, MemoryIsGivenBackForWhatIsSealed) {
  storage::MemoryFileSystem files;
  Life life;
  life.Open(files);
  Journal& journal = *life.journal;
  std::vector<Event> create = {CreateKey{journal.engine().keys().NextId(), 0, ObjectType::kStream, "s"}};
  ASSERT_TRUE(journal.Record(create).has_value());
  const Object& object = *journal.engine().Find(0, "s");
  const std::string fields = "$1\r\nf\r\n$50\r\n" + std::string(50, 'x') + "\r\n";
  uint64_t ms = 1;
  size_t most = 0;
  for (; journal.log().stats().segments < 20; ++ms) {
    std::vector<Event> events = {AppendEntry{0, object.id, {ms, 0}, 1, fields}};
    ASSERT_TRUE(journal.Record(events).has_value());
    journal.log().Submit();
    while (journal.SealSome()) {
    }
    most = std::max(most, object.stream().memory_bytes());
  }
  EXPECT_EQ(StreamTester::SealedRuns(object.stream()), 19u);
  EXPECT_EQ(StreamTester::RunsInMemory(object.stream()), 1u);
  EXPECT_LT(most, 19 * 64 + 16384u) << "one segment's cells, and a few bytes for each of the others";
  EXPECT_EQ(object.stream().length(), ms - 1);
}

TEST(Indexer, AStateThatTheLogDoesNotHoldIsRefused) {
  storage::MemoryFileSystem files, others;
  Life life;
  life.Open(files);
  std::vector<Event> create = {CreateKey{life.engine->keys().NextId(), 0, ObjectType::kStream, "s"}};
  ASSERT_TRUE(life.journal->Record(create).has_value());
  const ObjectId id = life.engine->Find(0, "s")->id;
  for (uint64_t ms = 1; ms < 50; ++ms) {
    std::vector<Event> events = {AppendEntry{0, id, {ms, 0}, 1, "$1\r\nf\r\n$1\r\nv\r\n"}};
    ASSERT_TRUE(life.journal->Record(events).has_value());
  }
  const storage::Lsn tail = life.journal->log().tail();
  ASSERT_TRUE(life.journal->log().Close().has_value());
  life.journal.reset();
  // Another log's state: it says that the stream's entries begin further up.
  Life other;
  other.Open(others);
  ASSERT_TRUE(other.journal->Record(create).has_value());
  for (uint64_t ms = 1; ms < 80; ++ms) {
    std::vector<Event> events = {AppendEntry{0, id, {ms, 0}, 1, "$1\r\nf\r\n$1\r\nv\r\n"}};
    ASSERT_TRUE(other.journal->Record(events).has_value());
  }
  other.journal.reset();
  for (const Stream* stream : other.Streams()) StreamTester::ForgetIndex(*stream);
  auto opened = Journal::Open(files, SmallLog(), *other.engine, &other.report, tail);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, storage::Error::Code::kCorrupt);
  EXPECT_NE(opened.error().message.find("'s'"), std::string::npos) << opened.error().message;
}

}  // namespace
}  // namespace sluice::engine
