#include "metrics/ter.h"

#include <ctime>

#include "support/catch.h"

namespace calque::test {
namespace {

double ter(const std::string& hypothesis, const std::vector<std::string>& references,
           const TerOptions& options = {}) {
  const Ter metric(options);
  CorpusCounts counts(metric);
  counts.add(hypothesis, references);
  return counts.score();
}

TEST_CASE("TER counts words replaced, left out and put in", "[metrics]") {
  CHECK(ter("a b c d", {"a b c d"}) == 0);
  CHECK(ter("a x c d", {"a b c d"}) == 25);
  CHECK(ter("a c d", {"a b c d"}) == 25);
  CHECK(ter("a b b c d", {"a b c d"}) == 25);
}

TEST_CASE("TER counts a sequence moved as one edit", "[metrics]") {
  CHECK(ter("d e a b c", {"a b c d e"}) == 20);
  CHECK(ter("c d e f a b", {"a b c d e f"}) == Approx(100.0 / 6));
}

TEST_CASE("TER takes the edits of the closest reference and the mean length of all", "[metrics]") {
  CHECK(ter("a b c d", {"x y z v w u", "a b c e"}) == 20);
}

TEST_CASE("TER of text against nothing", "[metrics]") {
  CHECK(ter("", {"a b"}) == 100);
  CHECK(ter("a b", {""}) == 100);
  CHECK(ter("", {""}) == 0);
}

TEST_CASE("TER normalises a reference as often as sacreBLEU does", "[metrics]") {
  // Once gives "a . .1", twice "a . . 1".
  CHECK(ter("a..1", {"q a..1"}, {.normalized = true}) == 60);
}

TEST_CASE("TER of very long lines takes time by their length", "[metrics]") {
  constexpr int kWords = 2000;
  std::string reference;
  std::string hypothesis;
  for (int64_t i = 0; i < kWords; ++i) {
    reference += " w" + std::to_string(i * i % 397);
    hypothesis += " w" + std::to_string((i ^ 4) * (i ^ 4) % 397);  // blocks of four change places
  }
  const std::clock_t begin = std::clock();
  CHECK(ter(hypothesis, {reference}) > 0);
  CHECK(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC < 10);
}

}  // namespace
}  // namespace calque::test
