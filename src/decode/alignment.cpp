#include "decode/alignment.h"

#include <algorithm>

#include "base/error.h"
#include "text/words.h"

namespace calque {
namespace {

/// The word that each piece of a translation is in: the last one of the text up to it. Here an
/// unknown piece is a word by itself.
std::vector<int64_t> words_of_target(const Tokenizer& tokenizer, std::span<const int32_t> ids) {
  std::vector<int64_t> words;
  for (size_t i = 0; i < ids.size(); ++i) {
    const int64_t count = count_words(tokenizer.decode(ids.first(i + 1)));
    words.push_back(std::max<int64_t>(count - 1, 0));
  }
  return words;
}

/// probabilities: [heads, target pieces + 1, source pieces + 1].
WordAlignment align(const Real* probabilities, int64_t all_heads, std::span<const int64_t> heads,
                    const SourceWords& source, const std::vector<int64_t>& target_words) {
  WordAlignment result{source.count, target_words.empty() ? 0 : target_words.back() + 1, {}};
  if (result.source_words == 0) return result;  // pieces of spaces alone
  std::vector<double> sums(static_cast<size_t>(result.source_words * result.target_words));
  const int64_t keys = std::ssize(source.of_pieces) + 1;
  const int64_t queries = std::ssize(target_words) + 1;
  for (int64_t head = 0; head < all_heads; ++head) {
    if (!heads.empty() && std::ranges::count(heads, head + 1) == 0) continue;
    for (size_t t = 0; t < target_words.size(); ++t) {
      const Real* const row = probabilities + (head * queries + static_cast<int64_t>(t)) * keys;
      double* const of_word = sums.data() + target_words[t] * result.source_words;
      for (size_t s = 0; s < source.of_pieces.size(); ++s) {
        of_word[source.of_pieces[s]] += static_cast<double>(row[s]);
      }
    }
  }
  for (int64_t t = 0; t < result.target_words; ++t) {
    const auto row = std::span(sums).subspan(static_cast<size_t>(t * result.source_words),
                                             static_cast<size_t>(result.source_words));
    double total = 0;
    for (const double weight : row) total += weight;
    for (const double weight : row) {
      result.weights.push_back(static_cast<Real>(total > 0 ? weight / total : 0));
    }
  }
  return result;
}

}  // namespace

void WordAlignment::append(const WordAlignment& next) {
  CALQUE_CHECK(target_words == 0 || source_words == next.source_words, "{} and {} source words",
               source_words, next.source_words);
  source_words = next.source_words;
  target_words += next.target_words;
  weights.insert(weights.end(), next.weights.begin(), next.weights.end());
}

std::vector<std::pair<int64_t, int64_t>> WordAlignment::links() const {
  std::vector<std::pair<int64_t, int64_t>> links;
  for (int64_t t = 0; source_words > 0 && t < target_words; ++t) {
    const Real* const row = weights.data() + t * source_words;
    links.emplace_back(std::max_element(row, row + source_words) - row, t);
  }
  return links;
}

int64_t aligning_layer(const AlignmentOptions& options, int64_t decoder_layers) {
  return options.layer > 0 ? options.layer - 1 : std::max<int64_t>(decoder_layers - 2, 0);
}

std::vector<WordAlignment> align_words(Transformer& model, const Tokenizer& tokenizer,
                                       std::span<const ForcedPair> pairs,
                                       std::span<const SourceWords> words,
                                       const AlignmentOptions& options, int64_t batch_tokens,
                                       const ForwardTools& tools) {
  std::vector<WordAlignment> result(pairs.size());
  const int64_t heads = model.options().heads;
  const int64_t layer = aligning_layer(options, model.options().decoder_layers);
  for_each_forced_batch(
      pairs, batch_tokens, [&](const TrainingExample& example, std::span<const size_t> members) {
        const Arena::Scope scope(tools.arena);
        Context context(tools.arena, tools.workspace);
        context.weights = tools.weights;
        int64_t weights = 0;
        for (size_t i = 0; i < members.size(); ++i) {
          weights += heads * example.target_layout.lengths[i] * example.source_layout.lengths[i];
        }
        Real* probabilities = tools.arena.allocate<Real>(weights);
        const Var memory = model.encode(context, example.source, example.source_layout);
        AttentionTap tap;
        tap.at(AttentionPlace::kDecoderCross).resize(static_cast<size_t>(layer) + 1);
        tap.at(AttentionPlace::kDecoderCross).back() = probabilities;
        model.decode(context, example.target_input, example.target_layout, memory,
                     example.source_layout, tap);
        for (size_t i = 0; i < members.size(); ++i) {
          result[members[i]] = align(probabilities, heads, options.heads, words[members[i]],
                                     words_of_target(tokenizer, pairs[members[i]].target));
          probabilities +=
              heads * example.target_layout.lengths[i] * example.source_layout.lengths[i];
        }
      });
  return result;
}

}  // namespace calque
