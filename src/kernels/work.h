#pragma once

#include <array>

#include "base/profile.h"
#include "kernels/activation.h"
#include "kernels/attention.h"

/// What the kernels have to do, for rates and floors. FLOPs: of matrix products alone, a
/// multiply-add as two; element-wise arithmetic is not counted, its kernels are bound by memory.
/// Bytes: every input read once and every output written once, as if the caches held the rest; an
/// output that is added to is read too. T is the scalar.
namespace calque::kernels::work {

/// A pass over memory that moves so many elements.
template <class T>
profile::Work pass(double elements) {
  return {0, elements * sizeof(T)};
}
template <class T>
profile::Work pass(int64_t rows, int64_t cols, int64_t reads_and_writes) {
  return pass<T>(static_cast<double>(rows) * static_cast<double>(cols) *
                 static_cast<double>(reads_and_writes));
}

/// u in, y [rows, cols] out; u is wider than y in gated kinds.
template <class T>
profile::Work activation_forward(Activation kind, int64_t rows, int64_t cols) {
  return pass<T>(rows, cols, activation_inputs(kind) + 1);
}

/// u and dy in, du out.
template <class T>
profile::Work activation_backward(Activation kind, int64_t rows, int64_t cols) {
  return pass<T>(rows, cols, 2 * activation_inputs(kind) + 1);
}

/// c [m, n] = or += a product over an inner size of k: 2 m n k FLOPs.
template <class T>
profile::Work gemm(int64_t m, int64_t n, int64_t k, bool accumulate) {
  const auto [rows, cols, inner] =
      std::array{static_cast<double>(m), static_cast<double>(n), static_cast<double>(k)};
  profile::Work work = pass<T>(rows * inner + inner * cols + (accumulate ? 2 : 1) * rows * cols);
  work.flops = 2 * rows * cols * inner;
  return work;
}

/// The product that gives the logits; with the gradient, those of dx and dweight. The logits, which
/// no cache holds, are written, and read for the gradient.
template <class T>
profile::Work projection_cross_entropy(int64_t tokens, int64_t vocab, int64_t model,
                                       bool with_gradient) {
  profile::Work work = pass<T>(tokens, vocab, with_gradient ? 2 : 1);
  work.flops = (with_gradient ? 3 : 1) * gemm<T>(tokens, vocab, model, false).flops;
  return work;
}

/// Pairs of query and key that look at each other, over all sentences; of one head.
double visible_pairs(const AttentionShape& shape);

/// Two products over the visible pairs (scores, output); query, key, value in, output out.
template <class T>
profile::Work attention_forward(const AttentionShape& shape, int64_t model, int64_t key_model) {
  profile::Work work = pass<T>(
      static_cast<double>(2 * shape.queries.tokens * model + 2 * shape.keys.tokens * key_model));
  work.flops = 2 * 2 * visible_pairs(shape) * static_cast<double>(model);
  return work;
}

/// Five products: the scores once more, and the gradients of weights, values, queries and keys;
/// five matrices in, three out.
template <class T>
profile::Work attention_backward(const AttentionShape& shape, int64_t model, int64_t key_model) {
  profile::Work work = pass<T>(
      static_cast<double>(4 * shape.queries.tokens * model + 4 * shape.keys.tokens * key_model));
  work.flops = 5 * 2 * visible_pairs(shape) * static_cast<double>(model);
  return work;
}

}  // namespace calque::kernels::work
