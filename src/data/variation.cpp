#include "data/variation.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "text/special_ids.h"

namespace calque {
namespace {

/// Null where nothing is to be drawn.
std::shared_ptr<const SubwordSampler> make_sampler(double strength, const Tokenizer& tokenizer) {
  if (strength == 0) return nullptr;
  if (!SubwordSampler::can_cut(tokenizer)) {
    throw UserError(
        fmt::format("data.subword_sampling: expected 0 with a {} vocabulary, of which "
                    "no cuts are drawn, found {:g}",
                    tokenizer.type(), strength));
  }
  if (tokenizer.type() == "bpe" && strength >= 1) {
    throw UserError(
        fmt::format("data.subword_sampling: {:g} is no probability of passing over a bpe "
                    "vocabulary's merges; expected less than 1",
                    strength));
  }
  return std::make_shared<const SubwordSampler>(tokenizer, strength);
}

}  // namespace

std::unique_ptr<const Variation> make_variation(const DataOptions& options,
                                                const TokenizerPair& tokenizers) {
  auto variation = std::make_unique<const Variation>(options, tokenizers);
  return variation->is_wanted() ? std::move(variation) : nullptr;
}

RandomSequence PairOfEpoch::random(uint32_t stream) const {
  return {{seed, static_cast<uint32_t>(epoch), stream}, static_cast<uint32_t>(pair)};
}

Variation::Variation(const DataOptions& options, const TokenizerPair& tokenizers)
    : max_length_(options.max_length),
      bidirectional_epochs_(options.bidirectional_epochs),
      tokenizers_(tokenizers),
      noise_(options.noise),
      source_(make_sampler(options.subword_sampling, tokenizers.source())),
      target_(tokenizers.shared() ? source_
                                  : make_sampler(options.subword_sampling, tokenizers.target())) {
  CALQUE_CHECK(bidirectional_epochs_ == 0 || tokenizers.shared(), "sides of two vocabularies");
}

bool Variation::is_swapped(const PairOfEpoch& pair) const {
  return pair.epoch < bidirectional_epochs_ && pair.random(streams::kDirection).uniform() < 0.5;
}

void Variation::vary(const PairOfEpoch& pair, bool is_target, std::vector<int32_t>& ids) const {
  if (!is_target && noise_.any()) add_noise_to_source(pair, ids);
  if (source_ == nullptr) return;
  if (is_target) {
    target_->resample(pair.random(streams::kTargetPieces), ids);
  } else {
    source_->resample(pair.random(streams::kSourcePieces), ids);
  }
}

void Variation::add_noise_to_source(const PairOfEpoch& pair, std::vector<int32_t>& ids) const {
  if (std::ranges::find(ids, kUnknownId) != ids.end()) return;
  const Tokenizer& tokenizer = tokenizers_.source();
  const std::string text = tokenizer.decode(ids);
  const std::string noisy =
      add_noise(text, noise_, {pair.seed, static_cast<uint32_t>(pair.epoch), pair.pair});
  if (noisy != text) tokenizer.encode(noisy, ids);
}

}  // namespace calque
