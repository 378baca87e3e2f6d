#include "decode/translator.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/stderr_capture.h"
#include "decode/small_tokenizers.h"
#include "support/catch.h"
#include "support/example_batch.h"
#include "support/own_engine_scope.h"
#include "tensor/memory_block.h"
#include "text/sample_text.h"

namespace calque {
namespace {

using test::StderrCapture;

using test::kSmallVocab;
using test::small_tokenizers;

/// A model of random numbers: nonsense, but a function of the source.
Transformer some_model() {
  TransformerOptions options = test::tiny_options();
  options.model = 32;
  options.heads = 4;
  return test::random_model(options, kSmallVocab, kSmallVocab);
}

struct Machine {
  Arena arena;
  Workspace workspace{8};
};

TEST_CASE("a line longer than the learned positions is cut, and the others stay whole",
          "[decode]") {
  TransformerOptions model_options = test::tiny_options();
  model_options.positions = Positions::kLearned;
  model_options.max_positions = 6;
  Transformer model = test::random_model(model_options, kSmallVocab, kSmallVocab);
  Machine m;
  Translator translator(model, small_tokenizers(), {}, m.arena, m.workspace);
  const std::string sentence = test::sample_sentences(1, 3).front();
  std::string longer = sentence;
  for (int i = 0; i < 5; ++i) longer += " " + sentence;
  const std::vector<std::string> lines{longer, ""};
  const std::vector<std::string> translations = translator.translate(lines);
  REQUIRE(translations.size() == 2);
  CHECK(translations[1].empty());
  CHECK(translator.output_tokens() <= model_options.max_positions);
}

TEST_CASE("each line gives one line, in order, however lines are batched", "[decode]") {
  Transformer model = some_model();
  std::vector<std::string> lines = test::sample_sentences(25, 3);
  lines.insert(lines.begin() + 3, {"", "   "});
  DecodeOptions options;
  options.beam = 3;
  options.max_length_ratio = 0.5;
  const auto translate = [&](std::span<const std::string> part) {
    Machine m;
    return Translator(model, small_tokenizers(), options, m.arena, m.workspace).translate(part);
  };
  std::vector<std::string> one_by_one;
  for (size_t i = 0; i < lines.size(); ++i) {
    one_by_one.push_back(translate(std::span(lines).subspan(i, 1)).front());
  }
  CHECK(one_by_one[3].empty());
  CHECK(one_by_one[4].empty());
  for (const int64_t batch_tokens : {1, 200, 4096}) {
    options.batch_tokens = batch_tokens;
    CHECK(translate(lines) == one_by_one);
  }
}

TEST_CASE("prepared weights change no translation", "[decode]") {
  Transformer model = some_model();
  const std::vector<std::string> lines = test::sample_sentences(20, 5);
  DecodeOptions options;
  options.beam = 3;
  options.batch_tokens = 200;
  options.max_length_ratio = 0.5;
  Machine m;
  kernels::PreparedWeights<Real> weights;
  Translator plain(model, small_tokenizers(), options, m.arena, m.workspace);
  Translator prepared(model, small_tokenizers(), options, m.arena, m.workspace, &weights);
  CHECK(prepared.translate(lines) == plain.translate(lines));
  const size_t bytes = weights.bytes();
  CHECK((kernels::gemm_engine() != kernels::GemmEngine::kCalque || bytes > 0));
  prepared.translate(lines);
  CHECK(weights.bytes() == bytes);
}

TEST_CASE("weights are packed in each precision, and not needed any more where they lay",
          "[decode]") {
  const std::vector<std::string> lines = test::sample_sentences(20, 5);
  DecodeOptions options;
  options.beam = 3;
  options.max_length_ratio = 0.5;
  using kernels::Precision;
  const Precision precision = GENERATE(Precision::kFloat32, Precision::kBfloat16, Precision::kInt8);
  TransformerOptions model_options = test::tiny_options();
  model_options.tied_embeddings = GENERATE(Tying::kNone, Tying::kDecoder, Tying::kAll);
  set_poisoning(true);  // what is discarded reads as NaN
  const auto translate = [&](bool discards) {
    Transformer model = test::random_model(model_options, kSmallVocab, kSmallVocab);
    Machine m;
    size_t discarded = 0;
    const auto discard = [&](MatrixView<const Real> weight) {
      model.discard_weight(weight);
      ++discarded;
    };
    kernels::PreparedWeights<Real> weights(
        precision, kernels::Float32Unit::kVectors,
        discards ? kernels::PreparedWeights<Real>::OnPacked(discard) : nullptr);
    std::vector<std::string> translations =
        Translator(model, small_tokenizers(), options, m.arena, m.workspace, &weights)
            .translate(lines);
    const bool by_own_kernels = kernels::gemm_engine() == kernels::GemmEngine::kCalque &&
                                (precision == Precision::kFloat32 ||
                                 kernels::bfloat16_unit() != kernels::Bfloat16Unit::kFloat32);
    CHECK((discarded > 5) == (discards && (precision == Precision::kInt8 || by_own_kernels)));
    return translations;
  };
  CHECK(translate(true) == translate(false));
#ifdef NDEBUG
  set_poisoning(false);
#endif
}

TEST_CASE("progress counts every line once, output tokens their ends too", "[decode]") {
  Transformer model = some_model();
  DecodeOptions options;
  options.beam = 1;
  options.batch_tokens = 60;
  options.max_length_ratio = 0.5;
  std::vector<std::string> lines = test::sample_sentences(12, 4);
  lines.push_back("");
  Machine m;
  Translator translator(model, small_tokenizers(), options, m.arena, m.workspace);
  int64_t last = 0;
  int calls = 0;
  translator.translate(lines, [&](int64_t done) {
    CHECK(done >= last);
    last = done;
    ++calls;
  });
  CHECK(last == 13);
  CHECK(calls > 12);  // before every step
  CHECK(translator.output_tokens() >= 12);
}

/// The different numbers of lines done that `progress` is told.
std::set<int64_t> done_counts(const DecodeOptions& options, const std::vector<std::string>& lines) {
  Transformer model = some_model();
  Machine m;
  std::set<int64_t> counts;
  Translator(model, small_tokenizers(), options, m.arena, m.workspace)
      .translate(lines, [&](int64_t done) { counts.insert(done); });
  return counts;
}

TEST_CASE("a large length ratio makes batches small, for the cache's sake", "[decode]") {
  DecodeOptions options;
  options.beam = 2;
  options.max_length = 200;
  options.batch_tokens = 1000;
  const std::vector<std::string> lines = test::sample_sentences(8, 4);
  options.max_length_ratio = 0;
  CHECK(done_counts(options, lines).size() < 9);  // side by side, some end with others
  options.max_length_ratio = 1000;
  options.batch_tokens = 50;
  CHECK(done_counts(options, lines).size() == 9);  // one by one
}

TEST_CASE("translating that progress ends leaves the translator good", "[decode]") {
  Transformer model = some_model();
  DecodeOptions options;
  options.max_length_ratio = 0.5;
  const std::vector<std::string> lines = test::sample_sentences(6, 4);
  Machine m;
  Translator translator(model, small_tokenizers(), options, m.arena, m.workspace);
  const std::vector<std::string> whole = translator.translate(lines);
  struct Stop {};
  int calls = 0;
  const auto stop_later = [&](int64_t) {
    if (++calls == 5) throw Stop();
  };
  CHECK_THROWS_AS(translator.translate(lines, stop_later), Stop);
  CHECK(m.arena.used() == 0);
  CHECK(translator.translate(lines) == whole);
}

TEST_CASE("a line that is too long is cut, with a warning that names it", "[decode]") {
  Transformer model = some_model();
  DecodeOptions options;
  options.beam = 1;
  options.max_length_ratio = 0.1;
  options.max_length = 20;
  const std::string sentence = test::sample_sentences(1, 3).front();
  std::string longer = sentence;
  for (int i = 0; i < 50; ++i) longer += " " + sentence;
  Machine m;
  Translator translator(model, small_tokenizers(), options, m.arena, m.workspace);
  StderrCapture capture(StderrCapture::Kind::kPipe);
  std::vector<std::string> lines{"", longer};
  CHECK(translator.translate(lines).size() == 2);
  CHECK_THAT(capture.take(), ContainsSubstring("warning: line 2 has more than "));
  lines = {std::string(2000, ' ') + sentence};  // cut before it is tokenised, inside the spaces
  CHECK(translator.translate(lines).front().empty());
  CHECK_THAT(capture.take(),
             ContainsSubstring("line 3 has " + std::to_string(lines[0].size()) +
                               " bytes: only the first 1280 are translated; split it"));
}

TEST_CASE("n-best translations of each line, the first being the translation", "[decode]") {
  Transformer model = some_model();
  DecodeOptions options;
  options.beam = 4;
  options.max_length_ratio = 0.5;
  std::vector<std::string> lines = test::sample_sentences(5, 3);
  lines.insert(lines.begin() + 2, "");
  Machine m;
  Translator translator(model, small_tokenizers(), options, m.arena, m.workspace);
  const std::vector<std::string> best = translator.translate(lines);
  const AlignmentOptions alignment;
  const auto found =
      translator.translate_n_best({.lines = lines, .most = 3, .alignment = &alignment});
  REQUIRE(found.size() == lines.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    CHECK(found[i].front().text == best[i]);
    REQUIRE(found[i].size() == (lines[i].empty() ? 1 : 3));
    for (const Translation& t : found[i]) {
      CHECK(t.text == small_tokenizers().target().decode(t.hypothesis.ids));
      CHECK((t.text.empty() || t.alignment.target_words > 0));
      CHECK(t.hypothesis.score <= found[i].front().hypothesis.score);
    }
  }
}

TEST_CASE("translations begin with the prefix of their line", "[decode]") {
  Transformer model = some_model();
  DecodeOptions options;
  options.beam = 2;
  options.max_length_ratio = 2;
  const std::vector<std::string> lines = test::sample_sentences(4, 3);
  std::vector<std::string> prefixes = test::sample_sentences(4, 9);
  prefixes[2].clear();
  Machine m;
  Translator translator(model, small_tokenizers(), options, m.arena, m.workspace);
  const std::vector<std::string> freely = translator.translate(lines);
  const auto found = translator.translate_n_best({.lines = lines, .prefixes = prefixes});
  for (size_t i = 0; i < lines.size(); ++i) {
    std::vector<int32_t> prefix;
    small_tokenizers().target().encode(prefixes[i], prefix);
    const std::vector<int32_t>& ids = found[i].front().hypothesis.ids;
    REQUIRE(ids.size() >= prefix.size());
    CHECK(std::equal(prefix.begin(), prefix.end(), ids.begin()));
    CHECK((found[i].front().text == freely[i]) == (i == 2));
  }
}

TEST_CASE("a long line is translated in parts, whose translations are joined", "[decode]") {
  const test::OwnEngineScope engine;
  Transformer model = some_model();
  DecodeOptions options;
  options.beam = 2;
  options.max_length_ratio = 0.5;
  options.max_source = 20;
  options.split_long_lines = true;
  std::string line;
  for (const std::string& sentence : test::sample_sentences(6, 3)) line += sentence + " ";
  const std::string other = test::sample_sentences(1, 8).front();
  Machine m;
  StderrCapture capture(StderrCapture::Kind::kPipe);
  const LineEncoder encoder(small_tokenizers().source(), options.max_source - 1, "translated");
  std::vector<std::string> parts;
  for (const std::vector<int32_t>& ids : encoder.encode_in_parts(line, 1)) {
    parts.push_back(small_tokenizers().source().decode(ids));
  }
  REQUIRE(parts.size() > 2);
  const AlignmentOptions alignment;
  const auto translate = [&](const std::vector<std::string>& lines) {
    return Translator(model, small_tokenizers(), options, m.arena, m.workspace)
        .translate_n_best({.lines = lines, .most = 2, .alignment = &alignment});
  };
  const auto whole = translate({other, line, other});
  CHECK_THAT(capture.take(), ContainsSubstring("line 2 has "));
  const auto of_parts = translate(parts);
  CHECK(whole[0].front().text == whole[2].front().text);
  REQUIRE(whole[1].size() == 2);
  for (size_t k = 0; k < 2; ++k) {
    std::string text;
    double log_probability = 0;
    int64_t length = 0;
    int64_t source_words = 0;
    for (const std::vector<Translation>& part : of_parts) {
      const Translation& t = part[k];
      text += (text.empty() || t.text.empty() ? "" : " ") + t.text;
      log_probability += t.hypothesis.log_probability;
      length += std::ssize(t.hypothesis.ids) + 1;
      source_words += t.alignment.source_words;
    }
    const Translation& joined = whole[1][k];
    CHECK(joined.text == text);
    CHECK(joined.hypothesis.log_probability == log_probability);
    CHECK(joined.hypothesis.score == Approx(log_probability / static_cast<double>(length)));
    CHECK(joined.alignment.source_words == source_words);
    CHECK(std::ssize(joined.alignment.links()) == joined.alignment.target_words);
  }
}

TEST_CASE("no lines and empty lines need no search", "[decode]") {
  Transformer model = some_model();
  Machine m;
  Translator translator(model, small_tokenizers(), DecodeOptions(), m.arena, m.workspace);
  CHECK(translator.translate({}).empty());
  const std::vector<std::string> empty(3);
  CHECK(translator.translate(empty) == empty);
  CHECK(translator.output_tokens() == 0);
}

}  // namespace
}  // namespace calque
