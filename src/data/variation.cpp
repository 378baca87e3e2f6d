#include "data/variation.h"

#include <algorithm>

#include "text/special_ids.h"

namespace calque {

Variation::Variation(const DataOptions& options, const TokenizerPair& tokenizers)
    : max_length_(options.max_length), tokenizers_(tokenizers), noise_(options.noise) {}

void Variation::vary(const SentenceOfEpoch& sentence, std::vector<int32_t>& ids) const {
  if (!sentence.is_target && noise_.any()) add_noise_to_source(sentence, ids);
}

void Variation::add_noise_to_source(const SentenceOfEpoch& sentence,
                                    std::vector<int32_t>& ids) const {
  if (std::ranges::find(ids, kUnknownId) != ids.end()) return;
  const Tokenizer& tokenizer = tokenizers_.source();
  const std::string text = tokenizer.decode(ids);
  const std::string noisy = add_noise(
      text, noise_, {sentence.seed, static_cast<uint32_t>(sentence.epoch), sentence.pair});
  if (noisy != text) tokenizer.encode(noisy, ids);
}

}  // namespace calque
