#pragma once

#include <cstdint>

namespace calque::kernels {

/// How a query and a key make a score, in each head. kScaledDot: query key / sqrt(head) (Vaswani et
/// al. 2017); kDot: query key; kGeneral: key^T W query (Luong et al. 2015); kAdditive:
/// v^T tanh(query + key) (Bahdanau et al. 2015).
enum class AttentionScore { kScaledDot, kDot, kGeneral, kAdditive };

/// Which keys a query sees: see kernels/attention_scope.h.
enum class AttentionScope { kGlobal, kLocal, kStrided, kMonotonic, kPredictive };

/// What makes weights of a row of scores: softmax; sparsemax (Martins and Astudillo 2016) and
/// 1.5-entmax (Peters et al. 2019), which give many keys a weight of exactly 0.
enum class AttentionNormalizer { kSoftmax, kSparsemax, kEntmax15 };

/// What is taken of the values: their weighted sum, or that of one key.
enum class AttentionSelection { kSoft, kHard };

/// What stands for the gradient of hard selection: see kernels/attention_selection.h.
enum class SelectionEstimator { kStraightThrough, kReinforce };

/// What one attention of a layer is: one of the blocks `model.encoder.self_attention`,
/// `model.decoder.self_attention` and `model.decoder.cross_attention` of a config.
struct AttentionOptions {
  AttentionScore score = AttentionScore::kScaledDot;
  AttentionScope scope = AttentionScope::kGlobal;
  int64_t window = 64;        // of scopes but kGlobal: keys on each side; of kStrided, the stride
  int64_t global_tokens = 0;  // of kLocal: first tokens that see all, and that all see
  AttentionNormalizer normalizer = AttentionNormalizer::kSoftmax;
  AttentionSelection selection = AttentionSelection::kSoft;
  SelectionEstimator estimator = SelectionEstimator::kStraightThrough;  // of kHard
  /// What kReinforce's gradient counts, lambda_r of Xu et al. 2015: 1 is that of the loss. Less
  /// keeps its noise, which is large, from drowning all other gradients.
  double reinforce_weight = 0.01;
  // The temperature at which kHard draws in training, straight-through: from the first to the last,
  // geometrically over so many updates.
  double temperature = 1;
  double last_temperature = 0.5;
  int64_t temperature_steps = 10000;
  /// Heads of keys and values, a divisor of `heads`, each for as many neighbouring query heads; 0:
  /// as many as those. Fewer: grouped-query attention (Ainslie et al. 2023); one: multi-query
  /// attention (Shazeer 2019).
  int64_t key_value_heads = 0;

  bool reinforces() const {
    return selection == AttentionSelection::kHard && estimator == SelectionEstimator::kReinforce;
  }

  int64_t key_value_heads_of(int64_t heads) const {
    return key_value_heads > 0 ? key_value_heads : heads;
  }
};

/// Whether it is computed by whole rows of scores (kernels/row_attention.h), not block by block as
/// softmax over dot products with all keys is (kernels/attention.h).
inline bool takes_whole_rows(const AttentionOptions& options) {
  return options.score == AttentionScore::kAdditive || options.scope != AttentionScope::kGlobal ||
         options.normalizer != AttentionNormalizer::kSoftmax ||
         options.selection != AttentionSelection::kSoft;
}

}  // namespace calque::kernels
