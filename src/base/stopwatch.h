#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace calque {

/// Wall time on a clock that never goes back.
class Stopwatch {
 public:
  Stopwatch() : start_(Clock::now()) {}
  /// Seconds since construction or the last `restart`.
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  /// Seconds as above, then starts anew.
  double restart() {
    const Clock::time_point now = Clock::now();
    const double elapsed = std::chrono::duration<double>(now - start_).count();
    start_ = now;
    return elapsed;
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_;
};

/// "1 h 03 min", "4 min 05 s", "12.3 s", "85 ms".
std::string format_duration(double seconds);

/// "812 B", "3.4 KB", "1.21 GB" (powers of 1024).
std::string format_bytes(double bytes);

/// "12,345,678".
std::string format_count(long long count);

/// "1 sentence", "12,345 sentences": a number of things whose name takes an s.
std::string format_count(long long count, std::string_view thing);

}  // namespace calque
