// Gradients of the kinds of attention in double against central differences.

#include <vector>

#include "autograd/ops/attention.h"
#include "autograd/ops/tanh.h"
#include "support/catch.h"
#include "support/gradient_check.h"

namespace calque {
namespace {

using kernels::AttentionNormalizer;
using kernels::AttentionOptions;
using kernels::AttentionScope;
using kernels::AttentionScore;
using test::worst_gradient_error;

constexpr double kTolerance = 1e-7;
constexpr int64_t kModel = 6, kHeads = 2;

struct Layouts {
  SequenceLayoutBuffer queries, keys;
  Layouts(std::initializer_list<int64_t> query_lengths,
          std::initializer_list<int64_t> key_lengths) {
    for (const int64_t length : query_lengths) queries.append(length);
    for (const int64_t length : key_lengths) keys.append(length);
  }
};

/// Noise on the scores, as hard selection draws it. Without the selection that follows, the weights
/// are differentiable: they are those whose gradient the choice is given.
kernels::HardDraw some_draw(bool wanted) {
  return wanted ? kernels::HardDraw{{1, 2, 3}, 0.7} : kernels::HardDraw{};
}

TEST_CASE("self-attention of every kind has exact gradients", "[autograd]") {
  const Layouts layouts({3, 1, 7}, {3, 1, 7});
  AttentionOptions options;
  options.score =
      GENERATE(AttentionScore::kScaledDot, AttentionScore::kDot, AttentionScore::kAdditive);
  options.scope =
      GENERATE(AttentionScope::kGlobal, AttentionScope::kLocal, AttentionScope::kStrided);
  options.normalizer = GENERATE(AttentionNormalizer::kSoftmax, AttentionNormalizer::kSparsemax,
                                AttentionNormalizer::kEntmax15);
  options.window = 2;
  options.global_tokens = 1;
  const bool causal = GENERATE(false, true);
  const double rate = GENERATE(0.0, 0.4);
  const kernels::HardDraw draw = some_draw(GENERATE(false, true));
  CAPTURE(options.score, options.scope, options.normalizer, causal, rate, draw.active());
  const SequenceLayout layout = layouts.queries.view();
  std::vector<Shape> shapes{{11, 3 * kModel}};
  if (options.score == AttentionScore::kAdditive) shapes.push_back({kModel});
  CHECK(worst_gradient_error(shapes, [&](Context& c, auto in) {
          ops::AttentionInputs inputs{in[0], 0, in[0], kModel, 2 * kModel, kModel};
          if (in.size() > 1) inputs.energy = in[1];
          return ops::attention(c, inputs,
                                {layout, layout, kHeads, causal, c.dropout(rate, 3), options, draw});
        }) < kTolerance);
}

TEST_CASE("cross-attention of every kind has exact gradients", "[autograd]") {
  const Layouts layouts({2, 6, 1, 3}, {3, 4, 1, 0});
  AttentionOptions options;
  options.score = GENERATE(AttentionScore::kDot, AttentionScore::kAdditive);
  options.scope = GENERATE(AttentionScope::kMonotonic, AttentionScope::kPredictive);
  options.normalizer = GENERATE(AttentionNormalizer::kSoftmax, AttentionNormalizer::kSparsemax,
                                AttentionNormalizer::kEntmax15);
  options.window = GENERATE(1, 3);
  const double rate = GENERATE(0.0, 0.4);
  const kernels::HardDraw draw = some_draw(GENERATE(false, true));
  CAPTURE(options.score, options.scope, options.normalizer, options.window, rate, draw.active());
  const bool predictive = options.scope == AttentionScope::kPredictive;
  std::vector<Shape> shapes{{12, kModel}, {8, 2 * kModel}};
  if (options.score == AttentionScore::kAdditive) shapes.push_back({kModel});
  if (predictive) shapes.push_back({12, kHeads});
  CHECK(worst_gradient_error(shapes, [&](Context& c, auto in) {
          ops::AttentionInputs inputs{in[0], 0, in[1], 0, kModel, kModel};
          if (options.score == AttentionScore::kAdditive) inputs.energy = in[2];
          if (predictive) inputs.centers = in.back();
          return ops::attention(c, inputs,
                                {layouts.queries.view(),
                                 layouts.keys.view(),
                                 kHeads,
                                 false,
                                 c.dropout(rate, 3),
                                 options,
                                 draw});
        }) < kTolerance);
}

TEST_CASE("attention of a kind has exact gradients beyond one block of queries", "[autograd]") {
  const Layouts layouts({99}, {99});
  AttentionOptions options;
  options.scope = GENERATE(AttentionScope::kLocal, AttentionScope::kStrided);
  options.normalizer = GENERATE(AttentionNormalizer::kSoftmax, AttentionNormalizer::kEntmax15);
  options.window = 3;
  options.global_tokens = 2;
  const SequenceLayout layout = layouts.queries.view();
  CHECK(worst_gradient_error({{99, 3 * 2}}, [&](Context& c, auto in) {
          return ops::attention(c, {in[0], 0, in[0], 2, 4, 2},
                                {layout, layout, 2, true, c.dropout(0, 3), options, {}});
        }) < kTolerance);
}

TEST_CASE("tanh has exact gradients", "[autograd]") {
  CHECK(worst_gradient_error({{6, 9}}, [](Context& c, auto in) { return ops::tanh(c, in[0]); }) <
        kTolerance);
}

}  // namespace
}  // namespace calque
