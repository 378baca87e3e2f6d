#include "text/subword_sampler.h"

#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <thread>

#include "base/error.h"
#include "base/temporary_folder.h"
#include "support/catch.h"
#include "support/sentencepiece_message.h"
#include "text/sample_text.h"
#include "text/special_ids.h"
#include "text/vocabulary.h"

namespace calque {
namespace {

using Ids = std::vector<int32_t>;
using Probabilities = std::map<Ids, double>;

Tokenizer train(VocabularyType type, int64_t size) {
  const test::TemporaryFolder folder;
  const std::string file =
      test::write_text(folder / "text", test::join_lines(test::sample_sentences(200, 1)));
  VocabularyOptions options;
  options.type = type;
  options.size = size;
  return Tokenizer(train_vocabulary(options, {file}, 1));
}

const Tokenizer& tokenizer_of(VocabularyType type) {
  static const Tokenizer unigram = train(VocabularyType::kUnigram, 120);
  static const Tokenizer bpe = train(VocabularyType::kBpe, 150);
  return type == VocabularyType::kBpe ? bpe : unigram;
}

Ids encode(const Tokenizer& tokenizer, const std::string& text) {
  Ids ids;
  tokenizer.encode(text, ids);
  return ids;
}

RandomSequence numbers(uint32_t row) { return {{1, 0, streams::kSourcePieces}, row}; }

Ids resampled(const SubwordSampler& sampler, Ids ids, uint32_t row) {
  sampler.resample(numbers(row), ids);
  return ids;
}

std::map<std::string, int32_t> ids_by_text(const Tokenizer& tokenizer) {
  std::map<std::string, int32_t> ids;
  int32_t id = 0;
  for (const TextPiece& piece : tokenizer.pieces()) {
    if (piece.ordinary) ids[piece.text] = id;
    ++id;
  }
  return ids;
}

/// P(cut) ~ (product of probabilities)^strength, of each cut of `word`: by listing them all.
Probabilities cuts_of_unigram(const Tokenizer& tokenizer, const std::string& word,
                              double strength) {
  const auto ids = ids_by_text(tokenizer);
  const auto pieces = tokenizer.pieces();
  Probabilities cuts;
  double all = 0;
  const std::function<void(size_t, const Ids&, double)> list = [&](size_t begin, const Ids& cut,
                                                                   double score) {
    if (begin == word.size()) all += cuts[cut] = std::exp(strength * score);
    for (size_t length = 1; begin + length <= word.size(); ++length) {
      const auto found = ids.find(word.substr(begin, length));
      if (found == ids.end()) continue;
      Ids longer = cut;
      longer.push_back(found->second);
      list(begin + length, longer, score + pieces[static_cast<size_t>(found->second)].score);
    }
  };
  list(0, {}, 0);
  for (auto& [cut, probability] : cuts) probability /= all;
  return cuts;
}

/// Of each outcome of BPE-dropout from `symbols` on: the k-th best merge is made when those before
/// it are passed over and it is not.
Probabilities cuts_of_bpe(const Tokenizer& tokenizer, const std::vector<std::string>& symbols,
                          double strength) {
  const auto ids = ids_by_text(tokenizer);
  const auto pieces = tokenizer.pieces();
  std::map<std::pair<double, size_t>, size_t> merges;  // the best first
  for (size_t i = 0; i + 1 < symbols.size(); ++i) {
    const auto found = ids.find(symbols[i] + symbols[i + 1]);
    if (found == ids.end()) continue;
    merges[{-pieces[static_cast<size_t>(found->second)].score, i}] = i;
  }
  Probabilities cuts;
  double before = 1;
  for (const auto& [rank, i] : merges) {
    std::vector<std::string> merged = symbols;
    merged[i] += merged[i + 1];
    merged.erase(merged.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    for (const auto& [cut, probability] : cuts_of_bpe(tokenizer, merged, strength)) {
      cuts[cut] += before * (1 - strength) * probability;
    }
    before *= strength;
  }
  Ids end;
  for (const std::string& symbol : symbols) end.push_back(ids.at(symbol));
  cuts[end] += before;
  return cuts;
}

void check_frequencies(const SubwordSampler& sampler, const Ids& ids,
                       const Probabilities& expected) {
  constexpr uint32_t kDraws = 20000;
  std::map<Ids, uint32_t> counts;
  for (uint32_t row = 0; row < kDraws; ++row) ++counts[resampled(sampler, ids, row)];
  double known = 0;
  for (const auto& [cut, probability] : expected) {
    const double deviation = std::sqrt(kDraws * probability * (1 - probability));
    CHECK(std::abs(counts[cut] - kDraws * probability) <= 5 * deviation + 1);
    known += counts[cut];
  }
  CHECK(known == kDraws);
}

TEST_CASE("cuts by unigram pieces come as often as their probability to the power says", "[text]") {
  const Tokenizer& tokenizer = tokenizer_of(VocabularyType::kUnigram);
  for (const double strength : {0.2, 1.0}) {
    const SubwordSampler sampler(tokenizer, strength);
    const Probabilities cuts = cuts_of_unigram(tokenizer, "\u2581translationlichation", strength);
    CHECK(cuts.size() > 5);
    check_frequencies(sampler, encode(tokenizer, "translationlichation"), cuts);
  }
}

TEST_CASE("cuts by bpe pieces come as often as passing over merges makes them", "[text]") {
  const Tokenizer& tokenizer = tokenizer_of(VocabularyType::kBpe);
  for (const double strength : {0.1, 0.6}) {
    const SubwordSampler sampler(tokenizer, strength);
    const Probabilities cuts =
        cuts_of_bpe(tokenizer, {"\u2581", "r", "i", "v", "e", "r", "s"}, strength);
    CHECK(cuts.size() > 5);
    check_frequencies(sampler, encode(tokenizer, "rivers"), cuts);
  }
}

TEST_CASE("without chance, cuts are SentencePiece's own", "[text]") {
  const Tokenizer& bpe = tokenizer_of(VocabularyType::kBpe);
  const Tokenizer& unigram = tokenizer_of(VocabularyType::kUnigram);
  const SubwordSampler no_dropout(bpe, 0);
  const SubwordSampler always_best(unigram, 1e4);
  for (const std::string& line : test::sample_sentences(200, 2)) {
    const Ids ids = encode(bpe, line);
    CHECK(resampled(no_dropout, ids, 1) == ids);
    const Ids best = encode(unigram, line);
    CHECK(resampled(always_best, best, 1) == best);
  }
}

TEST_CASE("another cut is of the same text, and what has no piece stays", "[text]") {
  for (const VocabularyType type : {VocabularyType::kUnigram, VocabularyType::kBpe}) {
    const Tokenizer& tokenizer = tokenizer_of(type);
    const SubwordSampler sampler(tokenizer, 0.3);
    int64_t different = 0;
    std::vector<std::string> lines = test::sample_sentences(100, 3);
    lines.insert(lines.end(), {"", "the\u6f22\u5b57house \u6f22", "\u6f22", lines[0] + lines[1],
                               "weilweilweilweilweilweilweilweilweilweilweilweilweil"});
    uint32_t row = 0;
    for (const std::string& line : lines) {
      const Ids ids = encode(tokenizer, line);
      const Ids other = resampled(sampler, ids, ++row);
      CHECK(tokenizer.decode(other) == tokenizer.decode(ids));
      CHECK(std::ranges::count(other, kUnknownId) == std::ranges::count(ids, kUnknownId));
      different += other != ids;
    }
    CHECK(different > 30);
  }
}

TEST_CASE("a cut depends on pieces and random numbers alone", "[text]") {
  for (const VocabularyType type : {VocabularyType::kUnigram, VocabularyType::kBpe}) {
    const Tokenizer& tokenizer = tokenizer_of(type);
    const SubwordSampler used(tokenizer, 0.3);
    const std::vector<std::string> lines = test::sample_sentences(50, 4);
    const auto all = [&](const SubwordSampler& sampler) {
      std::vector<Ids> cuts;
      for (uint32_t i = 0; i < lines.size(); ++i) {
        cuts.push_back(resampled(sampler, encode(tokenizer, lines[i]), i));
      }
      return cuts;
    };
    const std::vector<Ids> expected = all(used);
    CHECK(all(used) == expected);
    std::vector<Ids> beside;
    std::thread thread([&] { beside = all(used); });
    CHECK(all(used) == expected);
    thread.join();
    CHECK(beside == expected);
    const SubwordSampler fresh(tokenizer, 0.3);
    const auto last = static_cast<uint32_t>(lines.size()) - 1;
    CHECK(resampled(fresh, encode(tokenizer, lines.back()), last) == expected.back());
  }
}

TEST_CASE("a vocabulary with a score that is not finite is refused", "[text]") {
  using namespace std::string_literals;
  for (const auto& [bytes, score] :
       {std::pair("\0\0\xC0\x7F"s, "nan"), std::pair("\0\0\x80\x7F"s, "inf"),
        std::pair("\0\0\x80\xFF"s, "-inf")}) {
    // ModelProto.pieces: SentencePiece.piece and, as four bytes, SentencePiece.score.
    const std::string piece = test::message_field(1, test::message_field(1, "qq") + "\x15" + bytes);
    const Tokenizer& plain = tokenizer_of(VocabularyType::kUnigram);
    const Tokenizer tokenizer(plain.serialized() + piece);
    CHECK(test::user_error([&] { SubwordSampler(tokenizer, 0.3); }) ==
          "data.subword_sampling: the vocabulary's piece 120, \"qq\", has a score of "s + score +
              ", by which no cuts are drawn; expected a finite number, or data.subword_sampling: "
              "0");
  }
}

}  // namespace
}  // namespace calque
