#include "analysis/source_gradients.h"

#include <numeric>

#include "analysis/attention_maps.h"
#include "base/parallel.h"
#include "support/catch.h"
#include "support/own_engine_scope.h"
#include "text/special_ids.h"

namespace calque {
namespace {

constexpr int64_t kVocab = 23;

struct Pairs {
  std::vector<std::vector<int32_t>> ids;
  std::vector<ForcedPair> all;

  Pairs() {
    for (int32_t i = 0; i < 12; ++i) {
      std::vector<int32_t> source(static_cast<size_t>(i * 7 % 5));
      std::vector<int32_t> target(static_cast<size_t>(i * 5 % 7));
      std::iota(source.begin(), source.end(), 3 + i);
      std::iota(target.begin(), target.end(), 4);
      source.push_back(kEndId);
      ids.push_back(std::move(source));
      ids.push_back(std::move(target));
    }
    for (size_t i = 0; i < ids.size(); i += 2) all.push_back({ids[i], ids[i + 1]});
  }
};

TEST_CASE("gradients of the source have the log-probabilities of scoring", "[analysis]") {
  Transformer model = test::random_model(test::three_layers(), kVocab, kVocab);
  const Pairs pairs;
  Arena arena;
  Workspace workspace(8);
  const auto gradients = source_gradients(model, pairs.all, 4096, {arena, workspace});
  const auto scores = score_pairs(model, pairs.all, 4096, {arena, workspace});
  REQUIRE(gradients.size() == pairs.all.size());
  for (size_t i = 0; i < scores.size(); ++i) {
    double sum = 0;
    for (const Real token : scores[i]) sum += static_cast<double>(token);
    CHECK(gradients[i].log_probability == Approx(sum).epsilon(1e-5));
    REQUIRE(gradients[i].norms.size() == pairs.all[i].source.size());
    for (const double norm : gradients[i].norms) CHECK(norm > 0);
  }
  CHECK(arena.used() == 0);
}

TEST_CASE("neither the batch, nor threads, nor inference changes a bit of a source's gradient",
          "[analysis]") {
  const test::OwnEngineScope engine;
  const TransformerOptions options = test::three_layers();
  Transformer trained = test::random_model(options, kVocab, kVocab);
  Transformer model(options, kVocab, kVocab, /*inference=*/true);
  std::ranges::copy(trained.parameters().values(), model.parameters().values().begin());
  const Pairs pairs;
  Arena arena;
  Workspace workspace(8);
  const int threads_before = threads();
  const auto norms = [&](int64_t batch_tokens, int thread_count) {
    set_threads(thread_count);
    std::vector<std::vector<double>> result;
    for (auto& of_pair : source_gradients(model, pairs.all, batch_tokens, {arena, workspace})) {
      result.push_back(std::move(of_pair.norms));
    }
    return result;
  };
  const auto one_by_one = norms(1, 1);
  for (const int64_t batch_tokens : {1, 30, 4096}) {
    for (const int thread_count : {1, 2, 3}) CHECK(norms(batch_tokens, thread_count) == one_by_one);
  }
  set_threads(threads_before);
}

}  // namespace
}  // namespace calque
