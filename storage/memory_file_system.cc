#include "storage/memory_file_system.h"

#include <algorithm>
#include <filesystem>

#include "storage/check.h"

namespace sluice::storage {
namespace {

std::string Directory(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

// True once `*left` calls have been let through.
bool Exhausted(uint64_t* left) {
  if (*left == MemoryFileSystem::kNever) return false;
  if (*left == 0) return true;
  --*left;
  return false;
}

}  // namespace

// An open file: a node, for as long as the power stays on.
class MemoryFile : public File {
 public:
  MemoryFile(MemoryFileSystem& files, std::shared_ptr<MemoryFileSystem::Node> node)
      : files_(files), node_(std::move(node)), life_(files.life_) {}

  Result<size_t> ReadAt(uint64_t offset, std::span<char> into) override {
    const std::lock_guard lock(files_.mutex_);
    if (auto alive = Alive(); !alive) return tl::make_unexpected(alive.error());
    if (offset >= node_->live.size()) return 0;
    return node_->live.copy(into.data(), into.size(), offset);
  }

  Result<void> WriteAt(uint64_t offset, std::span<const char> bytes) override {
    const std::lock_guard lock(files_.mutex_);
    if (auto alive = Alive(); !alive) return alive;
    return files_.Write(*node_, offset, bytes);
  }

  Result<void> WriteBlocks(uint64_t offset, std::span<const char> blocks, std::span<const char> last,
                           bool durable) override {
    const std::lock_guard lock(files_.mutex_);
    if (auto alive = Alive(); !alive) return alive;
    std::string bytes;
    bytes.reserve(blocks.size() + last.size());
    bytes.append(blocks.data(), blocks.size()).append(last.data(), last.size());
    auto wrote = files_.Write(*node_, offset, bytes);
    if (!wrote || !durable) return wrote;
    return files_.SyncSectors(*node_, offset, offset + bytes.size());
  }

  Result<void> Sync() override {
    const std::lock_guard lock(files_.mutex_);
    if (auto alive = Alive(); !alive) return alive;
    return files_.SyncSectors(*node_, 0, node_->live.size());
  }

  Result<void> Allocate(uint64_t bytes) override {
    const std::lock_guard lock(files_.mutex_);
    if (auto alive = Alive(); !alive) return alive;
    return files_.Grow(*node_, bytes);
  }

  Result<uint64_t> Size() override {
    const std::lock_guard lock(files_.mutex_);
    return node_->live.size();
  }

  Result<std::shared_ptr<const char>> Map(uint64_t bytes) override {
    const std::lock_guard lock(files_.mutex_);
    if (auto alive = Alive(); !alive) return tl::make_unexpected(alive.error());
    auto copy = std::make_shared<std::string>(node_->live.substr(0, bytes));
    return std::shared_ptr<const char>(copy, copy->data());
  }

  int fd() const override { return -1; }

 private:
  Result<void> Alive() const {
    if (life_ != files_.life_) return Fail(Error::Code::kIo, "the power went");
    return {};
  }

  MemoryFileSystem& files_;
  std::shared_ptr<MemoryFileSystem::Node> node_;
  uint64_t life_;
};

Result<std::unique_ptr<File>> MemoryFileSystem::Open(const std::string& path, OpenMode mode) {
  const std::lock_guard lock(mutex_);
  auto found = names_.find(path);
  if (found == names_.end()) {
    if (!mode.create) return Fail(Error::Code::kIo, "open " + path + ": no such file");
    unsynced_names_.push_back({NameChange::Kind::kCreate, path, {}, std::make_shared<Node>()});
    Apply(unsynced_names_.back(), names_);
    found = names_.find(path);
  } else if (mode.create && mode.exclusive) {
    return Fail(Error::Code::kIo, "open " + path + ": it exists");
  }
  return std::make_unique<MemoryFile>(*this, found->second);
}

Result<void> MemoryFileSystem::Rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  if (!names_.contains(from)) return Fail(Error::Code::kIo, "rename " + from + ": no such file");
  if (free_bytes_ != kNever && names_.contains(to)) free_bytes_ += names_[to]->live.size();
  unsynced_names_.push_back({NameChange::Kind::kRename, from, to, {}});
  Apply(unsynced_names_.back(), names_);
  return {};
}

Result<void> MemoryFileSystem::Remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (!names_.contains(path)) return Fail(Error::Code::kIo, "remove " + path + ": no such file");
  if (free_bytes_ != kNever) free_bytes_ += names_[path]->live.size();
  unsynced_names_.push_back({NameChange::Kind::kRemove, path, {}, {}});
  Apply(unsynced_names_.back(), names_);
  return {};
}

