#pragma once

#include <string>
#include <vector>

#include "bench/machine.h"
#include "model/options.h"

namespace calque::bench {

/// A product c [m, n] over an inner size of k, and where it occurs.
struct GemmCase {
  std::string use;  // "feed-forward input, dx = dy W"
  kernels::GemmForm form;
  int64_t m, n, k;
};

/// The products of a training step: for each kind of linear layer y = x W^T over `tokens` rows the
/// forward product (NT), the input's gradient (NN) and the weight's (TN). The output projection is
/// taken in the row chunks of kernels/cross_entropy.h.
std::vector<GemmCase> model_gemms(const TransformerOptions& options, int64_t target_vocab,
                                  int64_t tokens);

/// A shape in all three forms.
std::vector<GemmCase> gemm_forms(int64_t m, int64_t n, int64_t k);

/// "NT", ...: as kernels/gemm.h names it.
const char* form_name(kernels::GemmForm form);

/// FLOP/s of a case, in the order of multipliers().
std::vector<double> measure_gemm(const GemmCase& gemm);

}  // namespace calque::bench
