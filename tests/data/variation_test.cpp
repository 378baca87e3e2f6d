#include "data/variation.h"

#include <algorithm>

#include "data/batcher.h"
#include "data/corpus_fixture.h"
#include "support/catch.h"
#include "support/sentencepiece_message.h"
#include "text/special_ids.h"

namespace calque {
namespace {

constexpr int64_t kBatchTokens = 150;

/// A corpus that each epoch varies; without more, it cuts sentences anew.
struct VariedCorpus {
  test::CorpusFolder folder{300};
  ParallelCorpus corpus;
  std::optional<Variation> variation;

  explicit VariedCorpus(double strength, int64_t max_length = 256, int64_t bidirectional_epochs = 0,
                        const NoiseOptions& noise = {})
      : corpus(folder.open()) {
    folder.options.subword_sampling = strength;
    folder.options.max_length = max_length;
    folder.options.bidirectional_epochs = bidirectional_epochs;
    folder.options.noise = noise;
    variation.emplace(folder.options, test::sample_tokenizers());
  }
  Batcher batcher(uint64_t seed = 1) const { return {corpus, {kBatchTokens, seed, &*variation}}; }
};

/// All that a batch is made of.
using Content =
    std::tuple<BatchPosition, std::vector<int64_t>, std::vector<int32_t>, std::vector<int32_t>>;

std::vector<Content> run(Batcher& batcher, int64_t epochs) {
  std::vector<Content> result;
  Batch batch;
  for (batcher.next(batch); batch.position.epoch < epochs; batcher.next(batch)) {
    result.emplace_back(batch.position, batch.pairs, batch.source_ids, batch.target_output_ids);
  }
  return result;
}

/// The text of each pair in the batches of `epoch`, source and target.
std::vector<std::string> texts(const std::vector<Content>& batches, int64_t epoch, int64_t pairs) {
  std::vector<std::string> found(static_cast<size_t>(pairs));
  const Tokenizer& tokenizer = test::sample_tokenizers().source();
  for (const auto& [position, numbers, source, target] : batches) {
    if (position.epoch != epoch) continue;
    auto source_begin = source.begin();
    auto target_begin = target.begin();
    for (const int64_t pair : numbers) {
      const auto source_end = std::find(source_begin, source.end(), kEndId);
      const auto target_end = std::find(target_begin, target.end(), kEndId);
      found[static_cast<size_t>(pair)] = tokenizer.decode({source_begin, source_end}) + "|" +
                                         tokenizer.decode({target_begin, target_end});
      source_begin = source_end + 1;
      target_begin = target_end + 1;
    }
  }
  return found;
}

/// The sides of each pair as they stand, and what an epoch made of them (see `texts`).
struct PairTexts {
  std::string source;
  std::string target;
  std::string text;
};
std::vector<PairTexts> pairs_of(const ParallelCorpus& corpus,
                                const std::vector<std::string>& found) {
  std::vector<PairTexts> pairs;
  for (int64_t pair = 0; pair < corpus.size(); ++pair) {
    pairs.push_back({test::source_text(corpus, pair), test::target_text(corpus, pair),
                     found[static_cast<size_t>(pair)]});
  }
  return pairs;
}

TEST_CASE("each epoch has the same text in other pieces, within the budget", "[data]") {
  const VariedCorpus varied(0.3);
  Batcher batcher = varied.batcher();
  const std::vector<Content> batches = run(batcher, 2);
  std::vector<std::string> expected;
  for (int64_t pair = 0; pair < varied.corpus.size(); ++pair) {
    expected.push_back(test::source_text(varied.corpus, pair) + "|" +
                       test::target_text(varied.corpus, pair));
  }
  CHECK(texts(batches, 0, varied.corpus.size()) == expected);
  CHECK(texts(batches, 1, varied.corpus.size()) == expected);

  int64_t pieces[2] = {0, 0};
  for (const auto& [position, numbers, source, target] : batches) {
    CHECK(std::ssize(source) <= kBatchTokens);
    CHECK(std::ssize(target) <= kBatchTokens);
    pieces[position.epoch] += std::ssize(source) - std::ssize(numbers);
  }
  CHECK(pieces[0] > varied.corpus.source_pieces() * 11 / 10);
  CHECK(pieces[1] > varied.corpus.source_pieces() * 11 / 10);
  CHECK(pieces[0] != pieces[1]);
}

TEST_CASE("varied batches are a function of the seed, and go on behind any position", "[data]") {
  const VariedCorpus varied(0.3);
  Batcher whole = varied.batcher();
  const std::vector<Content> expected = run(whole, 2);
  Batcher other = varied.batcher(2);
  CHECK(run(other, 2) != expected);
  Batcher resumed = varied.batcher();
  for (size_t i = 0; i < expected.size(); i += 7) {
    const auto position = std::get<BatchPosition>(expected[i]);
    resumed.seek(position);
    CHECK(resumed.epochs() ==
          static_cast<double>(position.epoch) +
              static_cast<double>(position.pairs) / static_cast<double>(varied.corpus.size()));
    const auto rest = run(resumed, 2);
    REQUIRE(rest.size() == expected.size() - i - 1);
    CHECK(std::equal(rest.begin(), rest.end(), expected.begin() + static_cast<int64_t>(i) + 1));
  }
}

TEST_CASE("a sentence that would be cut into too many pieces stays as it stands", "[data]") {
  const VariedCorpus varied(0.9, 30);
  Batcher batcher = varied.batcher();
  Batch batch;
  int64_t kept = 0;
  for (batcher.next(batch); batch.position.epoch == 0; batcher.next(batch)) {
    const SequenceLayout layout = batch.source_layout.view();
    for (int64_t s = 0; s < batch.sentences(); ++s) {
      const int64_t plain = varied.corpus.source_length(batch.pairs[static_cast<size_t>(s)]);
      const int64_t length = layout.lengths[static_cast<size_t>(s)] - 1;
      CHECK(length <= std::max<int64_t>(plain, 29));
      kept += plain > 20 && length == plain;
    }
  }
  CHECK(kept > 20);
}

TEST_CASE("a varied sentence is not larger than a batch", "[data]") {
  const VariedCorpus varied(0.9);
  const int64_t tokens =
      std::max(varied.corpus.longest_source(), varied.corpus.longest_target()) + 1;
  Batcher batcher(varied.corpus, {tokens, 1, &*varied.variation});
  Batch batch;
  int64_t longest = 0;
  for (batcher.next(batch); batch.position.epoch == 0; batcher.next(batch)) {
    CHECK(batch.source_tokens() <= tokens);
    CHECK(batch.target_tokens() <= tokens);
    longest = std::max(longest, batch.source_tokens());
  }
  CHECK(longest > tokens * 9 / 10);
}

TEST_CASE("each side is cut by its own vocabulary", "[data]") {
  const auto train = [](uint64_t seed, int64_t size) {
    const test::TemporaryFolder folder;
    VocabularyOptions options;
    options.size = size;
    const std::string file =
        test::write_text(folder / "text", test::join_lines(test::sample_sentences(200, seed)));
    return Tokenizer(train_vocabulary(options, {file}, 1));
  };
  const TokenizerPair two(train(1, 120), train(2, 90));
  DataOptions options;
  options.subword_sampling = 0.2;
  const Variation variation(options, two);
  const std::string text = test::sample_sentences(1, 3).front();
  for (const bool is_target : {false, true}) {
    const Tokenizer& tokenizer = is_target ? two.target() : two.source();
    std::vector<int32_t> plain;
    tokenizer.encode(text, plain);
    int different = 0;
    for (int64_t epoch = 0; epoch < 20; ++epoch) {
      std::vector<int32_t> ids = plain;
      variation.vary({1, epoch, 0}, is_target, ids);
      CHECK(tokenizer.decode(ids) == tokenizer.decode(plain));
      different += ids != plain;
    }
    CHECK(different > 10);
  }
}

TEST_CASE("in the first epochs the sides of half of the pairs change places, others in each",
          "[data]") {
  const VariedCorpus varied(0, 256, 2);
  const ParallelCorpus& corpus = varied.corpus;
  Batcher batcher = varied.batcher();
  const std::vector<Content> batches = run(batcher, 3);

  std::vector<bool> swapped[3];
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    const std::vector<std::string> found = texts(batches, epoch, corpus.size());
    for (const auto& [source, target, text] : pairs_of(corpus, found)) {
      swapped[epoch].push_back(text == target + "|" + source);
      CHECK((swapped[epoch].back() || text == source + "|" + target));
    }
    const auto count = std::ranges::count(swapped[epoch], true);
    if (epoch == 2) {
      CHECK(count == 0);
    } else {
      CHECK(count > corpus.size() * 2 / 5);
      CHECK(count < corpus.size() * 3 / 5);
    }
  }
  CHECK(swapped[0] != swapped[1]);
}

TEST_CASE("where sides change places the noise goes into what is the source then", "[data]") {
  NoiseOptions noise{.probability = 1};
  noise.rate(NoiseKind::kUpper) = 1;
  const VariedCorpus varied(0, 256, 1, noise);
  const ParallelCorpus& corpus = varied.corpus;
  Batcher batcher = varied.batcher();
  const std::vector<std::string> found = texts(run(batcher, 1), 0, corpus.size());
  int64_t swapped = 0;
  for (const auto& [source, target, text] : pairs_of(corpus, found)) {
    const bool is_swapped = text.ends_with("|" + source);
    CHECK((is_swapped || text.ends_with("|" + target)));
    CHECK(!text.starts_with((is_swapped ? target : source) + "|"));
    swapped += is_swapped;
  }
  CHECK(swapped > corpus.size() * 2 / 5);
}

TEST_CASE("where sides change places they are cut anew, or stay in order when that is too long",
          "[data]") {
  const VariedCorpus varied(0.9, 30, 2);
  const ParallelCorpus& corpus = varied.corpus;
  Batcher batcher = varied.batcher();
  const std::vector<Content> batches = run(batcher, 3);
  const std::vector<std::string> found = texts(batches, 0, corpus.size());
  for (const auto& [source, target, text] : pairs_of(corpus, found)) {
    CHECK((text == source + "|" + target || text == target + "|" + source));
  }
  Batcher resumed = varied.batcher();
  for (size_t i = 0; i < batches.size(); i += 9) {
    resumed.seek(std::get<BatchPosition>(batches[i]));
    const auto rest = run(resumed, 3);
    CHECK(std::equal(rest.begin(), rest.end(), batches.begin() + static_cast<int64_t>(i) + 1,
                     batches.end()));
  }
}

TEST_CASE("without a key for it nothing is varied", "[data]") {
  CHECK(!Variation({}, test::sample_tokenizers()).is_wanted());
  DataOptions both_directions;
  both_directions.bidirectional_epochs = 1;
  CHECK(Variation(both_directions, test::sample_tokenizers()).is_wanted());
  DataOptions options;
  options.subword_sampling = 0.1;
  CHECK(Variation(options, test::sample_tokenizers()).is_wanted());
}

TEST_CASE("cuts of a vocabulary of whole words are refused", "[data]") {
  const std::string of_words = test::message_field(2, "\x18\x03");  // TrainerSpec.model_type: WORD
  const TokenizerPair words(Tokenizer(test::sample_tokenizers().source().serialized() + of_words));
  DataOptions options;
  options.subword_sampling = 0.1;
  CHECK(test::user_error([&] { Variation(options, words); }) ==
        "data.subword_sampling: expected 0 with a word vocabulary, of which no cuts are drawn, "
        "found 0.1");
}

TEST_CASE("how strongly cuts may vary depends on the vocabulary's own type", "[data]") {
  DataOptions options;
  options.subword_sampling = 2;
  const std::string bpe = test::sample_tokenizers().source().serialized();
  const std::string unigram = test::message_field(2, "\x18\x01");  // model_type: UNIGRAM
  CHECK(Variation(options, TokenizerPair(Tokenizer(bpe + unigram))).is_wanted());
  const std::string message =
      "data.subword_sampling: 2 is no probability of passing over a bpe vocabulary's merges; "
      "expected less than 1";
  CHECK(test::user_error([&] { Variation(options, test::sample_tokenizers()); }) == message);
  const TokenizerPair two(Tokenizer(bpe + unigram), Tokenizer{bpe});
  CHECK(test::user_error([&] { Variation(options, two); }) == message);
}

}  // namespace
}  // namespace calque
