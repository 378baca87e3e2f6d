#include "bench/translation_bench.h"

#include <chrono>
#include <thread>

#include "support/catch.h"

using namespace calque;
using namespace calque::bench;

namespace {

/// Notes how many lines it was asked for; each takes a millisecond and three tokens.
struct Recorder {
  std::vector<size_t> calls;
  int64_t tokens = 0;

  Translating translating() {
    return {[this](std::span<const std::string> lines) {
              std::this_thread::sleep_for(std::chrono::milliseconds(std::ssize(lines)));
              calls.push_back(lines.size());
              tokens += 3 * std::ssize(lines);
              return std::vector<std::string>(lines.size());
            },
            [this] { return tokens; }};
  }
};

const std::vector<std::string> kLines = {"a", "b", "c", "d"};

}  // namespace

TEST_CASE("a text is translated in rounds, and some lines alone, each after a warm-up", "[bench]") {
  Recorder recorder;
  const TranslationBenchmark result = benchmark_translation(recorder.translating(), kLines, 2, 3);
  CHECK(recorder.calls == std::vector<size_t>{4, 4, 4, 1, 1, 1, 1});
  CHECK(result.lines == 4);
  CHECK(result.tokens == 12);
  REQUIRE(result.round_seconds.size() == 2);
  REQUIRE(result.line_seconds.size() == 3);
  CHECK(result.line_tokens == 9);
  CHECK(result.median_round() >= 0.004);
  CHECK(result.sentences_per_second() == Approx(4 / result.median_round()));
  CHECK(result.tokens_per_second() == Approx(12 / result.median_round()));
  CHECK(result.lines_per_second() <= 1000);
  CHECK(result.latency(0.5) >= 0.001);
  CHECK(result.latency(0.95) >= result.latency(0.5));
}

TEST_CASE("rounds or single lines may be left out", "[bench]") {
  Recorder recorder;
  const TranslationBenchmark alone = benchmark_translation(recorder.translating(), kLines, 0, 9);
  CHECK(recorder.calls == std::vector<size_t>{1, 1, 1, 1, 1});
  CHECK(alone.sentences_per_second() == 0);
  CHECK(alone.tokens_per_second() == 0);
  const TranslationBenchmark rounds = benchmark_translation(recorder.translating(), kLines, 1, 0);
  CHECK(rounds.lines_per_second() == 0);
  CHECK(rounds.latency(0.5) == 0);
}
