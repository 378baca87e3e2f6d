#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace calque {

/// Wall time by named part of the program, summed over calls. Off by default; off, a ProfileScope
/// costs one test of a bool. Only the main thread opens scopes; scopes nest, and a part's own time
/// excludes the parts inside it.
namespace profile {

/// What a scope does, for its rates. kernels/work.h says what is counted.
struct Work {
  double flops = 0;
  double bytes = 0;
};

/// The sums over all scopes of a name.
struct Part {
  const char* name;
  int64_t calls = 0;
  double seconds = 0;
  Work work = {};
};

void enable(bool on);
bool enabled();
void reset();

/// Own seconds of a part since `reset` (0 when it never ran).
double seconds(const char* part);

/// What ran since `reset`, longest first.
std::vector<Part> parts();

/// A table: part, calls, own milliseconds, share of all, and where work is counted GFLOP/s and
/// GB/s.
std::string table(const std::vector<Part>& rows = parts());

void enter(const char* part);
/// Counts work for the innermost open scope.
void count(const Work& work);
void leave();

}  // namespace profile

/// Times the block it stands in: `ProfileScope scope("gemm");`. `part` must be a string literal.
class ProfileScope {
 public:
  explicit ProfileScope(const char* part) : on_(profile::enabled()) {
    if (on_) profile::enter(part);
  }
  /// `work()` gives the block's profile::Work; it is called only while profiling is on.
  template <class WorkFunction>
  ProfileScope(const char* part, const WorkFunction& work) : ProfileScope(part) {
    if (on_) profile::count(work());
  }
  ~ProfileScope() {
    if (on_) profile::leave();
  }
  ProfileScope(const ProfileScope&) = delete;
  ProfileScope& operator=(const ProfileScope&) = delete;

 private:
  bool on_;
};

}  // namespace calque
