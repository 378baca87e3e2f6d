#include "decode/alignment.h"

#include <algorithm>

#include "base/error.h"

namespace calque {
namespace {

/// The word that each piece of a source is in: a new one begins with each piece that has a space in
/// front.
std::vector<int64_t> words_of_source(const Tokenizer& tokenizer, std::span<const int32_t> ids) {
  std::vector<int64_t> words;
  int64_t word = 0;
  for (const int32_t id : ids) {
    if (!words.empty() && tokenizer.piece(id).starts_with("\u2581")) ++word;
    words.push_back(word);
  }
  return words;
}

/// The word that each piece of a translation is in: the last one of the text up to it. Here an
/// unknown piece is a word by itself.
std::vector<int64_t> words_of_target(const Tokenizer& tokenizer, std::span<const int32_t> ids) {
  std::vector<int64_t> words;
  for (size_t i = 0; i < ids.size(); ++i) {
    const std::string text = tokenizer.decode(ids.first(i + 1));
    int64_t count = 0;
    bool inside = false;
    for (const char c : text) {
      const bool is_space = c == ' ';
      if (!is_space && !inside) ++count;
      inside = !is_space;
    }
    words.push_back(std::max<int64_t>(count - 1, 0));
  }
  return words;
}

int64_t count_words(const std::vector<int64_t>& words) {
  return words.empty() ? 0 : words.back() + 1;
}

/// probabilities: [heads, target pieces + 1, source pieces + 1].
WordAlignment align(const Real* probabilities, int64_t all_heads, std::span<const int64_t> heads,
                    const std::vector<int64_t>& source_words,
                    const std::vector<int64_t>& target_words) {
  WordAlignment result{count_words(source_words), count_words(target_words), {}};
  std::vector<double> sums(static_cast<size_t>(result.source_words * result.target_words));
  const int64_t keys = std::ssize(source_words) + 1;
  const int64_t queries = std::ssize(target_words) + 1;
  for (int64_t head = 0; head < all_heads; ++head) {
    if (!heads.empty() && std::ranges::count(heads, head + 1) == 0) continue;
    for (size_t t = 0; t < target_words.size(); ++t) {
      const Real* const row = probabilities + (head * queries + static_cast<int64_t>(t)) * keys;
      double* const of_word = sums.data() + target_words[t] * result.source_words;
      for (size_t s = 0; s < source_words.size(); ++s) {
        of_word[source_words[s]] += static_cast<double>(row[s]);
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

void check_alignment(const AlignmentOptions& options, const TransformerOptions& model) {
  if (options.layer > model.decoder_layers) {
    throw UserError(fmt::format("--alignment-layer {}: the decoder has layers 1 to {}",
                                options.layer, model.decoder_layers));
  }
  for (const int64_t head : options.heads) {
    if (head >= 1 && head <= model.heads) continue;
    throw UserError(
        fmt::format("--alignment-heads {}: the decoder has heads 1 to {}", head, model.heads));
  }
}

void WordAlignment::append(const WordAlignment& next) {
  WordAlignment both{source_words + next.source_words, target_words + next.target_words, {}};
  both.weights.resize(static_cast<size_t>(both.source_words * both.target_words));
  const auto copy = [&](const WordAlignment& from, int64_t first_target, int64_t first_source) {
    for (int64_t t = 0; t < from.target_words; ++t) {
      std::copy_n(from.weights.data() + t * from.source_words, from.source_words,
                  both.weights.data() + (first_target + t) * both.source_words + first_source);
    }
  };
  copy(*this, 0, 0);
  copy(next, target_words, source_words);
  *this = std::move(both);
}

std::vector<std::pair<int64_t, int64_t>> WordAlignment::links() const {
  std::vector<std::pair<int64_t, int64_t>> links;
  for (int64_t t = 0; source_words > 0 && t < target_words; ++t) {
    const Real* const row = weights.data() + t * source_words;
    links.emplace_back(std::max_element(row, row + source_words) - row, t);
  }
  return links;
}

std::vector<WordAlignment> align_words(Transformer& model, const TokenizerPair& tokenizers,
                                       std::span<const ForcedPair> pairs,
                                       const AlignmentOptions& options, int64_t batch_tokens,
                                       const ForwardTools& tools) {
  std::vector<WordAlignment> result(pairs.size());
  const int64_t heads = model.options().heads;
  const int64_t layer = options.layer > 0
                            ? options.layer - 1
                            : std::max<int64_t>(model.options().decoder_layers - 2, 0);
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
        model.decode(context, example.target_input, example.target_layout, memory,
                     example.source_layout, {layer, probabilities});
        for (size_t i = 0; i < members.size(); ++i) {
          const ForcedPair& pair = pairs[members[i]];
          const auto source =
              words_of_source(tokenizers.source(), pair.source.first(pair.source.size() - 1));
          const auto target = words_of_target(tokenizers.target(), pair.target);
          result[members[i]] = align(probabilities, heads, options.heads, source, target);
          probabilities +=
              heads * example.target_layout.lengths[i] * example.source_layout.lengths[i];
        }
      });
  return result;
}

}  // namespace calque