// Directories are there as soon as they are named: losing a whole store is no interesting loss.
Result<void> MemoryFileSystem::CreateDirectory(const std::string&) {
  return {};
}

Result<std::vector<std::string>> MemoryFileSystem::List(const std::string& directory) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [path, node] : names_) {
    if (Directory(path) == directory) names.push_back(std::filesystem::path(path).filename().string());
  }
  return names;
}

Result<void> MemoryFileSystem::SyncDirectory(const std::string& directory) {
  const std::lock_guard lock(mutex_);
  const auto kept =
      std::stable_partition(unsynced_names_.begin(), unsynced_names_.end(),
                            [&](const NameChange& change) { return Directory(change.from) != directory; });
  std::for_each(kept, unsynced_names_.end(),
                [&](const NameChange& change) { Apply(change, durable_names_); });
  unsynced_names_.erase(kept, unsynced_names_.end());
  return {};
}

Result<std::shared_ptr<void>> MemoryFileSystem::Lock(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (!locks_.insert(path).second)
    return Fail(Error::Code::kInUse, "another server has this store open (" + path + ")");
  return std::shared_ptr<void>(this, [this, path, life = life_](void*) {
    const std::lock_guard release(mutex_);
    if (life == life_) locks_.erase(path);
  });
}

Result<uint64_t> MemoryFileSystem::FreeBytes(const std::string&) {
  const std::lock_guard lock(mutex_);
  return free_bytes_;
}

Result<uint64_t> MemoryFileSystem::UsedBytes(const std::string& directory) {
  const std::lock_guard lock(mutex_);
  uint64_t bytes = 0;
  for (const auto& [path, node] : names_) {
    if (path.starts_with(directory + "/")) bytes += node->live.size();
  }
  return bytes;
}

void MemoryFileSystem::Crash(uint64_t seed) {
  const std::lock_guard lock(mutex_);
  std::mt19937_64 random(seed);
  // A journalling file system loses the last name changes, others may lose any.
  const bool any = random() % 2 == 0;
  size_t made = random() % (unsynced_names_.size() + 1);
  for (size_t i = 0; i < unsynced_names_.size(); ++i) {
    if (any ? random() % 2 == 0 : i < made) Apply(unsynced_names_[i], durable_names_);
  }
  unsynced_names_.clear();
  names_ = durable_names_;
  for (auto& [path, node] : names_) CrashNode(*node, random);
  locks_.clear();
  ++life_;
  random_.seed(random());
  writes_until_failure_ = syncs_until_failure_ = kNever;
}

void MemoryFileSystem::CrashNode(Node& node, std::mt19937_64& random) {
  const uint64_t inclination = random() % 4;  // all old, all new, or each sector for itself
  const auto choose = [&](size_t versions) {
    return inclination == 0   ? 0
           : inclination == 1 ? versions
                              : static_cast<size_t>(random() % (versions + 1));
  };
  const size_t size = choose(1) == 0 ? node.durable.size() : node.live.size();
  node.durable.resize(std::max(node.durable.size(), node.live.size()));
  for (const auto& [sector, versions] : node.unsynced) {
    const size_t version = choose(versions.size());
    if (version == 0) continue;
    const uint64_t offset = sector * kSectorBytes;
    const uint64_t bytes = std::min(kSectorBytes, node.durable.size() - offset);
    node.durable.replace(offset, bytes, versions[version - 1], 0, bytes);
  }
  node.durable.resize(size);
  node.unsynced.clear();
  node.live = node.durable;
}

void MemoryFileSystem::Apply(const NameChange& change, Names& names) {
  const auto from = names.find(change.from);
  switch (change.kind) {
    case NameChange::Kind::kCreate:
      names.emplace(change.from, change.node);
      break;
    case NameChange::Kind::kRename:
      if (from == names.end()) break;
      names[change.to] = from->second;
      names.erase(change.from);
      break;
    case NameChange::Kind::kRemove:
      names.erase(change.from);
      break;
  }
}

