// Gradients of every op in double against central differences, with every subset of the inputs
// constant and all memory poisoned.

#include <algorithm>
#include <utility>
#include <vector>

#include "autograd/ops/activation.h"
#include "autograd/ops/add_dropout.h"
#include "autograd/ops/attention.h"
#include "autograd/ops/embedding.h"
#include "autograd/ops/layer_norm.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/projection_cross_entropy.h"
#include "autograd/ops/rms_norm.h"
#include "autograd/ops/tap.h"
#include "support/catch.h"
#include "support/gradient_check.h"

namespace calque {
namespace {

using test::worst_gradient_error;
using test::worst_loss_gradient_error;

constexpr double kTolerance = 1e-7;

SequenceLayout layout_of(SequenceLayoutBuffer& buffer, std::initializer_list<int64_t> lengths) {
  for (const int64_t length : lengths) buffer.append(length);
  return buffer.view();
}

TEST_CASE("linear has exact gradients", "[autograd]") {
  const int64_t tokens = GENERATE(1, 7);
  CHECK(worst_gradient_error({{tokens, 5}, {3, 5}, {3}}, [](Context& c, auto in) {
          return ops::linear(c, in[0], in[1], in[2]);
        }) < kTolerance);
  CHECK(worst_gradient_error({{tokens, 5}, {3, 5}}, [](Context& c, auto in) {
          return ops::linear(c, in[0], in[1], Var());
        }) < kTolerance);
}

TEST_CASE("linear takes one matrix as input and weight", "[autograd]") {
  CHECK(worst_gradient_error({{4, 5}}, [](Context& c, auto in) {
          return ops::linear(c, in[0], in[0], Var());
        }) < kTolerance);
}

TEST_CASE("the residual connection has exact gradients with and without dropout", "[autograd]") {
  const double rate = GENERATE(0.0, 0.4);
  CHECK(worst_gradient_error({{6, 5}, {6, 5}}, [&](Context& c, auto in) {
          return ops::add_dropout(c, in[0], in[1], c.dropout(rate, 3));
        }) < kTolerance);
  CHECK(worst_gradient_error({{6, 5}}, [&](Context& c, auto in) {
          return ops::add_dropout(c, in[0], in[0], c.dropout(rate, 3));
        }) < kTolerance);
}

TEST_CASE("a residual connection over its sub-layer's output is the same, with exact gradients",
          "[autograd]") {
  const double rate = GENERATE(0.0, 0.4);
  CHECK(worst_gradient_error({{6, 5}, {5, 5}}, [&](Context& c, auto in) {
          const Var kept = ops::linear(c, in[0], in[1], Var());
          Var f = ops::linear(c, in[0], in[1], Var());
          const kernels::Dropout dropout = c.dropout(rate, 3);
          const Var apart = ops::add_dropout(c, in[0], kept, dropout);
          const Var y = ops::add_dropout(c, in[0], std::move(f), dropout);
          CHECK(y.value.data == f.value.data);
          CHECK(std::ranges::equal(y.value.values(), apart.value.values()));
          return y;
        }) < kTolerance);
}

TEST_CASE("activations have exact gradients with and without dropout", "[autograd]") {
  const auto kind =
      GENERATE(kernels::Activation::kRelu, kernels::Activation::kGelu, kernels::Activation::kSwish);
  const double rate = GENERATE(0.0, 0.4);
  CHECK(worst_gradient_error({{6, 9}}, [&](Context& c, auto in) {
          return ops::activation(c, in[0], kind, c.dropout(rate, 3));
        }) < kTolerance);
}

TEST_CASE("gated activations have exact gradients with and without dropout", "[autograd]") {
  const auto kind = GENERATE(kernels::Activation::kGlu, kernels::Activation::kGeglu,
                             kernels::Activation::kSwiglu);
  const double rate = GENERATE(0.0, 0.4);
  CHECK(worst_gradient_error({{6, 18}}, [&](Context& c, auto in) {
          const Var y = ops::activation(c, in[0], kind, c.dropout(rate, 3));
          CHECK(y.cols() == 9);
          return y;
        }) < kTolerance);
  // Of a linear layer's output, whose gradient is the op's alone to write.
  CHECK(worst_gradient_error({{6, 9}, {10, 9}}, [&](Context& c, auto in) {
          return ops::activation(c, ops::linear(c, in[0], in[1], Var()), kind, c.dropout(rate, 3));
        }) < kTolerance);
}

TEST_CASE("relu over a linear layer's output is the same, with exact gradients", "[autograd]") {
  const auto kind = GENERATE(kernels::Activation::kRelu, kernels::Activation::kSwish);
  const double rate = GENERATE(0.0, 0.4);
  CHECK(worst_gradient_error({{6, 9}, {5, 9}}, [&](Context& c, auto in) {
          const Var kept = ops::linear(c, in[0], in[1], Var());
          Var u = ops::linear(c, in[0], in[1], Var());
          const kernels::Dropout dropout = c.dropout(rate, 3);
          const Var apart = ops::activation(c, kept, kind, dropout);
          const Var y = ops::activation(c, std::move(u), kind, dropout);
          CHECK((y.value.data == u.value.data) == (kind == kernels::Activation::kRelu));
          CHECK(std::ranges::equal(y.value.values(), apart.value.values()));
          return y;
        }) < kTolerance);
}

TEST_CASE("layer norm has exact gradients", "[autograd]") {
  CHECK(worst_gradient_error({{6, 9}, {9}, {9}}, [](Context& c, auto in) {
          return ops::layer_norm(c, in[0], in[1], in[2], 1e-5);
        }) < kTolerance);
}

TEST_CASE("RMS norm has exact gradients", "[autograd]") {
  CHECK(worst_gradient_error({{6, 9}, {9}}, [](Context& c, auto in) {
          return ops::rms_norm(c, in[0], in[1], 1e-5);
        }) < kTolerance);
}

TEST_CASE("embedding has exact gradients of weight and learned positions", "[autograd]") {
  const std::vector<int32_t> ids{3, 0, 3, 6, 1};
  const std::vector<int32_t> positions{0, 1, 2, 0, 1};
  const double rate = GENERATE(0.0, 0.4);
  CHECK(worst_gradient_error({{7, 5}, {4, 5}}, [&](Context& c, auto in) {
          return ops::embedding(c, in[0], ids, 2.5, in[1], positions, c.dropout(rate, 3));
        }) < kTolerance);
  CHECK(worst_gradient_error({{7, 5}}, [&](Context& c, auto in) {
          return ops::embedding(c, in[0], ids, 2.5, Var(), positions, c.dropout(rate, 3));
        }) < kTolerance);
  CHECK(worst_gradient_error({{7, 5}}, [&](Context& c, auto in) {
          return ops::embedding(c, in[0], ids, 2.5, in[0], positions, c.dropout(rate, 3));
        }) < kTolerance);
}

TEST_CASE("self-attention over one projected matrix has exact gradients", "[autograd]") {
  SequenceLayoutBuffer buffer;
  const SequenceLayout layout = layout_of(buffer, {3, 1, 4});
  const bool causal = GENERATE(false, true);
  const double rate = GENERATE(0.0, 0.4);
  const auto attend = [&](Context& c, const Var& x, int64_t key, int64_t value) {
    return ops::attention(c, {x, 0, x, key, value, 6},
                          {layout, layout, 2, causal, c.dropout(rate, 3)});
  };
  CHECK(worst_gradient_error(
            {{8, 18}}, [&](Context& c, auto in) { return attend(c, in[0], 6, 12); }) < kTolerance);
  // Query, key and value may be the very same columns.
  CHECK(worst_gradient_error(
            {{8, 6}}, [&](Context& c, auto in) { return attend(c, in[0], 0, 0); }) < kTolerance);
  // Columns that nobody reads get zero gradients.
  CHECK(worst_gradient_error(
            {{8, 20}}, [&](Context& c, auto in) { return attend(c, in[0], 6, 12); }) < kTolerance);
}

TEST_CASE("cross-attention has exact gradients", "[autograd]") {
  SequenceLayoutBuffer query_buffer;
  SequenceLayoutBuffer key_buffer;
  const SequenceLayout queries = layout_of(query_buffer, {2, 1, 3});
  const SequenceLayout keys = layout_of(key_buffer, {3, 4, 1});
  const double rate = GENERATE(0.0, 0.4);
  CHECK(worst_gradient_error({{6, 6}, {8, 12}}, [&](Context& c, auto in) {
          return ops::attention(c, {in[0], 0, in[1], 0, 6, 6},
                                {queries, keys, 2, false, c.dropout(rate, 3)});
        }) < kTolerance);
}

TEST_CASE("projection and cross-entropy have exact gradients", "[autograd]") {
  const std::vector<int32_t> targets{3, 0, 6, 3};
  const std::vector<Real> row_weights{1, -0.5, 2, 0};
  const double smoothing = GENERATE(0.0, 0.1);
  CHECK(worst_loss_gradient_error({{4, 5}, {7, 5}}, [&](Context& c, auto in) {
          return ops::projection_cross_entropy(c, in[0], in[1], targets, smoothing).loss;
        }) < kTolerance);
  CHECK(
      worst_loss_gradient_error({{4, 5}, {7, 5}}, [&](Context& c, auto in) {
        return ops::projection_cross_entropy(c, in[0], in[1], targets, smoothing, row_weights).loss;
      }) < kTolerance);
  const std::vector<int32_t> few_targets{3, 0, 1, 3};
  CHECK(worst_loss_gradient_error({{4, 5}}, [&](Context& c, auto in) {
          return ops::projection_cross_entropy(c, in[0], in[0], few_targets, smoothing).loss;
        }) < kTolerance);
  // Two losses side by side.
  CHECK(worst_loss_gradient_error({{4, 5}, {7, 5}}, [&](Context& c, auto in) {
          return ops::projection_cross_entropy(c, in[0], in[1], targets, smoothing).loss +
                 ops::projection_cross_entropy(c, in[0], in[1], few_targets, 0.3).loss;
        }) < kTolerance);
}

TEST_CASE("a tap adds a constant and has exact gradients", "[autograd]") {
  test::RandomTensor addend({6, 5}, 9);
  test::RandomTensor seen({6, 5}, 10);
  const bool add = GENERATE(false, true);
  CHECK(worst_gradient_error({{6, 5}, {5, 5}}, [&](Context& c, auto in) {
          const ops::Tap tap{add ? addend.tensor() : Tensor(), c.tape ? seen.tensor() : Tensor()};
          const Var y = ops::tap(c, ops::linear(c, in[0], in[1], Var()), tap);
          return ops::activation(c, y, kernels::Activation::kGelu, c.dropout(0, 0));
        }) < kTolerance);
  CHECK(worst_gradient_error({{6, 5}}, [&](Context& c, auto in) {
          return ops::tap(c, in[0], {add ? addend.tensor() : Tensor(), {}});
        }) < kTolerance);
}

TEST_CASE("a tap sees the whole gradient, also of a constant", "[autograd]") {
  Arena arena;
  Workspace workspace(1);
  Tape tape(arena, workspace);
  Context context(arena, workspace, tape, 1, 0);
  test::RandomTensor x({2, 3}, 1);
  test::RandomTensor seen({2, 3}, 2);
  const Var y = ops::tap(context, Var(x.tensor()), {{}, seen.tensor()});
  CHECK(y.value.data == x.tensor().data);
  const Var twice = ops::add_dropout(context, y, y, context.dropout(0, 0));
  const GradientTarget root = tape.target(twice);
  std::ranges::fill(root.tensor.values(), 3);
  tape.backward();
  CHECK(seen.values() == std::vector<Real>(6, 6));
  Context nothing_recorded(arena, workspace);
  CHECK_THROWS_AS(ops::tap(nothing_recorded, y, {{}, seen.tensor()}), InternalError);
}

TEST_CASE("R-Drop has exact gradients", "[autograd]") {
  const std::vector<int32_t> targets{3, 0, 6, 3};
  const double smoothing = GENERATE(0.0, 0.1);
  for (const double r_drop : {0.0, 3.0}) {
    CHECK(worst_loss_gradient_error({{4, 5}, {4, 5}, {7, 5}}, [&](Context& c, auto in) {
            return ops::projection_r_drop(c, in[0], in[1], in[2], targets, smoothing, r_drop).loss;
          }) < kTolerance);
  }
  // One of the passes may be the other.
  CHECK(worst_loss_gradient_error({{4, 5}, {7, 5}}, [&](Context& c, auto in) {
          return ops::projection_r_drop(c, in[0], in[0], in[1], targets, smoothing, 2).loss;
        }) < kTolerance);
}

TEST_CASE("a gradient that several ops pass through stays whole", "[autograd]") {
  // x -> f = linear(x) -> y = x + f -> z = y + y -> w = z + activation(z): borrowed, adopted and
  // added-to buffers all occur.
  CHECK(worst_gradient_error({{4, 5}, {5, 5}}, [](Context& c, auto in) {
          const kernels::Dropout none = c.dropout(0, 0);
          const Var f = ops::linear(c, in[0], in[1], Var());
          const Var y = ops::add_dropout(c, in[0], f, none);
          const Var z = ops::add_dropout(c, y, y, none);
          const Var a = ops::activation(c, z, kernels::Activation::kGelu, none);
          const Var w = ops::add_dropout(c, z, a, none);
          return ops::add_dropout(c, w, f, none);
        }) < kTolerance);
}

}  // namespace
}  // namespace calque
