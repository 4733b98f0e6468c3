// The index of a sealed segment: made from its bytes, believed only where it matches, made again where it
// does not.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "storage/format.h"
#include "storage/memory_file_system.h"
#include "storage/sidecar_builder.h"
#include "storage/sidecar_maker.h"
#include "storage_fixture.h"

namespace sluice::storage {
namespace {

// A body here is entries of 24 bytes, and filling that begins with '#'.
struct Entry {
  uint64_t object;
  uint64_t ms;
  uint64_t seq;
};

void Visit(std::string_view body, IndexSink& sink) {
  for (size_t at = 0; at + sizeof(Entry) <= body.size() && body[at + 7] == '\0'; at += sizeof(Entry)) {
    Entry entry;
    std::memcpy(&entry, body.data() + at, sizeof entry);
    sink.Add(entry.object, entry.ms, entry.seq, at, sizeof(Entry));
  }
}

std::string BodyOf(const std::vector<Entry>& entries, size_t filling = 0) {
  std::string body(reinterpret_cast<const char*>(entries.data()), entries.size() * sizeof(Entry));
  return body + std::string(filling, '#');
}

LogOptions Indexed() {
  LogOptions options = SmallOptions();
  options.index = Visit;
  options.tail_cache_bytes = 0;
  return options;
}

std::string SidecarPath(uint64_t sequence) {
  std::string path = SegmentPath(sequence);
  return path.replace(path.size() - 3, 3, "idx");
}

// A log with what was recorded in it, entry by entry.
struct Recorded {
  Entry entry;
  Place place;
};
class Store {
 public:
  explicit Store(MemoryFileSystem& files, const LogOptions& options = Indexed())
      : opened_(MustOpen(files, options)) {}

  void Add(const std::vector<Entry>& entries, size_t filling) {
    const Place place = Record(*opened_.log, BodyOf(entries, filling));
    for (size_t i = 0; i < entries.size(); ++i) {
      const auto at = static_cast<uint32_t>(i * sizeof(Entry));
      recorded_.push_back({entries[i], {place.segment, place.offset + at}});
    }
    opened_.log->Submit();
  }
  // Several segments of several objects, whose IDs now and then go far up, or back.
  void Fill(uint64_t seed, uint64_t segments) {
    std::mt19937_64 random(seed);
    std::map<uint64_t, Entry> last;
    while (opened_.log->stats().segments < segments) {
      std::vector<Entry> entries;
      for (uint64_t n = 1 + random() % 3; n > 0; --n) {
        Entry& mine = last[1 + random() % 5];
        if (mine.object == 0) mine.object = last.size();
        const uint64_t choice = random() % 40;
        if (choice == 0) {
          mine.ms += 2'000'000;
        } else if (choice == 1) {
          mine.ms = random() % 100;
          mine.seq = 0;
        } else if (choice == 2) {
          mine.seq += 5000;
        } else {
          mine.ms += random() % 3;
          mine.seq += 1;
        }
        entries.push_back(mine);
      }
      Add(entries, random() % 400);
    }
  }
  Log& log() { return *opened_.log; }
  const std::vector<Recorded>& recorded() const { return recorded_; }
  void Close() {
    ASSERT_TRUE(log().Close().has_value());
    opened_.log.reset();
  }

