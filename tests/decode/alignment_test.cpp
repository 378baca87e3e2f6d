#include "decode/alignment.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "decode/small_tokenizers.h"
#include "support/catch.h"
#include "support/example_batch.h"
#include "support/own_engine_scope.h"
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
  options.decoder_layers = 3;
  return test::random_model(options, kSmallVocab, kSmallVocab);
}

/// Some sentences with other ones as their translations.
struct Sentences {
  std::vector<std::string> sources = test::sample_sentences(12, 3);
  std::vector<std::string> targets = test::sample_sentences(12, 4);
  std::vector<std::vector<int32_t>> ids;
  std::vector<ForcedPair> pairs;
  std::vector<SourceWords> words;

  Sentences() {
    for (size_t i = 0; i < sources.size(); ++i) {
      std::vector<size_t> begins;
      small_tokenizers().source().encode(sources[i], ids.emplace_back(), begins);
      words.push_back({count_words(sources[i]), words_at(sources[i], begins)});
      ids.back().push_back(kEndId);
      small_tokenizers().target().encode(targets[i], ids.emplace_back());
    }
    for (size_t i = 0; i < sources.size(); ++i) pairs.push_back({ids[2 * i], ids[2 * i + 1]});
  }
};

std::vector<WordAlignment> align(const Sentences& sentences, const AlignmentOptions& options,
                                 int64_t batch_tokens = 4096) {
  Transformer model = some_model();
  Arena arena;
  Workspace workspace(8);
  return align_words(model, small_tokenizers().target(), sentences.pairs, sentences.words, options,
                     batch_tokens, {arena, workspace});
}

TEST_CASE("each word of a translation has weights over the source's words, and one link",
          "[decode]") {
  const Sentences sentences;
  const auto alignments = align(sentences, {});
  REQUIRE(alignments.size() == sentences.sources.size());
  for (size_t i = 0; i < alignments.size(); ++i) {
    const WordAlignment& a = alignments[i];
    CHECK(a.source_words == count_words(sentences.sources[i]));
    REQUIRE(a.target_words == count_words(sentences.targets[i]));
    const auto links = a.links();
    REQUIRE(std::ssize(links) == a.target_words);
    for (int64_t t = 0; t < a.target_words; ++t) {
      double sum = 0;
      const auto [source, target] = links[static_cast<size_t>(t)];
      CHECK(target == t);
      for (int64_t s = 0; s < a.source_words; ++s) {
        sum += static_cast<double>(a.weight(t, s));
        CHECK(a.weight(t, s) <= a.weight(t, source));
      }
      CHECK(sum == Approx(1).epsilon(1e-5));
    }
  }
}

TEST_CASE("layers and heads differ, the default being all heads of the last layer but one",
          "[decode]") {
  const Sentences sentences;
  const auto weights = [&](const AlignmentOptions& options) {
    return align(sentences, options).front().weights;
  };
  const auto standard = weights({});
  CHECK(weights({.layer = 2}) == standard);
  CHECK(weights({.layer = 2, .heads = {1, 2, 3, 4}}) == standard);
  CHECK(weights({.layer = 1}) != standard);
  CHECK(weights({.layer = 3}) != standard);
  CHECK(weights({.heads = {3}}) != standard);
  CHECK(weights({.heads = {3}}) != weights({.heads = {4}}));
}

TEST_CASE("neither the batch nor the number of threads changes a bit of an alignment", "[decode]") {
  const test::OwnEngineScope engine;
  const Sentences sentences;
  const int threads_before = threads();
  set_threads(1);
  const auto one_by_one = align(sentences, {}, 1);
  for (const int64_t batch_tokens : {1, 60, 4096}) {
    for (const int thread_count : {1, 2, 3}) {
      set_threads(thread_count);
      const auto found = align(sentences, {}, batch_tokens);
      for (size_t i = 0; i < found.size(); ++i) CHECK(found[i].weights == one_by_one[i].weights);
    }
  }
  set_threads(threads_before);
}

TEST_CASE("an unknown piece is a word of the translation, and no word aligns to nothing",
          "[decode]") {
  Transformer model = some_model();
  const Sentences sentences;
  std::vector<int32_t> target = sentences.ids[1];
  const int64_t words = count_words(sentences.targets[0]);
  target.push_back(kUnknownId);
  target.insert(target.end(), sentences.ids[3].begin(), sentences.ids[3].end());
  const std::vector<ForcedPair> pairs{{sentences.ids[0], target}, {sentences.ids[0], {}}};
  Arena arena;
  Workspace workspace(8);
  const std::vector<SourceWords> of_source{sentences.words[0], sentences.words[0]};
  const auto found = align_words(model, small_tokenizers().target(), pairs, of_source, {}, 4096,
                                 {arena, workspace});
  CHECK(found[0].target_words == words + 1 + count_words(sentences.targets[1]));
  CHECK(found[1].target_words == 0);
  CHECK(found[1].links().empty());
}

TEST_CASE("words of the source without a piece have no weight, and keep their numbers",
          "[decode]") {
  Transformer model = some_model();
  Sentences sentences;
  const std::vector<ForcedPair> pairs(2, sentences.pairs[0]);
  SourceWords shifted = sentences.words[0];  // as if the line began with a word of no piece
  ++shifted.count;
  for (int32_t& word : shifted.of_pieces) ++word;
  Arena arena;
  Workspace workspace(8);
  const auto found =
      align_words(model, small_tokenizers().target(), pairs,
                  std::vector{sentences.words[0], shifted}, {}, 4096, {arena, workspace});
  REQUIRE(found[1].source_words == found[0].source_words + 1);
  for (int64_t t = 0; t < found[0].target_words; ++t) {
    CHECK(found[1].weight(t, 0) == 0);
    for (int64_t s = 0; s < found[0].source_words; ++s) {
      CHECK(found[1].weight(t, s + 1) == found[0].weight(t, s));
    }
  }
}

TEST_CASE("where the source has pieces but no words, nothing is linked", "[decode]") {
  Transformer model = some_model();
  const Sentences sentences;
  SourceWords none = sentences.words[0];  // as of a vocabulary that has pieces for spaces alone
  none.count = 0;
  std::ranges::fill(none.of_pieces, 0);
  Arena arena;
  Workspace workspace(8);
  const WordAlignment found =
      align_words(model, small_tokenizers().target(), std::span(sentences.pairs).first(1),
                  {&none, 1}, {}, 4096, {arena, workspace})
          .front();
  CHECK(found.target_words == count_words(sentences.targets[0]));
  CHECK(found.weights.empty());
  CHECK(found.links().empty());
}

TEST_CASE("the alignment of a line's next part goes on with its words", "[decode]") {
  WordAlignment whole;
  whole.append({3, 2, {1, 0, 0, 0, 1, 0}});
  whole.append({3, 0, {}});
  whole.append({3, 1, {0, 0.25, 0.75}});
  CHECK(whole.source_words == 3);
  CHECK(whole.target_words == 3);
  CHECK(whole.weights == std::vector<Real>{1, 0, 0, 0, 1, 0, 0, 0.25, 0.75});
  CHECK(whole.links() == std::vector<std::pair<int64_t, int64_t>>{{0, 0}, {1, 1}, {2, 2}});
}

}  // namespace
}  // namespace calque
