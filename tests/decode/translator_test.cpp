#include "decode/translator.h"

#include <string>
#include <vector>

#include "base/temporary_folder.h"
#include "support/catch.h"
#include "support/example_batch.h"
#include "text/sample_text.h"
#include "text/vocabulary.h"

namespace calque {
namespace {

constexpr int64_t kVocab = 90;

const TokenizerPair& tokenizers() {
  static const TokenizerPair pair([] {
    const test::TemporaryFolder folder;
    VocabularyOptions options;
    options.size = kVocab;
    const std::string file =
        test::write_text(folder / "text", test::join_lines(test::sample_sentences(200, 1)));
    return Tokenizer(train_vocabulary(options, {file}, 1));
  }());
  return pair;
}

/// A model of random numbers: nonsense, but a function of the source.
Transformer some_model() {
  TransformerOptions options = test::tiny_options();
  options.model = 32;
  options.heads = 4;
  return test::random_model(options, kVocab, kVocab);
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
  Transformer model = test::random_model(model_options, kVocab, kVocab);
  Machine m;
  Translator translator(model, tokenizers(), {}, m.arena, m.workspace);
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
    return Translator(model, tokenizers(), options, m.arena, m.workspace).translate(part);
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

TEST_CASE("progress counts every line once, output tokens their ends too", "[decode]") {
  Transformer model = some_model();
  DecodeOptions options;
  options.beam = 1;
  options.batch_tokens = 60;
  options.max_length_ratio = 0.5;
  std::vector<std::string> lines = test::sample_sentences(12, 4);
  lines.push_back("");
  Machine m;
  Translator translator(model, tokenizers(), options, m.arena, m.workspace);
  int64_t last = 0;
  int calls = 0;
  translator.translate(lines, [&](int64_t done) {
    CHECK(done > last);
    last = done;
    ++calls;
  });
  CHECK(last == 13);
  CHECK(calls > 1);
  CHECK(translator.output_tokens() >= 12);
}

TEST_CASE("no lines and empty lines need no search", "[decode]") {
  Transformer model = some_model();
  Machine m;
  Translator translator(model, tokenizers(), DecodeOptions(), m.arena, m.workspace);
  CHECK(translator.translate({}).empty());
  const std::vector<std::string> empty(3);
  CHECK(translator.translate(empty) == empty);
  CHECK(translator.output_tokens() == 0);
}

}  // namespace
}  // namespace calque