 private:
  Opened opened_;
  std::vector<Recorded> recorded_;
};

// What `segment`'s index says, entry by entry, in the log's order.
using Found = std::vector<std::tuple<uint32_t, uint64_t, uint64_t, uint64_t>>;  // offset, object, ID
Found EntriesOf(const Segment& segment) {
  Found found;
  for (const IndexRun& run : segment.index().runs()) {
    const IndexCell* cells = segment.index().Cells(run);
    for (uint32_t i = 0; i < run.count; ++i) {
      const uint64_t ms = BaseMs(run.first_ms) + (cells[i].delta >> kSeqBits);
      const uint64_t seq = BaseSeq(run.first_seq) + cells[i].delta % kSeqLimit;
      found.emplace_back(cells[i].offset, run.object, ms, seq);
      if (i + 1 == run.count) {
        EXPECT_EQ(std::tie(ms, seq, cells[i].offset), std::tie(run.last_ms, run.last_seq, run.last_offset));
      }
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}
Found RecordedIn(const Store& store, const Segment& segment) {
  Found found;
  for (const Recorded& one : store.recorded()) {
    if (one.place.segment != &segment) continue;
    found.emplace_back(one.place.offset, one.entry.object, one.entry.ms, one.entry.seq);
  }
  return found;
}

TEST(Sidecar, HoldsEveryEntryOfItsSegment) {
  MemoryFileSystem files;
  Store store(files);
  store.Fill(1, 6);
  size_t segments = 0;
  while (const Segment* segment = store.log().TakeIndexed()) {
    ++segments;
    EXPECT_EQ(EntriesOf(*segment), RecordedIn(store, *segment)) << segment->sequence();
    for (const IndexRun& run : segment->index().runs()) {
      EXPECT_GE(&segment->index().Find(run.object, run.last_ms, run.last_seq), &run);
    }
  }
  EXPECT_EQ(segments, 5u);
}

TEST(Sidecar, RunsEndWhereTheBaseChanges) {
  MemoryFileSystem files;
  Store store(files);
  store.Add({{1, 10, 0}, {1, 10, 1}, {2, 10, 0}, {1, kMsLimit - 1, 0}, {1, kMsLimit, 0}, {1, kMsLimit, 7}},
            0);
  store.Add(
      {{1, kMsLimit, kSeqLimit}, {1, kMsLimit, kSeqLimit + 9}, {1, kMsLimit + 1, 0}, {1, 5, 0}, {1, 5, 0}},
      0);
  while (store.log().stats().segments < 2) store.Add({}, 2000);
  const Segment* segment = store.log().TakeIndexed();
  ASSERT_NE(segment, nullptr);
  std::vector<std::tuple<uint64_t, uint64_t, uint32_t>> runs;  // object, last ms, count
  for (const IndexRun& run : segment->index().runs()) runs.emplace_back(run.object, run.last_ms, run.count);
  const std::vector<std::tuple<uint64_t, uint64_t, uint32_t>> expected = {
      {1, 5, 1},  // IDs that go back begin a run,
      {1, 5, 1},  // and so do IDs that stand still
      {1, kMsLimit - 1, 3},
      {1, kMsLimit, 2},  // other high bits of the milliseconds,
      {1, kMsLimit, 2},  // and of the sequence
      {1, kMsLimit + 1, 1},
      {2, 10, 1}};
  EXPECT_EQ(runs, expected);
  EXPECT_GT(segment->index().Find(1, 5, 0).last_offset, segment->index().runs()[0].last_offset)
      << "of equal ones the last in the log";
}

TEST(Sidecar, IsReadBackAndMadeAgainWhereItIsMissing) {
  MemoryFileSystem files;
  {
    Store store(files);
    store.Fill(2, 5);
    store.Close();
  }
  const auto writes_of_opening = [&files] {
    const uint64_t before = files.writes();
    Store store(files);
    const uint64_t writes = files.writes() - before;
    store.Close();
    return writes;
  };
  const std::string bytes = files.Contents(SidecarPath(2));
  const uint64_t writes = writes_of_opening();
  ASSERT_TRUE(files.Remove(SidecarPath(2)).has_value());
  EXPECT_EQ(writes_of_opening(), writes + 1) << "the others were read";
  EXPECT_EQ(files.Contents(SidecarPath(2)), bytes) << "a function of the segment's bytes";
}

TEST(Sidecar, EveryDamageIsSeen) {
  MemoryFileSystem files;
  Store store(files);
  store.Fill(3, 3);
  const Segment* segment = store.log().TakeIndexed();
  ASSERT_NE(segment, nullptr);
  const std::string bytes = files.Contents(SidecarPath(1));
  const SidecarIdentity identity = segment->index().identity();
  ASSERT_TRUE(Sidecar::FromMemory(bytes, identity)->get()->CellsAreSound());
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    const auto read = Sidecar::FromMemory(damaged, identity);
    ASSERT_FALSE(read && (*read)->CellsAreSound()) << "byte " << at;
  }
  for (const size_t size : {size_t{0}, Sidecar::kHeaderBytes - 1, Sidecar::kHeaderBytes, bytes.size() - 1}) {
    EXPECT_FALSE(Sidecar::FromMemory(bytes.substr(0, size), identity).has_value()) << size;
  }
  EXPECT_FALSE(Sidecar::FromMemory(bytes + "x", identity).has_value());
  for (int field = 0; field < 5; ++field) {
    SidecarIdentity other = identity;
    if (field == 0) other.log_id += 1;
    if (field == 1) other.sequence += 1;
    if (field == 2) other.base = other.base + 8;
    if (field == 3) other.incarnation += 1;
    if (field == 4) other.end += 8;
    EXPECT_FALSE(Sidecar::FromMemory(bytes, other).has_value()) << field;
  }
}

// Whole, and yet no index: found by a search that expects the runs in their order.
TEST(Sidecar, RunsInTheWrongOrderAreRefused) {
  const SidecarIdentity identity{.log_id = 7, .sequence = 1, .base = Lsn{0}, .incarnation = 1, .end = 8192};
  const std::vector<Stretch> stretches = {{.lsn = 4096, .incarnation = 1, .offset = 4096}};
  const std::vector<IndexCell> cells = {{.delta = 0, .offset = 4200}};
  const auto run = [](uint64_t object, uint64_t last_seq) {
    return IndexRun{.object = object,
                    .first_ms = 0,
                    .first_seq = last_seq,
                    .last_ms = 0,
                    .last_seq = last_seq,
                    .bytes = 8,
                    .count = 1,
                    .cells_at = 0,
                    .last_offset = 4200,
                    .zero = 0};
  };
  const auto taken = [&](const std::vector<IndexRun>& runs) {
    return Sidecar::FromMemory(Encode(SidecarParts{identity, stretches, runs, cells}), identity).has_value();
  };
  EXPECT_TRUE(taken({run(5, 1), run(5, 2), run(6, 1)}));
  EXPECT_TRUE(taken({run(5, 1), run(5, 1)})) << "a stream that was emptied may begin anew";
  EXPECT_FALSE(taken({run(6, 1), run(5, 1)}));
  EXPECT_FALSE(taken({run(5, 2), run(5, 1)}));
}

TEST(Sidecar, DamagedCellsAreMadeAgainWhenTheyAreFirstAskedFor) {
  MemoryFileSystem files;
  {
    Store store(files);
    store.Fill(4, 3);
    store.Close();
  }
  std::string bytes = files.Contents(SidecarPath(1));
  bytes[bytes.size() - 3] = static_cast<char>(bytes[bytes.size() - 3] ^ 1);
  files.SetContents(SidecarPath(1), bytes);
  Store store(files);
  const Segment* segment = store.log().TakeIndexed();
  ASSERT_NE(segment, nullptr);
  ASSERT_EQ(segment->sequence(), 1u);
  EXPECT_FALSE(segment->index_runs().CellsAreSound());
  EXPECT_TRUE(segment->index().CellsAreSound());
  for (const IndexRun& run : segment->index().runs()) {
    const IndexCell* cells = segment->index().Cells(run);
    EXPECT_EQ(cells[run.count - 1].offset, run.last_offset);
  }
}

TEST(Sidecar, StaysInMemoryWhereItCannotBeWritten) {
  MemoryFileSystem files;
  Store store(files);
  while (store.log().stats().segments < 2) store.Add({{1, store.recorded().size() + 1, 0}}, 900);
  while (store.log().TakeIndexed() != nullptr) {
  }
  files.SetFreeBytes(64 << 10);  // for the next segment, and no index
  while (store.log().stats().segments < 3) store.Add({{1, store.recorded().size() + 1, 0}}, 900);
  EXPECT_FALSE(store.log().failure().has_value());
  const Segment* segment = store.log().TakeIndexed();
  ASSERT_NE(segment, nullptr);
  EXPECT_EQ(EntriesOf(*segment), RecordedIn(store, *segment));
  EXPECT_FALSE(files.Open(SidecarPath(2), {.read_only = true}).has_value());
  EXPECT_FALSE(files.Open(SidecarPath(2) + ".new", {.read_only = true}).has_value());
}

TEST(Sidecar, OneOfAnEarlierLifeIsNotTakenForTheActiveSegments) {
  MemoryFileSystem files;
  {
    Store store(files);
    store.Fill(5, 3);
    store.Close();
  }
  for (const char* name :
       {"/store/000000000003.idx", "/store/000000000004.idx", "/store/000000000001.idx.new"}) {
    ASSERT_TRUE(files.Open(name, {.create = true}).has_value());
    files.SetContents(name, files.Contents(SidecarPath(2)));
  }
  ASSERT_TRUE(files.Open("/store/notes.idx", {.create = true}).has_value());
  Store store(files);
  files.Crash(1);  // what the opening removed stays away
  for (const char* name :
       {"/store/000000000003.idx", "/store/000000000004.idx", "/store/000000000001.idx.new"}) {
    EXPECT_FALSE(files.Open(name, {.read_only = true}).has_value()) << name;
  }
}

// ---- verified records

TEST(SealedRecords, AreVerifiedAcrossIncarnations) {
  MemoryFileSystem files;
  std::vector<std::pair<uint64_t, uint32_t>> places;  // sequence, offset
  for (int life = 0; life < 5; ++life) {  // each goes on where the one before stopped, within one segment
    Store store(files);
    for (int i = 0; i < 9; ++i) store.Add({{1, 1, 1}}, 1700);
    for (const Recorded& one : store.recorded())
      places.emplace_back(one.place.segment->sequence(), one.place.offset);
    store.Close();
  }
  std::map<uint64_t, const Segment*> sealed;
  Store store(files);
  while (const Segment* segment = store.log().TakeIndexed()) sealed[segment->sequence()] = segment;
  ASSERT_FALSE(sealed.empty());
  size_t verified = 0;
  for (const auto& [sequence, offset] : places) {
    const auto segment = sealed.find(sequence);
    if (segment == sealed.end()) continue;
    ++verified;
    ASSERT_TRUE(segment->second->mapped());
    EXPECT_TRUE(segment->second->RecordIsSound(offset - kRecordHeaderBytes)) << sequence << " " << offset;
    EXPECT_FALSE(segment->second->RecordIsSound(offset)) << "no record begins there";
  }
  EXPECT_GT(verified, 20u);
  const Segment* first = sealed.begin()->second;
  for (const uint64_t offset : {uint64_t{0}, uint64_t{8}, kSegmentHeaderBytes, first->end() - 8, first->end(),
                                first->end() + 4096, uint64_t{1} << 40}) {
    EXPECT_FALSE(first->RecordIsSound(offset)) << offset;
  }
}

// ---- openings that begin further up

struct Attached {
  std::vector<uint64_t> segments;
  std::vector<Lsn> indexed;
  std::vector<std::string> replayed;
};

Result<std::unique_ptr<Log>> OpenFrom(FileSystem& files, Lsn from, Attached* attached, RecoveryReport* report,
                                      LogOptions options = Indexed()) {
  Log::Start start;
  start.replay_from = from;
  start.attach = [attached](const Segment& segment) -> Result<void> {
    EXPECT_TRUE(segment.has_index());
    attached->segments.push_back(segment.sequence());
    return {};
  };
  start.index = [attached](Place place, std::string_view) -> Result<void> {
    attached->indexed.push_back(place.lsn());
    return {};
  };
  start.replay = [attached](Place, std::string_view body) -> Result<void> {
    attached->replayed.emplace_back(body);
    return {};
  };
  return Log::Open(files, options, start, report);
}

// A store with an LSN behind each record.
struct Marked {
  std::vector<std::string> bodies;
  std::vector<Lsn> tails{Lsn{0}};  // before the first, behind the first ...
  std::vector<uint64_t> sequences;
};
Marked FillMarked(FileSystem& files, size_t records) {
  Marked marked;
  Opened opened = MustOpen(files, Indexed());
  for (size_t i = 0; i < records; ++i) {
    marked.bodies.push_back(BodyOf({{1, i + 1, 0}}, 3000 + i % 7 * 500));
    marked.sequences.push_back(Record(*opened.log, marked.bodies.back()).segment->sequence());
    marked.tails.push_back(opened.log->tail());
    opened.log->Submit();
  }
  EXPECT_TRUE(opened.log->Close().has_value());
  return marked;
}

TEST(LogFrom, ReplaysTheRestFromEveryRecord) {
  MemoryFileSystem files;
  const Marked marked = FillMarked(files, 80);
  for (size_t from = 0; from <= marked.bodies.size(); ++from) {
    Attached attached;
    RecoveryReport report;
    auto log = OpenFrom(files, marked.tails[from], &attached, &report);
    ASSERT_TRUE(log.has_value()) << from << ": " << log.error().message;
    EXPECT_EQ(attached.replayed,
              std::vector(marked.bodies.begin() + static_cast<ptrdiff_t>(from), marked.bodies.end()));
    // Every record below is in an attached segment, or indexed.
    size_t below = attached.indexed.size();
    for (size_t i = 0; i < marked.bodies.size(); ++i) {
      if (std::count(attached.segments.begin(), attached.segments.end(), marked.sequences[i]) != 0) ++below;
    }
    EXPECT_EQ(below, from);
    EXPECT_EQ(report.skipped, attached.segments.size());
    for (size_t i = 0; i < attached.segments.size(); ++i) EXPECT_EQ(attached.segments[i], i + 1);
    if (from == marked.bodies.size()) {
      EXPECT_GT(report.skipped, 3u);
    }
    EXPECT_EQ((*log)->TakeIndexed() == nullptr, report.skipped + 1 == report.segments) << "the others follow";
  }
}

TEST(LogFrom, IndexesThatAreMissingOrDamagedAreMade) {
  MemoryFileSystem files;
  const Marked marked = FillMarked(files, 80);
  ASSERT_TRUE(files.Remove(SidecarPath(1)).has_value());
  files.SetContents(SidecarPath(2), "");
  files.SetContents(SidecarPath(3), std::string(5000, 'x'));
  Attached attached;
  RecoveryReport report;
  auto log = OpenFrom(files, marked.tails.back(), &attached, &report);
  ASSERT_TRUE(log.has_value()) << log.error().message;
  EXPECT_GT(files.Contents(SidecarPath(1)).size(), Sidecar::kHeaderBytes);
  EXPECT_EQ(files.Contents(SidecarPath(3)).substr(8, 8), "SLCINDEX");
}

TEST(LogFrom, RefusesAPlaceThatTheLogDoesNotReach) {
  MemoryFileSystem files;
  const Marked marked = FillMarked(files, 20);
  Attached attached;
  RecoveryReport report;
  const auto log = OpenFrom(files, marked.tails.back() + 5000, &attached, &report);
  ASSERT_FALSE(log.has_value());
  EXPECT_EQ(log.error().code, Error::Code::kCorrupt);
}

TEST(LogFrom, DamageInSegmentsThatAreNotReadIsFoundWhenTheyAreServed) {
  MemoryFileSystem files;
  const Marked marked = FillMarked(files, 80);
  std::string bytes = files.Contents(SegmentPath(2));
  bytes[kSegmentHeaderBytes + kBatchHeaderBytes + kRecordHeaderBytes + 100] ^= 1;
  files.SetContents(SegmentPath(2), bytes);
  Attached attached;
  RecoveryReport report;
  const Segment* damaged = nullptr;
  Log::Start start;
  start.replay_from = marked.tails.back();
  start.attach = [&](const Segment& segment) -> Result<void> {
    if (segment.sequence() == 2) damaged = &segment;
    return {};
  };
  start.index = start.replay = [](Place, std::string_view) -> Result<void> { return {}; };
  auto log = Log::Open(files, Indexed(), start, &report);
  ASSERT_TRUE(log.has_value()) << log.error().message;
  ASSERT_NE(damaged, nullptr);
  size_t sound = 0;
  size_t broken = 0;
  const auto runs = damaged->index().runs();
  for (uint32_t i = 0; i < runs[0].count; ++i) {
    const uint64_t record = damaged->index().Cells(runs[0])[i].offset - kRecordHeaderBytes;
    ++(damaged->RecordIsSound(record) ? sound : broken);
  }
  EXPECT_EQ(broken, 1u);
  EXPECT_GT(sound, 5u);
  log->reset();
  // Where the index has to be made of it, there is no way around it.
  ASSERT_TRUE(files.Remove(SidecarPath(2)).has_value());
  const auto refused = Log::Open(files, Indexed(), start, &report);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find(SegmentPath(2) + ", offset "), std::string::npos)
      << refused.error().message;
}

TEST(LogFrom, ASegmentThatWasCutShortIsCorruption) {
  MemoryFileSystem files;
  const Marked marked = FillMarked(files, 80);
  files.SetContents(SegmentPath(2), files.Contents(SegmentPath(2)).substr(0, 20'000));
  Attached attached;
  RecoveryReport report;
  const auto log = OpenFrom(files, marked.tails.back(), &attached, &report);
  ASSERT_FALSE(log.has_value());
  EXPECT_NE(log.error().message.find(SegmentPath(2) + ", offset 20000"), std::string::npos)
      << log.error().message;
}

}  // namespace
}  // namespace sluice::storage
