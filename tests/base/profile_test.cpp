#include "base/profile.h"

#include <string>
#include <thread>

#include "base/error.h"
#include "base/stopwatch.h"
#include "support/catch.h"

using namespace calque;

namespace {

/// Busy for `seconds`; returns the time that really passed.
double work(double seconds) {
  const Stopwatch watch;
  while (watch.seconds() < seconds) continue;
  return watch.seconds();
}

/// Profiling on for one test.
class ProfilingForTest {
 public:
  ProfilingForTest() {
    profile::enable(true);
    profile::reset();
  }
  ~ProfilingForTest() {
    profile::enable(false);
    profile::reset();
  }
};

}  // namespace

TEST_CASE("a part's own time excludes the parts inside it", "[base]") {
  const ProfilingForTest profiling;
  const Stopwatch watch;
  double inner = 0;
  {
    const ProfileScope outer("test outer");
    work(0.01);
    for (int i = 0; i < 2; ++i) {
      const ProfileScope scope("test inner");
      inner += work(0.02);
    }
    work(0.01);
  }
  const double all = watch.seconds();
  work(0.01);  // outside of any part
  CHECK(profile::seconds("test inner") >= inner * 0.999);
  CHECK(profile::seconds("test outer") >= 0.0199);
  CHECK(profile::seconds("test inner") + profile::seconds("test outer") <= all * 1.001);
  CHECK(profile::seconds("test never") == 0);
}

TEST_CASE("a part inside itself is counted once", "[base]") {
  const ProfilingForTest profiling;
  const Stopwatch watch;
  {
    const ProfileScope outer("test recursive");
    const ProfileScope inner("test recursive");
    work(0.005);
  }
  CHECK(profile::seconds("test recursive") >= 0.005);
  CHECK(profile::seconds("test recursive") <= watch.seconds());
}

TEST_CASE("the table has a row with the calls of each part that ran", "[base]") {
  const ProfilingForTest profiling;
  for (int i = 0; i < 3; ++i) {
    const ProfileScope scope("test part");
    work(0.001);
  }
  const std::string table = profile::table();
  CHECK(table.find("part ") == 0);
  CHECK(table.find("test part                               3") != std::string::npos);
  CHECK(table.find("100.0 %") != std::string::npos);
  profile::reset();
  CHECK(profile::table().find("test part") == std::string::npos);
}

TEST_CASE("work is summed over the scopes of a part and shown as rates", "[base]") {
  const ProfilingForTest profiling;
  for (int i = 1; i <= 2; ++i) {
    const ProfileScope outer("test outer work", [&] { return profile::Work{1e6 * i, 2e6}; });
    const ProfileScope inner("test inner work", [] { return profile::Work{0, 5e6}; });
    work(0.002);
  }
  { const ProfileScope scope("test no work"); }
  const std::vector<profile::Part> parts = profile::parts();
  REQUIRE(parts.size() == 3);
  CHECK(std::string(parts[0].name) == "test inner work");  // the longest first
  CHECK(parts[0].calls == 2);
  CHECK(parts[0].work.flops == 0);
  CHECK(parts[0].work.bytes == 10e6);
  for (const profile::Part& part : parts) {
    if (std::string(part.name) != "test outer work") continue;
    CHECK(part.work.flops == 3e6);
    CHECK(part.work.bytes == 4e6);
  }
  const std::string table = profile::table({{"test rates", 7, 0.5, {2e9, 30e9}}});
  CHECK(table.find("test rates                              7        500.0 100.0 %       4.0    "
                   "60.0\n") != std::string::npos);
}

TEST_CASE("off, nothing is timed and no work is asked for", "[base]") {
  REQUIRE_FALSE(profile::enabled());
  bool asked = false;
  {
    const ProfileScope scope("test off", [&] {
      asked = true;
      return profile::Work{1, 1};
    });
  }
  CHECK_FALSE(asked);
  CHECK(profile::seconds("test off") == 0);
}

TEST_CASE("scopes of other threads are refused", "[base]") {
  const ProfilingForTest profiling;
  bool refused = false;
  std::thread([&] {
    try {
      const ProfileScope scope("test thread");
    } catch (const InternalError&) {
      refused = true;
    }
  }).join();
  CHECK(refused);
}
