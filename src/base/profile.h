#pragma once

#include <cstdint>
#include <string>

namespace calque {

/// Wall time by named part of the program, summed over calls. Off by default; off, a ProfileScope
/// costs one test of a bool. Only the main thread opens scopes; scopes nest, and a part's own time
/// excludes the parts inside it.
namespace profile {

void enable(bool on);
bool enabled();
void reset();

/// Own seconds of a part since `reset` (0 when it never ran).
double seconds(const char* part);

/// A table: part, calls, own milliseconds, share of all.
std::string table();

void enter(const char* part);
void leave();

}  // namespace profile

/// Times the block it stands in: `ProfileScope scope("gemm");`. `part` must be a string literal.
class ProfileScope {
 public:
  explicit ProfileScope(const char* part) : on_(profile::enabled()) {
    if (on_) profile::enter(part);
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
