#include "base/stopwatch.h"

#include <limits>

#include "support/catch.h"

using namespace calque;

TEST_CASE("durations read naturally and never round to a full next unit", "[base]") {
  CHECK(format_duration(0) == "0 ms");
  CHECK(format_duration(0.0853) == "85 ms");
  CHECK(format_duration(0.9994) == "999 ms");
  CHECK(format_duration(0.9996) == "1.0 s");
  CHECK(format_duration(12.34) == "12.3 s");
  CHECK(format_duration(59.94) == "59.9 s");
  CHECK(format_duration(59.96) == "1 min 00 s");
  CHECK(format_duration(245.2) == "4 min 05 s");
  CHECK(format_duration(3599.4) == "59 min 59 s");
  CHECK(format_duration(3599.6) == "1 h 00 min");
  CHECK(format_duration(3780) == "1 h 03 min");
  CHECK(format_duration(100 * 3600) == "100 h 00 min");
  CHECK(format_duration(-12.34) == "-12.3 s");
  CHECK(format_duration(std::numeric_limits<double>::infinity()) == "unknown");
}

TEST_CASE("sizes are in powers of 1024", "[base]") {
  CHECK(format_bytes(0) == "0 B");
  CHECK(format_bytes(812) == "812 B");
  CHECK(format_bytes(1023) == "1023 B");
  CHECK(format_bytes(1024) == "1.0 KB");
  CHECK(format_bytes(3482) == "3.4 KB");
  CHECK(format_bytes(1024 * 1024 - 1) == "1.0 MB");
  CHECK(format_bytes(1.21 * 1024 * 1024 * 1024) == "1.21 GB");
  CHECK(format_bytes(5e15) == "4547.47 TB");
}

TEST_CASE("counts are grouped by thousands", "[base]") {
  CHECK(format_count(0) == "0");
  CHECK(format_count(999) == "999");
  CHECK(format_count(1000) == "1,000");
  CHECK(format_count(12345678) == "12,345,678");
  CHECK(format_count(-1) == "-1");
  CHECK(format_count(-123456) == "-123,456");
  CHECK(format_count(std::numeric_limits<long long>::min()) == "-9,223,372,036,854,775,808");
}

TEST_CASE("a count of things has a plural unless it is one", "[base]") {
  CHECK(format_count(1, "sentence") == "1 sentence");
  CHECK(format_count(0, "line") == "0 lines");
  CHECK(format_count(1234, "token") == "1,234 tokens");
}

TEST_CASE("a stopwatch runs on and starts anew", "[base]") {
  Stopwatch watch;
  while (watch.seconds() < 0.01) continue;
  const double first = watch.seconds();
  CHECK(first >= 0.01);
  CHECK(watch.restart() >= first);
  CHECK(watch.seconds() < first + 10);
}
