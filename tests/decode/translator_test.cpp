#include "decode/translator.h"

#include <algorithm>
#include <functional>
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
#include "text/special_ids.h"
#include "text/words.h"

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

/// A long line, how it is split, and what its parts are by themselves.
struct SplitLine {
  DecodeOptions options;
  std::string line;
  std::vector<std::string> parts;

  SplitLine() {
    options.beam = 3;
    options.max_length_ratio = 0.5;
    options.max_source = 20;
    options.split_long_lines = true;
    for (const std::string& sentence : test::sample_sentences(6, 3)) line += sentence + " ";
    const LineEncoder encoder(small_tokenizers().source(), {options.max_source, "the test allows"},
                              "translated");
    StderrCapture capture(StderrCapture::Kind::kPipe);
    for (const EncodedLine& part : encoder.encode_in_parts(line, "line 1")) {
      parts.push_back(small_tokenizers().source().decode(part.ids));
    }
    REQUIRE(parts.size() > 2);
    CHECK_THAT(capture.take(), ContainsSubstring("line 1 has "));
  }

  std::vector<std::vector<Translation>> translate(const std::vector<std::string>& lines,
                                                  int64_t most) const {
    Transformer model = some_model();
    Machine m;
    StderrCapture capture(StderrCapture::Kind::kPipe);  // drops the warnings
    const AlignmentOptions alignment;
    return Translator(model, small_tokenizers(), options, m.arena, m.workspace)
        .translate_n_best({.lines = lines, .most = most, .alignment = &alignment});
  }
};

/// What the k-th translations of the parts make together.
Translation joined(const std::vector<std::vector<Translation>>& parts, size_t k) {
  Translation whole;
  Hypothesis& h = whole.hypothesis;
  for (const std::vector<Translation>& part : parts) {
    const Translation& t = part.at(k);
    whole.text += (whole.text.empty() || t.text.empty() ? "" : " ") + t.text;
    if (!h.token_log_probabilities.empty()) h.ids.push_back(kEndId);
    h.ids.insert(h.ids.end(), t.hypothesis.ids.begin(), t.hypothesis.ids.end());
    h.token_log_probabilities.insert(h.token_log_probabilities.end(),
                                     t.hypothesis.token_log_probabilities.begin(),
                                     t.hypothesis.token_log_probabilities.end());
    h.log_probability += t.hypothesis.log_probability;
  }
  h.score = h.log_probability / static_cast<double>(h.token_log_probabilities.size());
  return whole;
}

TEST_CASE("a long line is translated in parts, joined best first", "[decode]") {
  const test::OwnEngineScope engine;
  const SplitLine split;
  const std::string other = test::sample_sentences(1, 8).front();
  const auto of_parts = split.translate(split.parts, 3);
  std::vector<Translation> expected;
  for (size_t k = 0; k < 3; ++k) expected.push_back(joined(of_parts, k));
  const auto score = [](const Translation& t) { return t.hypothesis.score; };
  std::ranges::stable_sort(expected, std::greater<>(), score);
  for (const int64_t most : {1, 2, 3}) {
    const auto whole = split.translate({other, split.line, other}, most);
    CHECK(whole[0].front().text == whole[2].front().text);
    REQUIRE(std::ssize(whole[1]) == most);
    for (size_t k = 0; k < whole[1].size(); ++k) {
      const Hypothesis& h = whole[1][k].hypothesis;
      CHECK(whole[1][k].text == expected[k].text);
      CHECK(h.ids == expected[k].hypothesis.ids);
      CHECK(h.ids.size() + 1 == h.token_log_probabilities.size());
      CHECK(h.token_log_probabilities == expected[k].hypothesis.token_log_probabilities);
      CHECK(h.log_probability == expected[k].hypothesis.log_probability);
      CHECK(h.score == Approx(expected[k].hypothesis.score));
    }
  }
}

