#include "server/net/open_files.h"

#include <sys/resource.h>

#include <algorithm>

namespace sluice::net {

uint64_t RaiseOpenFiles(uint64_t clients) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return clients;
  const uint64_t wanted = clients + kReservedFiles;
  if (limit.rlim_cur < wanted) {
    rlimit raised{.rlim_cur = wanted, .rlim_max = std::max<rlim_t>(limit.rlim_max, wanted)};
    // Beyond the hard limit only root gets through; otherwise take all that the hard limit has.
    if (setrlimit(RLIMIT_NOFILE, &raised) != 0) {
      raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
      static_cast<void>(setrlimit(RLIMIT_NOFILE, &raised));
    }
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur >= wanted) return clients;
  return limit.rlim_cur > kReservedFiles ? limit.rlim_cur - kReservedFiles : 1;
}

}  // namespace sluice::net
