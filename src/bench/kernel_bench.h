#pragma once

#include <string>
#include <vector>

#include "base/profile.h"
#include "model/options.h"

namespace calque::bench {

/// One kernel at one size: the time of a call and what it has to do in it (kernels/work.h).
struct KernelResult {
  std::string name;
  std::string size;  // "4096 x 512"
  double seconds = 0;
  profile::Work work;
};

/// Every kernel of a training step but GEMM, at the sizes of a model on a batch of `tokens` tokens
/// (sentences of 8 to 40), over random numbers, with the dropout rates of `options`. The dropout
/// masks alone are measured at rate 0.1.
std::vector<KernelResult> bench_kernels(const TransformerOptions& options, int64_t target_vocab,
                                        int64_t tokens);

}  // namespace calque::bench
