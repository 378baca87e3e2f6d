#include "nn/embedding.h"

#include <cmath>

#include "autograd/ops/embedding.h"

namespace calque {

Embedding::Embedding(const Scope& scope, int64_t vocab, int64_t model, double dropout,
                     ParameterId shared)
    : store_(scope.store()),
      weight_(shared ? shared
                     : scope.declare("weight", {vocab, model}, Init::kNormal,
                                     1 / std::sqrt(static_cast<double>(model)))),
      scale_(std::sqrt(static_cast<double>(model))),
      dropout_(dropout),
      dropout_stream_(scope.dropout_stream()) {}

Var Embedding::forward(Context& context, Ids ids, const Var& position_table,
                       std::span<const int32_t> positions) const {
  return ops::embedding(context, store_.var(context, weight_), ids, scale_, position_table,
                        positions, context.dropout(dropout_, dropout_stream_));
}

}  // namespace calque
