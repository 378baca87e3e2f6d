#include "export/attention_kinds.h"

#include "support/catch.h"

namespace calque {
namespace {

using Values = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("attention that the paper does not have is told by its keys", "[export]") {
  TransformerOptions options;
  CHECK(unusual_attention(options).empty());
  options.encoder_self_attention.scope = kernels::AttentionScope::kLocal;
  options.encoder_self_attention.window = 5;
  options.decoder_cross_attention.normalizer = kernels::AttentionNormalizer::kSparsemax;
  CHECK(unusual_attention(options) ==
        Values{{"model.encoder.self_attention.scope", "local"},
               {"model.encoder.self_attention.window", "5"},
               {"model.decoder.cross_attention.normalizer", "sparsemax"}});
}

TEST_CASE("what has no effect, and shared keys and values, are not told", "[export]") {
  TransformerOptions options;
  options.encoder_self_attention.key_value_heads = 1;
  options.encoder_self_attention.window = 5;
  kernels::AttentionOptions& cross = options.decoder_cross_attention;
  cross.selection = kernels::AttentionSelection::kHard;
  cross.estimator = kernels::SelectionEstimator::kReinforce;
  cross.temperature = 0.9;
  CHECK(unusual_attention(options) ==
        Values{{"model.decoder.cross_attention.selection", "hard"},
               {"model.decoder.cross_attention.estimator", "reinforce"}});
}

}  // namespace
}  // namespace calque