TEST_CASE("the parts of a line draw by numbers of their own, the first by the line's", "[decode]") {
  const test::OwnEngineScope engine;
  SplitLine split;
  split.options.sampling.on = true;
  const std::string sentence = test::sample_sentences(1, 5).front();
  std::vector<int32_t> ids;
  small_tokenizers().source().encode(sentence, ids);
  split.options.max_source = std::ssize(ids) + 1;
  const auto line = split.translate({sentence + " " + sentence}, 3).front();
  const auto alone = split.translate({sentence}, 3).front();
  REQUIRE(line.size() == 3);
  for (size_t k = 0; k < 3; ++k) {
    CHECK(line[k].hypothesis.sample == static_cast<int32_t>(k));
    const std::vector<int32_t>& both = line[k].hypothesis.ids;
    const auto end = std::ranges::find(both, kEndId);
    REQUIRE(end != both.end());
    const std::vector<int32_t> first(both.begin(), end);
    const std::vector<int32_t> second(end + 1, both.end());
    CHECK(first == alone[k].hypothesis.ids);
    CHECK(first != second);
  }
}

TEST_CASE("words are aligned to those of the line, cut, split or normalised", "[decode]") {
  const test::OwnEngineScope engine;
  SplitLine split;
  const auto check = [&](const std::string& line, int64_t words, int64_t last_linked) {
    INFO(line);
    const WordAlignment alignment = split.translate({line}, 1).front().front().alignment;
    CHECK(alignment.source_words == words);
    REQUIRE(alignment.target_words > 0);
    CHECK(std::ssize(alignment.links()) == alignment.target_words);
    int64_t last = 0;
    for (int64_t t = 0; t < alignment.target_words; ++t) {
      for (int64_t s = 0; s < words; ++s) {
        if (alignment.weight(t, s) > 0) last = std::max(last, s);
      }
    }
    CHECK(last == last_linked);
  };
  const std::string word = "translationtranslationtranslationtranslation";
  SECTION("in parts, one of which begins in a word") {
    check(split.line, count_words(split.line), count_words(split.line) - 1);
    check(word + " dog " + word + " cat", 4, 3);
  }
  SECTION("where only the begin is translated") {
    split.options.split_long_lines = false;
    check(word + " " + word + " cat", 3, 0);
  }
  SECTION("where normalisation makes spaces, or none is a word") {
    check("the\u00b4s dog", 2, 1);
    check("the\u200bold dog", 2, 1);
    check("\u200b the dog", 3, 2);
    check(" the  dog ", 2, 1);
  }
}

/// What translating with prefixes warns of.
std::string prefix_warnings(const DecodeOptions& options, const std::vector<std::string>& lines,
                            const std::vector<std::string>& prefixes,
                            std::vector<std::string>* texts = nullptr) {
  Transformer model = some_model();
  Machine m;
  StderrCapture capture(StderrCapture::Kind::kPipe);
  auto found = Translator(model, small_tokenizers(), options, m.arena, m.workspace)
                   .translate_n_best({.lines = lines, .prefixes = prefixes});
  if (texts != nullptr) *texts = best_texts(std::move(found));
  return capture.take();
}

TEST_CASE("the ratio bounds what follows a prefix, and a prefix that is cut is named", "[decode]") {
  DecodeOptions options;
  options.beam = 2;
  options.max_length_ratio = 0.1;
  std::string prefix = "the dog";
  for (int i = 0; i < 20; ++i) prefix += " and the dog";
  std::vector<std::string> texts;
  CHECK(prefix_warnings(options, {"the", "the cat"}, {"", prefix}, &texts).empty());
  CHECK(texts[1].starts_with(prefix));
  std::vector<int32_t> ids;
  small_tokenizers().target().encode(prefix, ids);
  options.max_output = 9;
  CHECK_THAT(prefix_warnings(options, {"the", "the cat"}, {"", prefix}),
             ContainsSubstring(
                 "warning: the prefix of line 2 has " + std::to_string(ids.size()) +
                 " tokens: only the first 8 are forced, with the end as many as were asked for"));
}

TEST_CASE("a prefix that is changed or left out is named", "[decode]") {
  DecodeOptions options;
  options.beam = 2;
  const std::string warnings =
      prefix_warnings(options, {"the dog", "", "the cat", ""}, {"the \u9f8d", "the", "the", ""});
  CHECK_THAT(warnings, ContainsSubstring("warning: the prefix of line 1 has characters that the "
                                         "vocabulary lacks: they read \u2047"));
  CHECK_THAT(warnings, ContainsSubstring("warning: line 2 has no text: its prefix is left out"));
  CHECK(std::ranges::count(warnings, '\n') == 2);
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
