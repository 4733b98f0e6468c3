// MEMORY: what is odd about the memory in use, and what the allocator has to say and to give back.
#include <malloc.h>

#include <cstdio>
#include <cstdlib>

#include "server/commands/handlers.h"
#include "server/commands/process_memory.h"

namespace sluice::commands {

void MemoryDoctor(Context& ctx) {
  constexpr uint64_t kMiB = 1024 * 1024;
  // Below it the program itself is most of what there is.
  constexpr uint64_t kTooSmallToTell = 64 * kMiB;
  constexpr uint64_t kLargeClient = 4 * kMiB;
  const ProcessMemory memory = ReadProcessMemory();
  if (memory.anonymous < kTooSmallToTell) {
    return ctx.reply.Verbatim(
        "txt",
        "There is too little in memory to tell anything from it. Messages live in the log, so this "
        "may be well even with many of them.\n");
  }
  std::string advice;
  if (memory.peak > memory.resident / 2 * 3) {
    advice +=
        "- The memory in use was once half as large again as now. What was freed may not have gone back to "
        "the system yet.\n";
  }
  if (memory.anonymous > memory.allocated / 2 * 3) {
    advice +=
        "- A third or more of the resident memory is not in use: it is fragmented, or was freed lately.\n";
  }
  uint64_t large = 0;
  ctx.host.ForEachSession([&](Session& session) { large += session.memory_bytes() > kLargeClient; });
  if (large != 0) {
    advice += errors::Concat({"- ", std::to_string(large),
                              " clients hold more than 4 MiB each (CLIENT LIST, tot-mem): they do not read "
                              "their replies, or send large requests. client-output-buffer-limit and "
                              "maxmemory-clients bound them.\n"});
  }
  ctx.reply.Verbatim("txt", advice.empty() ? "Nothing is odd about the memory in use.\n"
                                           : "What is odd about the memory in use:\n\n" + advice);
}

// Walks the free lists: an operator's wish, like the one below.
void MemoryMallocStats(Context& ctx) {
  char* text = nullptr;
  size_t bytes = 0;
  std::FILE* file = open_memstream(&text, &bytes);
  if (file == nullptr) return ctx.reply.Error("there is no memory to say it in");
  malloc_info(0, file);
  std::fclose(file);
  ctx.reply.Verbatim("txt", {text, bytes});
  std::free(text);
}

void MemoryPurge(Context& ctx) {
  malloc_trim(0);
  ctx.reply.Ok();
}

}  // namespace sluice::commands
