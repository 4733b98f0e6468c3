// A file system in memory that loses power, runs full and fails on request.
//
// What a running program sees is always what was written last. What stable storage holds lags behind it: a
// file's bytes sector by sector until a sync, names until their directory is synced. Crash() lets a seed
// choose what of the rest had made it, and so makes every loss that a disk is allowed and none that it is
// not.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "storage/file_system.h"

namespace sluice::storage {

class MemoryFileSystem : public FileSystem {
 public:
  static constexpr uint64_t kSectorBytes = 512;  // is old or new, never a mixture
  static constexpr uint64_t kNever = UINT64_MAX;

  // One file's bytes. Guarded by the file system's mutex.
  struct Node {
    std::string live;                                       // what programs read
    std::string durable;                                    // what certainly survives
    std::map<uint64_t, std::vector<std::string>> unsynced;  // by sector: what it held since, in order
  };

  MemoryFileSystem() = default;
  MemoryFileSystem(const MemoryFileSystem&) = delete;
  MemoryFileSystem& operator=(const MemoryFileSystem&) = delete;

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  Result<void> Rename(const std::string& from, const std::string& to) override;
  Result<void> Remove(const std::string& path) override;
  Result<void> CreateDirectory(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& directory) override;
  Result<void> SyncDirectory(const std::string& directory) override;
  Result<std::shared_ptr<void>> Lock(const std::string& path) override;
  Result<uint64_t> FreeBytes(const std::string& directory) override;
  Result<uint64_t> UsedBytes(const std::string& directory) override;

  // The power goes and comes back: each unsynced sector is as it was or as it became at some point since,
  // each unsynced size old or new, each unsynced name change made or not. Files open from before answer kIo
  // from now on, locks are free, nothing fails any more.
  void Crash(uint64_t seed);

  // After `after` more of them, every write (or sync) fails. A failing write leaves some of its sectors
  // written; what a failing sync should have saved is lost, although it still reads back (as the page cache
  // behaves).
  void FailWrites(uint64_t after);
  void FailSyncs(uint64_t after);

  // How many bytes files may grow by from now on; unlimited at first.
  void SetFreeBytes(uint64_t bytes);

  uint64_t writes() const;  // so far, failed ones included
  uint64_t syncs() const;   // files' syncs and durable writes

  // A file's bytes, to look at and to damage; what is set is durable at once. The file must exist.
  std::string Contents(const std::string& path) const;
  void SetContents(const std::string& path, std::string bytes);

 private:
  friend class MemoryFile;

  // A change of names that its directory's next sync makes durable.
  struct NameChange {
    enum class Kind : uint8_t { kCreate, kRename, kRemove } kind;
    std::string from;
    std::string to;
    std::shared_ptr<Node> node;  // that was created
  };
  using Names = std::map<std::string, std::shared_ptr<Node>>;

  static void Apply(const NameChange& change, Names& names);
  Result<void> Write(Node& node, uint64_t offset, std::span<const char> bytes);
  Result<void> SyncSectors(Node& node, uint64_t first_byte, uint64_t end_byte);
  Result<void> Grow(Node& node, uint64_t bytes);
  void TearWrite(Node& node, uint64_t offset, std::span<const char> bytes);
  void CrashNode(Node& node, std::mt19937_64& random);

  mutable std::mutex mutex_;
  Names names_;
  Names durable_names_;
  std::vector<NameChange> unsynced_names_;
  std::set<std::string> locks_;
  std::mt19937_64 random_;
  uint64_t life_ = 0;  // raised by Crash(): whoever holds something of an earlier one has died
  uint64_t free_bytes_ = kNever;
  uint64_t writes_ = 0;
  uint64_t syncs_ = 0;
  uint64_t writes_until_failure_ = kNever;
  uint64_t syncs_until_failure_ = kNever;
};

}  // namespace sluice::storage
