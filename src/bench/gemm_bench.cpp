#include "bench/gemm_bench.h"

#include <algorithm>

#include "kernels/cross_entropy.h"

namespace calque::bench {
namespace {

using kernels::GemmForm;

constexpr double kBudget = 0.1;

/// The three products of y = x W^T; x: [tokens, in], W: [out, in].
void add_layer(std::vector<GemmCase>& cases, const std::string& name, int64_t tokens, int64_t out,
               int64_t in) {
  cases.push_back({name + ": y = x W^T", GemmForm::kNT, tokens, out, in});
  cases.push_back({name + ": dx = dy W", GemmForm::kNN, tokens, in, out});
  cases.push_back({name + ": dW = dy^T x", GemmForm::kTN, out, in, tokens});
}

}  // namespace

std::vector<GemmCase> model_gemms(const TransformerOptions& options, int64_t target_vocab,
                                  int64_t tokens) {
  const int64_t model = options.model;
  std::vector<GemmCase> cases;
  add_layer(cases, "query, key, value", tokens, 3 * model, model);
  add_layer(cases, "attention output", tokens, model, model);
  add_layer(cases, "feed-forward input", tokens,
            kernels::activation_inputs(options.activation) * options.hidden, model);
  add_layer(cases, "feed-forward output", tokens, model, options.hidden);
  add_layer(cases, "output projection", std::min(tokens, kernels::cross_entropy_chunk_rows(model)),
            target_vocab, model);
  return cases;
}

std::vector<GemmCase> gemm_forms(int64_t m, int64_t n, int64_t k) {
  return {{"y = x W^T", GemmForm::kNT, m, n, k},
          {"dx = dy W", GemmForm::kNN, m, n, k},
          {"dW = dy^T x", GemmForm::kTN, m, n, k}};
}

const char* form_name(GemmForm form) {
  switch (form) {
    case GemmForm::kNN:
      return "NN";
    case GemmForm::kNT:
      return "NT";
    case GemmForm::kTN:
      return "TN";
  }
  return "";
}

std::vector<double> measure_gemm(const GemmCase& gemm) {
  std::vector<double> speeds;
  for (const Multiplier& multiplier : multipliers()) {
    speeds.push_back(gemm_speed(multiplier, gemm.form, gemm.m, gemm.n, gemm.k, kBudget));
  }
  return speeds;
}

}  // namespace calque::bench
