#include "decode/teacher_forcing.h"

#include <numeric>
#include <set>

#include "base/parallel.h"
#include "support/catch.h"
#include "support/example_batch.h"
#include "support/own_engine_scope.h"
#include "text/special_ids.h"

namespace calque {
namespace {

using Tokens = std::vector<int32_t>;

constexpr int64_t kVocab = 23;

/// Pairs of many lengths, with their memory.
struct Pairs {
  std::vector<Tokens> sources;
  std::vector<Tokens> targets;
  std::vector<ForcedPair> all;

  explicit Pairs(int count) {
    for (int i = 0; i < count; ++i) {
      Tokens source(static_cast<size_t>(i * 7 % 13));
      Tokens target(static_cast<size_t>(i * 5 % 11));
      std::iota(source.begin(), source.end(), 3);
      std::iota(target.begin(), target.end(), 3 + i % 5);
      source.push_back(kEndId);
      sources.push_back(source);
      targets.push_back(target);
    }
    for (size_t i = 0; i < sources.size(); ++i) all.push_back({sources[i], targets[i]});
  }
};

TEST_CASE("each pair is in one batch, which holds no more than it should", "[decode]") {
  const Pairs pairs(30);
  const int64_t batch_tokens = GENERATE(1, 40, 4096);
  std::multiset<size_t> seen;
  for_each_forced_batch(pairs.all, batch_tokens,
                        [&](const TrainingExample& example, std::span<const size_t> members) {
                          const int64_t tokens =
                              example.source_layout.tokens + example.target_layout.tokens;
                          CHECK((members.size() == 1 || tokens <= batch_tokens));
                          REQUIRE(example.target_layout.sentences() == std::ssize(members));
                          for (size_t s = 0; s < members.size(); ++s) {
                            seen.insert(members[s]);
                            const Tokens& target = pairs.targets[members[s]];
                            const auto begin = static_cast<size_t>(example.target_layout.begins[s]);
                            CHECK(example.target_layout.lengths[s] == std::ssize(target) + 1);
                            CHECK(example.target_input[begin] == kBeginId);
                            CHECK(example.target_output[begin + target.size()] == kEndId);
                            for (size_t t = 0; t < target.size(); ++t) {
                              CHECK(example.target_input[begin + t + 1] == target[t]);
                              CHECK(example.target_output[begin + t] == target[t]);
                            }
                          }
                        });
  CHECK(seen.size() == 30);
  CHECK(std::set<size_t>(seen.begin(), seen.end()).size() == 30);
}

TEST_CASE("neither the batch nor the number of threads changes a bit of a score", "[decode]") {
  const test::OwnEngineScope engine;
  TransformerOptions options = test::tiny_options();
  options.model = 32;
  options.heads = 4;
  Transformer model = test::random_model(options, kVocab, kVocab);
  const Pairs pairs(30);
  Arena arena;
  Workspace workspace(8);
  const int threads_before = threads();
  const auto scores = [&](int64_t batch_tokens, int thread_count) {
    set_threads(thread_count);
    return score_pairs(model, pairs.all, batch_tokens, {arena, workspace});
  };
  const auto one_by_one = scores(1, 1);
  for (const int64_t batch_tokens : {1, 30, 100, 4096}) {
    for (const int thread_count : {1, 2, 3}) {
      CHECK(scores(batch_tokens, thread_count) == one_by_one);
    }
  }
  CHECK(arena.used() == 0);
  set_threads(threads_before);
}

TEST_CASE("progress counts the pairs scored, and may end it", "[decode]") {
  Transformer model = test::random_model(test::tiny_options(), kVocab, kVocab);
  const Pairs pairs(10);
  Arena arena;
  Workspace workspace(8);
  std::vector<int64_t> done;
  score_pairs(model, pairs.all, 50, {arena, workspace}, [&](int64_t now) { done.push_back(now); });
  CHECK(done.front() == 0);
  CHECK(done.back() == 10);
  struct Stop {};
  const auto stop = [](int64_t) { throw Stop(); };
  CHECK_THROWS_AS(score_pairs(model, pairs.all, 50, {arena, workspace}, stop), Stop);
  CHECK(arena.used() == 0);
}

}  // namespace
}  // namespace calque
