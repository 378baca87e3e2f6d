#include "analysis/faithfulness.h"

#include <algorithm>
#include <cmath>

#include "analysis/source_gradients.h"
#include "base/random.h"
#include "text/special_ids.h"
#include "text/words.h"

namespace calque {
namespace {

/// Lines that are measured together.
constexpr size_t kChunkLines = 32;

size_t index(RemovedWord kind) { return static_cast<size_t>(kind); }

/// A line that is looked at.
struct Line {
  size_t number;
  SourceWords words;
  std::vector<int32_t> source;  // with its end
  std::vector<int32_t> output;
};

class Faithfulness {
 public:
  Faithfulness(Transformer& model, const TokenizerPair& tokenizers,
               const FaithfulnessOptions& options, const ForwardTools& tools)
      : model_(model), tokenizers_(tokenizers), options_(options), tools_(tools) {}

  /// Takes the line in, where it is one to look at.
  void add(size_t number, const std::string& source, const std::string& output) {
    Line line{number, {count_words(source), {}}, {}, {}};
    std::vector<size_t> begins;
    tokenizers_.source().encode(source, line.source, begins);
    tokenizers_.target().encode(output, line.output);
    if (line.words.count < 2 || line.source.empty()) return;
    if (std::max(std::ssize(line.source), std::ssize(line.output)) >= options_.longest) return;
    line.words.of_pieces = words_at(source, begins);
    line.source.push_back(kEndId);
    lines_.push_back(std::move(line));
  }

  /// Measures the lines taken in, and forgets them.
  void measure(std::span<const std::string> sources, std::vector<SentenceFaithfulness>& results) {
    std::vector<ForcedPair> pairs;
    std::vector<SourceWords> words;
    for (const Line& line : lines_) {
      pairs.push_back({line.source, line.output});
      words.push_back(line.words);
    }
    const auto alignments = align_words(model_, tokenizers_.target(), pairs, words,
                                        options_.alignment, options_.batch_tokens, tools_);
    const auto gradients = source_gradients(model_, pairs, options_.batch_tokens, tools_);
    const size_t first = results.size();
    for (size_t i = 0; i < lines_.size(); ++i) {
      SentenceFaithfulness& result = results.emplace_back();
      result.line = static_cast<int64_t>(lines_[i].number);
      result.tokens = std::ssize(lines_[i].output) + 1;
      result.log_probability = gradients[i].log_probability;
      result.word = {most_attended(alignments[i]), steepest(lines_[i], gradients[i].norms),
                     random_word(lines_[i])};
    }
    remove_words(sources, std::span(results).subspan(first));
    lines_.clear();
  }

 private:
  Transformer& model_;
  const TokenizerPair& tokenizers_;
  const FaithfulnessOptions& options_;
  const ForwardTools& tools_;
  std::vector<Line> lines_;

  static int64_t most_attended(const WordAlignment& alignment) {
    std::vector<double> sums(static_cast<size_t>(alignment.source_words));
    for (int64_t t = 0; t < alignment.target_words; ++t) {
      for (int64_t s = 0; s < alignment.source_words; ++s) {
        sums[static_cast<size_t>(s)] += static_cast<double>(alignment.weight(t, s));
      }
    }
    return std::ranges::max_element(sums) - sums.begin();
  }

  static int64_t steepest(const Line& line, std::span<const double> norms) {
    std::vector<double> squares(static_cast<size_t>(line.words.count));
    for (size_t piece = 0; piece < line.words.of_pieces.size(); ++piece) {
      squares[static_cast<size_t>(line.words.of_pieces[piece])] += norms[piece] * norms[piece];
    }
    return std::ranges::max_element(squares) - squares.begin();
  }

  int64_t random_word(const Line& line) const {
    const RandomKey key{options_.seed, 0, streams::kFaithfulness};
    return static_cast<int64_t>(random_uniform(key, line.number) *
                                static_cast<double>(line.words.count));
  }

