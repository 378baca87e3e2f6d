#include "analysis/faithfulness.h"

#include <cmath>

#include "decode/small_tokenizers.h"
#include "support/catch.h"
#include "support/example_batch.h"
#include "text/sample_text.h"
#include "text/special_ids.h"
#include "text/words.h"

namespace calque {
namespace {

using test::kSmallVocab;
using test::small_tokenizers;

Transformer some_model() {
  TransformerOptions options = test::tiny_options();
  options.model = 32;
  options.heads = 4;
  options.decoder_layers = 2;
  return test::random_model(options, kSmallVocab, kSmallVocab);
}

struct Measured {
  Transformer model = some_model();
  Arena arena;
  Workspace workspace{8};
  std::vector<std::string> sources = test::sample_sentences(20, 3);
  std::vector<std::string> targets = test::sample_sentences(20, 4);

  std::vector<SentenceFaithfulness> measure(const FaithfulnessOptions& options = {}) {
    return measure_faithfulness(model, small_tokenizers(), sources, targets, options,
                                {arena, workspace});
  }
  double log_probability(const std::string& source, const std::string& target) {
    std::vector<int32_t> source_ids;
    std::vector<int32_t> target_ids;
    small_tokenizers().source().encode(source, source_ids);
    small_tokenizers().target().encode(target, target_ids);
    source_ids.push_back(kEndId);
    const std::vector<ForcedPair> pair{{source_ids, target_ids}};
    double sum = 0;
    const auto scores = score_pairs(model, pair, 1, {arena, workspace});
    for (const Real token : scores.front()) sum += static_cast<double>(token);
    return sum;
  }
};

TEST_CASE("the fall is the log-probability with the word, less that without it", "[analysis]") {
  Measured measured;
  int64_t lines = 0;
  for (const std::string& source : measured.sources) lines += count_words(source) > 1 ? 1 : 0;
  const auto found = measured.measure();
  REQUIRE(std::ssize(found) == lines);
  for (const SentenceFaithfulness& s : found) {
    const std::string& source = measured.sources[static_cast<size_t>(s.line)];
    const std::string& target = measured.targets[static_cast<size_t>(s.line)];
    const double whole = measured.log_probability(source, target);
    CHECK(s.log_probability == Approx(whole).epsilon(1e-5));
    for (size_t i = 0; i < kRemovedWords.size(); ++i) {
      REQUIRE(s.word[i] < count_words(source));
      CHECK(s.fall[i] ==
            Approx(whole - measured.log_probability(without_word(source, s.word[i]), target))
                .margin(1e-3));
    }
  }
}

TEST_CASE("random words depend on the seed and the line, all words on no batch", "[analysis]") {
  Measured measured;
  const auto words = [&](const FaithfulnessOptions& options) {
    std::vector<std::array<int64_t, kRemovedWords.size()>> result;
    for (const SentenceFaithfulness& s : measured.measure(options)) result.push_back(s.word);
    return result;
  };
  const auto standard = words({});
  CHECK(words({.batch_tokens = 1}) == standard);
  CHECK(words({.seed = 2}) != standard);
  measured.sources[0] = "one";  // left out; the others stay what they were
  const auto rest = words({});
  REQUIRE(rest.size() + 1 == standard.size());
  CHECK(std::equal(rest.begin(), rest.end(), standard.begin() + 1));
}

TEST_CASE("lines that are too long are left out", "[analysis]") {
  Measured measured;
  const auto all = measured.measure().size();
  const auto short_ones = measured.measure({.longest = 20});
  CHECK(short_ones.size() < all);
  CHECK(!short_ones.empty());
  for (const SentenceFaithfulness& s : short_ones) CHECK(s.tokens <= 20);
}

TEST_CASE("a summary has means, standard errors, and comparisons with random words", "[analysis]") {
  const Estimate found = estimate(std::vector<double>{1, 2, 3, 6});
  CHECK(found.mean == 3);
  CHECK(found.standard_error == Approx(std::sqrt(14.0 / 3 / 4)));
  CHECK(estimate(std::vector<double>{5}).standard_error == 0);

  const std::vector<SentenceFaithfulness> sentences{
      {.tokens = 4, .word = {0, 0, 1}, .fall = {3, 2, 1}},
      {.tokens = 6, .word = {1, 0, 1}, .fall = {1, 4, 1}}};
  const FaithfulnessSummary summary = summarize(sentences);
  CHECK(summary.rows[0].fall.mean == 2);
  CHECK(summary.rows[0].fall_per_token == Approx(0.4));
  CHECK(summary.rows[0].over_random.mean == 1);
  CHECK(summary.rows[0].beats_random.mean == 0.75);
  CHECK(summary.rows[1].fall.mean == 3);
  CHECK(summary.rows[1].beats_random.mean == 1);
  CHECK(summary.rows[2].over_random.mean == 0);
  CHECK(summary.rows[2].beats_random.mean == 0.5);
  CHECK(summary.same_word.mean == 0.5);
}

}  // namespace
}  // namespace calque
