// The gradient of every parameter of a whole model, in double, against numeric differences.

#include "model/attention_kinds.h"
#include "model/transformer.h"
#include "support/catch.h"
#include "support/example_batch.h"
#include "support/gradient_check.h"
#include "support/parameter_difference.h"

namespace calque {
namespace {

constexpr double kTolerance = 1e-7;

/// `r_drop`: of two passes; 0: one.
test::ParameterDifference worst_error(const TransformerOptions& options, double label_smoothing,
                                      double r_drop = 0) {
  constexpr int64_t kVocab = 11;
  constexpr uint64_t kSeed = 6;
  set_poisoning(true);
  const test::ExampleBatch batch({3, 0, 2}, {1, 4, 2}, kVocab);
  Transformer model = test::random_model(options, kVocab, kVocab);
  Arena arena;
  Workspace workspace(8);
  Tape tape(arena, workspace);
  const auto loss = [&](Context& context) {
    const auto sums = r_drop > 0 ? model.r_drop_loss(context, batch.view(), label_smoothing, r_drop)
                                 : model.loss(context, batch.view(), label_smoothing);
    return sums.loss;
  };
  Context training(arena, workspace, tape, kSeed, 3);
  model.parameters().start_gradients();
  loss(training);
  tape.backward();
  tape.reset();
  model.parameters().finish_gradients();

  const auto value = [&] {
    arena.reset();
    Context context(arena, workspace);
    context.training = true;  // the same dropout again
    context.seed = kSeed;
    context.micro_batch = 3;
    return loss(context);
  };
  // A step that takes an input of relu across 0 measures something else. This one is small enough
  // not to, with these seeds.
  constexpr double kStep = 4e-5;
  const std::vector<Real> numeric =
      test::numeric_gradient(model.parameters().values(), value, kStep);
  set_poisoning(false);
  return test::worst_gradient_difference(model.parameters(), [&](const Parameter& parameter) {
    const auto first = numeric.begin() + parameter.offset;
    return std::vector<Real>(first, first + parameter.shape.count());
  });
}

TEST_CASE("the whole model has exact gradients", "[model]") {
  TransformerOptions options = test::tiny_options();
  options.norm = GENERATE(NormPlace::kPre, NormPlace::kPost, NormPlace::kDeep);
  options.tied_embeddings = GENERATE(Tying::kNone, Tying::kDecoder, Tying::kAll);
  const test::ParameterDifference worst = worst_error(options, 0.1);
  INFO(worst.name);
  CHECK(worst.value < kTolerance);
}

TEST_CASE("the whole model has exact gradients with all dropouts and learned positions",
          "[model]") {
  TransformerOptions options = test::tiny_options();
  options.positions = Positions::kLearned;
  options.max_positions = 6;
  options.activation =
      GENERATE(kernels::Activation::kRelu, kernels::Activation::kGelu, kernels::Activation::kSwish);
  options.embedding_dropout = 0.1;
  options.residual_dropout = 0.2;
  options.attention_dropout = 0.3;
  options.activation_dropout = 0.4;
  const test::ParameterDifference worst = worst_error(options, 0.0);
  INFO(worst.name);
  CHECK(worst.value < kTolerance);
}

TEST_CASE("the whole model has exact gradients with RMS norms and gates", "[model]") {
  TransformerOptions options = test::tiny_options();
  options.norm_kind = NormKind::kRms;
  std::tie(options.norm, options.activation) = GENERATE(
      table<NormPlace, kernels::Activation>({{NormPlace::kPre, kernels::Activation::kGlu},
                                             {NormPlace::kPost, kernels::Activation::kGeglu},
                                             {NormPlace::kPre, kernels::Activation::kSwiglu}}));
  options.residual_dropout = 0.2;
  options.activation_dropout = 0.3;
  const test::ParameterDifference worst = worst_error(options, 0.1);
  INFO(worst.name);
  CHECK(worst.value < kTolerance);
}

TEST_CASE("the whole model has exact gradients with every kind of attention", "[model]") {
  const bool shared = GENERATE(false, true);
  for (const test::AttentionKind& kind : test::differentiable_attention_kinds()) {
    TransformerOptions options = test::tiny_options();
    options.attention_dropout = 0.2;
    kind.apply(options);
    if (shared) {
      options.positions = Positions::kAlibi;
      options.encoder_self_attention.key_value_heads = 1;
      options.decoder_cross_attention.key_value_heads = 1;
    }
    const test::ParameterDifference worst = worst_error(options, 0.1);
    INFO(kind.name << ": " << worst.name);
    CHECK(worst.value < kTolerance);
  }
}

TEST_CASE("the whole model has exact gradients with each kind of positions", "[model]") {
  TransformerOptions options = test::tiny_options();
  options.activation = kernels::Activation::kGelu;
  options.positions =
      GENERATE(Positions::kNone, Positions::kRotary, Positions::kAlibi, Positions::kRelative);
  options.max_distance = 2;
  options.attention_dropout = 0.3;
  const test::ParameterDifference worst = worst_error(options, 0.1);
  INFO(worst.name);
  CHECK(worst.value < kTolerance);
}

TEST_CASE("the whole model has exact gradients with kinds of attention that positions reach",
          "[model]") {
  TransformerOptions options = test::tiny_options();
  options.positions = GENERATE(Positions::kRotary, Positions::kRelative);
  options.max_distance = 2;
  options.attention_dropout = 0.3;
  options.encoder_self_attention.score = kernels::AttentionScore::kGeneral;
  options.decoder_self_attention.score = kernels::AttentionScore::kDot;
  if (options.positions == Positions::kRotary) {
    options.encoder_self_attention.normalizer = kernels::AttentionNormalizer::kEntmax15;
  } else {
    options.heads = 4;
    options.encoder_self_attention.key_value_heads = 2;
  }
  const test::ParameterDifference worst = worst_error(options, 0.1);
  INFO(worst.name);
  CHECK(worst.value < kTolerance);
}

TEST_CASE("the whole model has exact gradients with shared keys and values", "[model]") {
  TransformerOptions options = test::tiny_options();
  options.activation = kernels::Activation::kGelu;
  options.heads = 4;
  options.encoder_self_attention.key_value_heads = 2;
  options.decoder_self_attention.key_value_heads = 1;
  options.decoder_cross_attention.key_value_heads = 2;
  options.positions =
      GENERATE(Positions::kSinusoidal, Positions::kRotary, Positions::kAlibi, Positions::kRelative);
  options.max_distance = 2;
  options.attention_dropout = 0.3;
  const test::ParameterDifference worst = worst_error(options, 0.1);
  INFO(worst.name);
  CHECK(worst.value < kTolerance);
}

TEST_CASE("the whole model has exact gradients with layers left out", "[model]") {
  TransformerOptions options = test::tiny_options();
  options.decoder_layers = 2;
  options.layer_dropout = GENERATE(0.3, 0.6);
  const test::ParameterDifference worst = worst_error(options, 0.1);
  INFO(worst.name);
  CHECK(worst.value < kTolerance);
}

TEST_CASE("the whole model has exact gradients with R-Drop", "[model]") {
  TransformerOptions options = test::tiny_options();
  options.tied_embeddings = GENERATE(Tying::kNone, Tying::kAll);
  options.embedding_dropout = 0.1;
  options.residual_dropout = 0.2;
  const test::ParameterDifference worst = worst_error(options, 0.1, 3);
  INFO(worst.name);
  CHECK(worst.value < kTolerance);
}

TEST_CASE("micro-batches add up to the gradient of one batch", "[model]") {
  constexpr int64_t kVocab = 11;
  const test::ExampleBatch batch({3, 1, 2}, {1, 4, 2}, kVocab);
  TransformerOptions options = test::tiny_options();
  std::tie(options.norm_kind, options.activation) = GENERATE(
      table<NormKind, kernels::Activation>({{NormKind::kLayer, kernels::Activation::kRelu},
                                            {NormKind::kRms, kernels::Activation::kSwiglu}}));
  Transformer model = test::random_model(options, kVocab, kVocab);
  Arena arena;
  Workspace workspace(8);
  Tape tape(arena, workspace);
  const auto accumulate = [&](const test::ExampleBatch& part) {
    tape.reset();
    arena.reset();
    Context context(arena, workspace, tape, 1, 0);
    const double loss = model.loss(context, part.view(), 0.1).loss;
    tape.backward();
    return loss;
  };
  const auto gradients = model.parameters().gradients();
  model.parameters().start_gradients();
  const double whole_loss = accumulate(batch);
  model.parameters().finish_gradients();
  const std::vector<Real> whole(gradients.begin(), gradients.end());

  model.parameters().start_gradients();
  double parts_loss = 0;
  for (int64_t s = 0; s < 3; ++s) parts_loss += accumulate(batch.single(s));
  model.parameters().finish_gradients();
  CHECK(parts_loss == Approx(whole_loss).epsilon(1e-12));
  CHECK(test::relative_difference(gradients, whole) < 1e-12);
}

}  // namespace
}  // namespace calque