  /// Scores the outputs once more for each word that is taken out.
  void remove_words(std::span<const std::string> sources,
                    std::span<SentenceFaithfulness> results) const {
    std::vector<std::vector<int32_t>> shorter;
    for (const RemovedWord kind : kRemovedWords) {
      for (const SentenceFaithfulness& result : results) {
        const std::string& source = sources[static_cast<size_t>(result.line)];
        std::vector<int32_t>& ids = shorter.emplace_back();
        tokenizers_.source().encode(without_word(source, result.word[index(kind)]), ids);
        ids.push_back(kEndId);
      }
    }
    std::vector<ForcedPair> pairs;
    for (size_t i = 0; i < shorter.size(); ++i) {
      pairs.push_back({shorter[i], lines_[i % results.size()].output});
    }
    const auto scores = score_pairs(model_, pairs, options_.batch_tokens, tools_);
    for (size_t i = 0; i < scores.size(); ++i) {
      double log_probability = 0;
      for (const Real token : scores[i]) log_probability += static_cast<double>(token);
      SentenceFaithfulness& result = results[i % results.size()];
      result.fall[i / results.size()] = result.log_probability - log_probability;
    }
  }
};

}  // namespace

std::vector<SentenceFaithfulness> measure_faithfulness(
    Transformer& model, const TokenizerPair& tokenizers, std::span<const std::string> sources,
    std::span<const std::string> outputs, const FaithfulnessOptions& options,
    const ForwardTools& tools, const std::function<void(int64_t)>& progress) {
  CALQUE_CHECK(sources.size() == outputs.size(), "{} sources and {} outputs", sources.size(),
               outputs.size());
  std::vector<SentenceFaithfulness> results;
  Faithfulness faithfulness(model, tokenizers, options, tools);
  for (size_t begin = 0; begin < sources.size(); begin += kChunkLines) {
    if (progress) progress(static_cast<int64_t>(begin));
    const size_t end = std::min(begin + kChunkLines, sources.size());
    for (size_t i = begin; i < end; ++i) faithfulness.add(i, sources[i], outputs[i]);
    faithfulness.measure(sources, results);
  }
  if (progress) progress(std::ssize(sources));
  return results;
}

Estimate estimate(std::span<const double> values) {
  const auto count = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += value;
  Estimate result{sum / count, 0};
  if (values.size() < 2) return result;
  double squares = 0;
  for (const double value : values) squares += (value - result.mean) * (value - result.mean);
  result.standard_error = std::sqrt(squares / (count - 1) / count);
  return result;
}

FaithfulnessSummary summarize(std::span<const SentenceFaithfulness> sentences) {
  const auto estimate_of = [&](const auto& value) {
    std::vector<double> values;
    for (const SentenceFaithfulness& sentence : sentences) values.push_back(value(sentence));
    return estimate(values);
  };
  const double mean_tokens =
      estimate_of([](const auto& s) { return static_cast<double>(s.tokens); }).mean;
  FaithfulnessSummary summary;
  for (const RemovedWord kind : kRemovedWords) {
    const size_t i = index(kind);
    const auto over_random = [&](const SentenceFaithfulness& s) {
      return s.fall[i] - s.fall[index(RemovedWord::kRandom)];
    };
    FaithfulnessSummary::Row& row = summary.rows[i];
    row.fall = estimate_of([&](const auto& s) { return s.fall[i]; });
    row.over_random = estimate_of(over_random);
    row.beats_random = estimate_of(
        [&](const auto& s) { return over_random(s) > 0 ? 1 : (over_random(s) < 0 ? 0 : 0.5); });
    row.fall_per_token = row.fall.mean / mean_tokens;
  }
  summary.same_word = estimate_of([](const auto& s) {
    return s.word[index(RemovedWord::kAttended)] == s.word[index(RemovedWord::kGradient)] ? 1. : 0.;
  });
  return summary;
}

}  // namespace calque
