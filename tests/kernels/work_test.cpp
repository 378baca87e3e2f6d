#include "kernels/work.h"

#include "support/catch.h"

using namespace calque;
namespace work = calque::kernels::work;

TEST_CASE("a product's work is 2 m n k, and each matrix once", "[kernels]") {
  const profile::Work fresh = work::gemm<float>(2, 3, 5, false);
  CHECK(fresh.flops == 60);
  CHECK(fresh.bytes == 4 * (2 * 5 + 5 * 3 + 2 * 3));
  CHECK(work::gemm<float>(2, 3, 5, true).bytes == fresh.bytes + 4 * 2 * 3);
  CHECK(work::gemm<double>(2, 3, 5, false).bytes == 2 * fresh.bytes);
}

TEST_CASE("a pass moves its elements", "[kernels]") {
  CHECK(work::pass<float>(7, 3, 2).bytes == 4 * 7 * 3 * 2);
  CHECK(work::pass<double>(7, 3, 2).bytes == 8 * 7 * 3 * 2);
  CHECK(work::pass<float>(7, 3, 2).flops == 0);
}

TEST_CASE("a gated activation reads both halves and writes both gradients", "[kernels]") {
  using enum kernels::Activation;
  CHECK(work::activation_forward<float>(kGelu, 7, 3).bytes == 4 * 7 * 3 * 2);    // u; y
  CHECK(work::activation_backward<float>(kGelu, 7, 3).bytes == 4 * 7 * 3 * 3);   // u, dy; du
  CHECK(work::activation_forward<float>(kSwiglu, 7, 3).bytes == 4 * 7 * 3 * 3);  // u, u; y
  CHECK(work::activation_backward<float>(kSwiglu, 7, 3).bytes ==
        4 * 7 * 3 * 5);  // u, u, dy; du, du
}

TEST_CASE("attention's work counts the pairs that look at each other", "[kernels]") {
  SequenceLayoutBuffer queries;
  SequenceLayoutBuffer keys;
  for (const int64_t length : {3, 2}) queries.append(length);
  for (const int64_t length : {4, 5}) keys.append(length);
  const kernels::AttentionShape cross{queries.view(), keys.view(), 2, false, {}};
  const kernels::AttentionShape causal{queries.view(), queries.view(), 2, true, {}};
  CHECK(work::visible_pairs(cross) == 3 * 4 + 2 * 5);
  CHECK(work::visible_pairs(causal) == (1 + 2 + 3) + (1 + 2));
  kernels::AttentionShape near = causal;
  near.options = {.scope = kernels::AttentionScope::kLocal, .window = 1};
  CHECK(work::visible_pairs(near) == (1 + 2 + 2) + (1 + 2));
  near = cross;
  near.options = {.scope = kernels::AttentionScope::kPredictive, .window = 1};
  CHECK(work::visible_pairs(near) == (2 + 3 + 3) + (2 + 3));

  constexpr int64_t kModel = 8;
  const profile::Work forward = work::attention_forward<float>(cross, kModel, kModel);
  CHECK(forward.flops == 2 * 2 * 22 * kModel);           // q k^T, p v
  CHECK(forward.bytes == 4 * kModel * (5 + 9 + 9 + 5));  // query, key, value, output
  const profile::Work backward = work::attention_backward<float>(cross, kModel, kModel);
  CHECK(backward.flops == 5 * 2 * 22 * kModel);  // q k^T, dP, dV, dQ, dK
  CHECK(backward.bytes == 4 * kModel * (4 * 5 + 4 * 9));
}
