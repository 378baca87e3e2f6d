#pragma once

#include <cstdint>

#include "model/options.h"

namespace calque {

/// FLOPs of the linear layers in one forward and backward pass over `source_tokens` and
/// `target_tokens` rows: every product with a weight matrix, the output projection included. A
/// layer y = x W^T over M rows, W [N, K], takes 2 M N K forward and twice that backward (dx = dy W
/// and dW = dy^T x). Attention's products between activations, recomputed values, embeddings and
/// element-wise work count nothing, so a step cannot look better by doing more of them. Per token:
///   encoder layer   2 model (model + 2 key model + model) query, key, value; output; key model:
///                                                         model, less with fewer heads of keys
///                   + 2 (2 model hidden)                  feed-forward: input, output; of gated
///                                                         kinds 3 for 2, the gate too
///   decoder layer   the same, and 2 model (model + model) cross-attention's query; output
///     and per source token   2 model (2 key model)        cross-attention's key, value
///   output projection, per target token   2 model target_vocab
double linear_layer_flops(const TransformerOptions& options, int64_t target_vocab,
                          int64_t source_tokens, int64_t target_tokens);

}  // namespace calque
