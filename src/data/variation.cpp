#include "data/variation.h"

#include "base/error.h"

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
  return std::make_shared<const SubwordSampler>(tokenizer, strength);
}

}  // namespace

RandomSequence SentenceOfEpoch::random(uint32_t stream) const {
  return {{seed, static_cast<uint32_t>(epoch), stream}, static_cast<uint32_t>(pair)};
}

Variation::Variation(const DataOptions& options, const TokenizerPair& tokenizers)
    : max_length_(options.max_length),
      source_(make_sampler(options.subword_sampling, tokenizers.source())),
      target_(tokenizers.shared() ? source_
                                  : make_sampler(options.subword_sampling, tokenizers.target())) {}

void Variation::vary(const SentenceOfEpoch& sentence, std::vector<int32_t>& ids) const {
  if (sentence.is_target) {
    target_->resample(sentence.random(streams::kTargetPieces), ids);
  } else {
    source_->resample(sentence.random(streams::kSourcePieces), ids);
  }
}

}  // namespace calque
