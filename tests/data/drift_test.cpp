#include "data/drift.h"

#include <random>

#include "support/catch.h"

namespace calque {
namespace {

/// Lengths of `count` sentences and of their translations, which differ by a few letters.
struct Lengths {
  std::vector<size_t> source;
  std::vector<size_t> target;
};

Lengths random_lengths(size_t count) {
  std::mt19937 random(17);
  Lengths lengths;
  for (size_t i = 0; i < count; ++i) {
    lengths.source.push_back(10 + random() % 100);
    lengths.target.push_back(lengths.source.back() * 5 / 4 + random() % 8);
  }
  return lengths;
}

std::vector<Drift> find_drifts(const Lengths& lengths) {
  DriftDetector detector;
  const size_t pairs = std::min(lengths.source.size(), lengths.target.size());
  for (size_t i = 0; i < pairs; ++i) {
    const auto line = static_cast<int64_t>(i + 1);
    detector.add(lengths.source[i], lengths.target[i], {"a.en", line}, {"a.de", line});
  }
  return detector.finish();
}

TEST_CASE("text that belongs together does not drift apart", "[data]") {
  CHECK(find_drifts({}).empty());
  CHECK(find_drifts(random_lengths(1)).empty());
  CHECK(find_drifts(random_lengths(20000)).empty());
  CHECK(find_drifts({std::vector<size_t>(500, 30), std::vector<size_t>(500, 90)}).empty());
}

TEST_CASE("a missing line is found within some lines, with the shift", "[data]") {
  const auto [side, lines] = GENERATE(
      table<std::string, int64_t>({{"target", 1}, {"source", 1}, {"target", 4}, {"source", 10}}));
  Lengths lengths = random_lengths(2000);
  std::vector<size_t>& shorter = side == "target" ? lengths.target : lengths.source;
  shorter.erase(shorter.begin() + 1199, shorter.begin() + 1199 + lines);
  const std::vector<Drift> drifts = find_drifts(lengths);
  REQUIRE(drifts.size() == 1);
  INFO(drifts[0].to_string());
  CHECK(drifts[0].source.line >= 1190);
  CHECK(drifts[0].source.line <= 1215);
  CHECK(drifts[0].target.line == drifts[0].source.line);
  CHECK(drifts[0].pairs > 750);
  CHECK(drifts[0].shift == (side == "target" ? -lines : lines));
  CHECK_THAT(drifts[0].to_string(), ContainsSubstring("the sides drift apart from about a.en:"));
}

TEST_CASE("a stretch that drifts apart ends where the sides meet again", "[data]") {
  Lengths lengths = random_lengths(2000);
  lengths.source.erase(lengths.source.begin() + 500);
  lengths.source.insert(lengths.source.begin() + 900, 40);
  lengths.target.erase(lengths.target.begin() + 1500, lengths.target.begin() + 1502);
  const std::vector<Drift> drifts = find_drifts(lengths);
  REQUIRE(drifts.size() == 2);
  CHECK(std::abs(drifts[0].source.line - 501) < 12);
  CHECK(std::abs(drifts[0].pairs - 400) < 24);
  CHECK(drifts[0].shift == 1);
  CHECK(std::abs(drifts[1].source.line - 1501) < 12);
  CHECK(drifts[1].shift == -2);
}

TEST_CASE("lines without any relation do not count as shifted", "[data]") {
  Lengths lengths = random_lengths(5000);
  std::shuffle(lengths.target.begin(), lengths.target.end(), std::mt19937(3));
  CHECK(find_drifts(lengths).empty());
}

}  // namespace
}  // namespace calque
