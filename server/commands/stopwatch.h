// A clock for short times that costs less than the system's.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

#include <chrono>

namespace sluice::commands {

// Counts cycles of the processor's time-stamp counter where it has one that always runs at the same pace;
// else nanoseconds of the steady clock.
class Stopwatch {
 public:
  static uint64_t Cycles() {
#if defined(__x86_64__)
    if (steady_counter_) return __rdtsc();
#endif
    return Nanoseconds();
  }

  static uint64_t Nanoseconds() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
  }

  // Cycles in a nanosecond, measured once: the first call takes about 2 ms.
  static double CyclesPerNanosecond() {
    static const double rate = Calibrate();
    return rate;
  }
  static uint64_t CyclesIn(uint64_t nanoseconds) {
    return static_cast<uint64_t>(static_cast<double>(nanoseconds) * CyclesPerNanosecond());
  }

 private:
  static double Calibrate() {
    if (!steady_counter_) return 1;
    constexpr uint64_t kMeasureNs = 2'000'000;
    const uint64_t began_ns = Nanoseconds();
    const uint64_t began = Cycles();
    uint64_t now_ns = began_ns;
    while (now_ns - began_ns < kMeasureNs) now_ns = Nanoseconds();
    return static_cast<double>(Cycles() - began) / static_cast<double>(now_ns - began_ns);
  }

  static bool HasSteadyCounter() {
#if defined(__x86_64__)
    constexpr unsigned kPowerManagement = 0x80000007;
    constexpr unsigned kInvariantTsc = 1u << 8;
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid(kPowerManagement, &a, &b, &c, &d) != 0 && (d & kInvariantTsc) != 0;
#else
    return false;
#endif
  }

  static inline const bool steady_counter_ = HasSteadyCounter();
};

}  // namespace sluice::commands
