#pragma once

#include <vector>

#include "base/profile.h"
#include "bench/measure.h"
#include "kernels/attention.h"

namespace calque::bench {

/// Self-attention over random numbers, query, key and value beside one another as in a model.
class AttentionRun {
 public:
  /// `shape`: of queries and keys alike. It must outlive the run, as must its layouts.
  AttentionRun(const kernels::AttentionShape& shape, int64_t model);

  void forward(Workspace& workspace) const;
  void backward(Workspace& workspace) const;
  profile::Work forward_work() const;
  profile::Work backward_work() const;

 private:
  const kernels::AttentionShape& shape_;
  int64_t model_;
  RandomMatrix input_, gradient_;  // [tokens, 3 model]
  RandomMatrix output_, doutput_, log_sums_;

  MatrixView<float> part(const RandomMatrix& of, int64_t index) const;
};

/// Attention within one sentence.
struct SentenceAttention {
  int64_t tokens = 0;
  double forward_seconds = 0;
  double backward_seconds = 0;
  profile::Work forward;
  profile::Work backward;
  /// Bytes of memory beside inputs, outputs and their gradients: what the passes work in, of all
  /// threads, and what forward keeps for backward.
  size_t scratch = 0;
  size_t kept = 0;

  /// Time over what FLOPs alone would take at `rate` a second.
  double times_of_flops(double rate) const {
    return (forward_seconds + backward_seconds) / ((forward.flops + backward.flops) / rate);
  }
};

/// Attention with dropout at rate 0.1 in sentences of 64, 256, 1024, 4096 and 8192 tokens, none
/// longer than `longest`.
std::vector<SentenceAttention> bench_sentence_attention(int64_t model, int64_t heads,
                                                        int64_t longest);

}  // namespace calque::bench
