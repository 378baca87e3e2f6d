#pragma once

#include "model/options.h"

namespace calque {

/// DeepNorm (Wang et al. 2022): in a stack so deep that post-norm layers would not train, a
/// sub-layer is norm(alpha x + f(x)), and the weights of value, output and feed-forward begin
/// smaller, by beta.
struct DeepNorm {
  double alpha = 1;  // factor of x
  double beta = 1;   // gain of those weights
};

/// With N encoder and M decoder layers (their table 1): encoder alpha = 0.81 (N^4 M)^(1/16), beta =
/// 0.87 (N^4 M)^(-1/16); decoder alpha = (3 M)^(1/4), beta = (12 M)^(-1/4). All 1 where the norms
/// are not NormPlace::kDeep.
DeepNorm encoder_deep_norm(const TransformerOptions& options);
DeepNorm decoder_deep_norm(const TransformerOptions& options);

}  // namespace calque
