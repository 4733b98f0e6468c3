// Threads whose work nobody waits for.
#pragma once

#include <functional>
#include <thread>

namespace sluice::storage {

// What such a thread's nice value is above the process's.
inline constexpr int kBackgroundNice = 5;

// Starts `run` in a thread of its own that yields to the others: where there is no processor to spare, the
// loop does not wait for the end of its time slice. `name` is what `top -H` shows, up to 15 characters. Where
// the system allows no lower priority (a seccomp filter), it runs with the process's own.
[[nodiscard]] std::thread StartBackground(const char* name, std::function<void()> run);

}  // namespace sluice::storage
