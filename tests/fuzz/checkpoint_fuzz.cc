// Whatever stands in a checkpoint's file, reading it gives a state or an error. The first byte chooses: the
// rest is a whole file, or the records of one, as if every checksum had matched.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/engine/checkpoint_load.h"
#include "server/engine/state_load.h"
#include "storage/format.h"
#include "storage/memory_file_system.h"

namespace {

using namespace sluice;

void LoadFile(std::string_view bytes) {
  storage::MemoryFileSystem files;
  std::string store(storage::StoreHeader::kBytes, '\0');
  Encode(storage::StoreHeader{.log_id = 1, .incarnation = 1},
         std::span<char, storage::StoreHeader::kBytes>(store.data(), store.size()));
  for (const auto& [name, contents] : {std::pair<std::string, std::string>{"d/STORE", store},
                                       {"d/checkpoint-000000000001", std::string(bytes)}}) {
    (void)files.Open(name, {.create = true});
    files.SetContents(name, contents);
  }
  engine::Engine engine(1);
  (void)engine::LoadNewestCheckpoint(files, "d", engine);
}

void LoadRecords(std::string_view bytes) {
  engine::StateLoad load(1, bytes.size(), 1);
  if (!load.Take(bytes)) return;
  auto keys = load.Finish();
  if (!keys) return;
  engine::Engine engine(1);
  engine.Adopt(std::move(*keys));
  // A state that was accepted can be written again, and is then the same.
  std::string again;
  engine.BeginDump([&again](std::string block, storage::CheckpointBlock::Type) { again += block; });
  while (engine.ContinueDump(1000)) {
  }
  engine::StateLoad second(1, again.size(), 1);
  if (!second.Take(again) || !second.Finish()) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  (data[0] & 1) == 0 ? LoadFile(bytes) : LoadRecords(bytes);
  return 0;
}
