#pragma once

#include "autograd/context.h"
#include "kernels/attention.h"

namespace calque::ops {

/// Where the three inputs of attention are: the query is `model` columns of one matrix, key and
/// value are `key_model` columns each of a second one (the same one in self-attention).
struct AttentionInputs {
  Var query;  // [query rows, >= query_column + model]
  int64_t query_column = 0;
  Var memory;  // [key rows, >= key_column, value_column + key_model]
  int64_t key_column = 0;
  int64_t value_column = 0;
  int64_t model = 0;
  int64_t key_model = model;
  // What some kinds have beside; see kernels::RowAttentionInputs.
  Var energy = {};                     // [model]
  Var centers = {};                    // [query rows, heads]
  const int32_t* positions = nullptr;  // [query rows]
  const Real* advantages = nullptr;    // [query rows], filled before backward
};

/// As kernels::DistanceTerms; keys and values: [2 k + 1, head] or empty Vars. The kinds that take
/// whole rows know alibi alone.
struct AttentionDistances {
  bool alibi = false;
  Var keys{}, values{};
};
kernels::DistanceTerms<Real> terms(const AttentionDistances& distances);

/// softmax(query key^T / sqrt(head)) value for each sentence and head (Vaswani et al. 2017, eq. 1),
/// or another kind as shape.options say: scores, normaliser, dropout and weighted sum as one op,
/// see kernels::attention_forward and kernels::row_attention_forward. Saves its output and one
/// number per query and head. `distances`: of self-attention. `probabilities`: null, or where the
/// weights go. Returns [query rows, model].
Var attention(Context& context, const AttentionInputs& inputs, const kernels::AttentionShape& shape,
              const AttentionDistances& distances = {}, Real* probabilities = nullptr);

}  // namespace calque::ops
