#include "server/engine/checkpoint_load.h"

#include <algorithm>
#include <utility>

#include "server/engine/state_load.h"
#include "storage/checkpoint_reader.h"
#include "storage/store_file.h"

namespace sluice::engine {
namespace {

using storage::CheckpointReader;
using storage::Error;
using storage::Result;

Result<void> Load(CheckpointReader& reader, Engine& engine, LoadedCheckpoint* loaded) {
  StateLoad load(engine.hash_seed(), reader.file_bytes(), reader.header().unix_ms);
  const auto take = [&load](std::string_view block) { return load.Take(block); };
  if (auto read = reader.Read(take, &loaded->records); !read) return read;
  auto keys = load.Finish();
  if (!keys || loaded->records != load.records()) {
    return tl::make_unexpected(
        Error{Error::Code::kCorrupt,
              reader.path() + ": " +
                  (keys ? "it does not hold as many records as it says" : keys.error().message)});
  }
  engine.Adopt(std::move(*keys));
  return {};
}

}  // namespace

Result<LoadedCheckpoint> LoadNewestCheckpoint(storage::FileSystem& files, const std::string& directory,
                                              Engine& engine) {
  LoadedCheckpoint loaded;
  auto found = storage::FindCheckpoints(files, directory, &loaded.unfinished);
  if (!found) return tl::make_unexpected(found.error());
  if (found->empty()) return loaded;
  loaded.next_sequence = found->back() + 1;
  // Whose checkpoints count. A STORE file that cannot be read is the log's to judge, not ours.
  const auto store = storage::ReadStoreFile(files, directory);
  if (!store) return loaded;
  for (auto sequence = found->rbegin(); sequence != found->rend(); ++sequence) {
    auto reader = CheckpointReader::Open(files, directory, *sequence, store->log_id);
    auto done = reader ? Load(*reader, engine, &loaded) : Result<void>(tl::make_unexpected(reader.error()));
    if (done) {
      loaded.path = reader->path();
      loaded.sequence = *sequence;
      loaded.lsn = reader->header().lsn;
      loaded.segment = reader->header().segment;
      loaded.file_bytes = reader->file_bytes();
      loaded.unix_ms = reader->header().unix_ms;
      return loaded;
    }
    if (done.error().code != Error::Code::kCorrupt) return tl::make_unexpected(done.error());
    loaded.passed_over.push_back(done.error().message);
  }
  loaded.records = 0;
  return loaded;
}

}  // namespace sluice::engine
