#pragma once

#include "nn/positional_encoding.h"

namespace calque {

/// Ids to vectors: dropout(sqrt(model) weight[id] + position) (Vaswani et al. 2017, section 3.4).
/// weight: [vocab, model], normal with standard deviation 1 / sqrt(model).
class Embedding {
 public:
  /// Declares its own `weight` below `scope`, or uses `shared`, declared by another Embedding.
  Embedding(const Scope& scope, int64_t vocab, int64_t model, double dropout,
            ParameterId shared = {});

  /// ids, positions: [tokens], kept by the caller until backward; table: [longest, model].
  Var forward(Context& context, Ids ids, const Var& position_table,
              std::span<const int32_t> positions) const;

  ParameterId weight() const { return weight_; }

 private:
  ParameterStore& store_;
  ParameterId weight_;
  double scale_;
  double dropout_;
  uint32_t dropout_stream_;
};

}  // namespace calque