Result<void> MemoryFileSystem::Write(Node& node, uint64_t offset, std::span<const char> bytes) {
  ++writes_;
  if (Exhausted(&writes_until_failure_)) {
    TearWrite(node, offset, bytes);
    return Fail(Error::Code::kIo, "the disk refuses to write");
  }
  if (auto grown = Grow(node, offset + bytes.size()); !grown) return grown;
  node.live.replace(offset, bytes.size(), bytes.data(), bytes.size());
  if (bytes.empty()) return {};
  for (uint64_t sector = offset / kSectorBytes; sector <= (offset + bytes.size() - 1) / kSectorBytes;
       ++sector) {
    node.unsynced[sector].push_back(node.live.substr(sector * kSectorBytes, kSectorBytes));
    node.unsynced[sector].back().resize(kSectorBytes);
  }
  return {};
}

// Writes each sector of a write that fails, or does not.
void MemoryFileSystem::TearWrite(Node& node, uint64_t offset, std::span<const char> bytes) {
  const uint64_t inclination = random_() % 4;
  while (!bytes.empty() && offset < node.live.size()) {
    const uint64_t step =
        std::min({kSectorBytes - offset % kSectorBytes, bytes.size(), node.live.size() - offset});
    if (inclination == 1 || (inclination > 1 && random_() % 2 == 0)) {
      node.live.replace(offset, step, bytes.data(), step);
      const uint64_t sector = offset / kSectorBytes;
      node.unsynced[sector].push_back(node.live.substr(sector * kSectorBytes, kSectorBytes));
      node.unsynced[sector].back().resize(kSectorBytes);
    }
    offset += step;
    bytes = bytes.subspan(step);
  }
}

Result<void> MemoryFileSystem::SyncSectors(Node& node, uint64_t first_byte, uint64_t end_byte) {
  ++syncs_;
  const bool fails = Exhausted(&syncs_until_failure_);
  if (!fails) node.durable.resize(std::max<uint64_t>(node.durable.size(), end_byte));
  const auto from = node.unsynced.lower_bound(first_byte / kSectorBytes);
  const auto to = node.unsynced.lower_bound((end_byte + kSectorBytes - 1) / kSectorBytes);
  for (auto sector = from; sector != to && !fails; ++sector) {
    const uint64_t offset = sector->first * kSectorBytes;
    const uint64_t bytes = std::min(kSectorBytes, node.durable.size() - offset);
    node.durable.replace(offset, bytes, sector->second.back(), 0, bytes);
  }
  node.unsynced.erase(from, to);
  if (fails) return Fail(Error::Code::kIo, "the disk refuses to sync");
  return {};
}

Result<void> MemoryFileSystem::Grow(Node& node, uint64_t bytes) {
  if (bytes <= node.live.size()) return {};
  const uint64_t growth = bytes - node.live.size();
  if (free_bytes_ != kNever) {
    if (growth > free_bytes_) return Fail(Error::Code::kFull, "no space on the disk");
    free_bytes_ -= growth;
  }
  node.live.resize(bytes);
  return {};
}

void MemoryFileSystem::FailWrites(uint64_t after) {
  const std::lock_guard lock(mutex_);
  writes_until_failure_ = after;
}

void MemoryFileSystem::FailSyncs(uint64_t after) {
  const std::lock_guard lock(mutex_);
  syncs_until_failure_ = after;
}

void MemoryFileSystem::SetFreeBytes(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  free_bytes_ = bytes;
}

uint64_t MemoryFileSystem::writes() const {
  const std::lock_guard lock(mutex_);
  return writes_;
}

uint64_t MemoryFileSystem::syncs() const {
  const std::lock_guard lock(mutex_);
  return syncs_;
}

std::string MemoryFileSystem::Contents(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(path);
  CHECK(found != names_.end());
  return found->second->live;
}

void MemoryFileSystem::SetContents(const std::string& path, std::string bytes) {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(path);
  CHECK(found != names_.end());
  found->second->unsynced.clear();
  found->second->live = std::move(bytes);
  found->second->durable = found->second->live;
}

}  // namespace sluice::storage
