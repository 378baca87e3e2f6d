// Hard selection by REINFORCE, over all that can be drawn: the mean of its gradients is the
// gradient of the expected loss.

#include <array>
#include <map>

#include "model/attention_tap.h"
#include "model/transformer.h"
#include "support/catch.h"
#include "support/example_batch.h"
#include "support/gradient_check.h"
#include "support/parameter_difference.h"

namespace calque {
namespace {

using kernels::AttentionSelection;
using kernels::SelectionEstimator;

constexpr int64_t kVocab = 7;
constexpr int64_t kTokens = 2;                   // of source and target, ends counted
constexpr int64_t kWeights = kTokens * kTokens;  // of each attention: one head

/// The weights of the three attentions of a model with one layer a side and one head.
using Weights = std::array<std::array<Real, kWeights>, kAttentionPlaces.size()>;

/// One layer a side, whose first `drawn` attentions, in the order in which they are computed,
/// select by REINFORCE; the others are soft. Models of different `drawn` draw the same.
Transformer model_of(size_t drawn) {
  TransformerOptions options = test::tiny_options();
  options.heads = 1;
  options.model = options.hidden = 4;
  options.encoder_layers = 1;
  kernels::AttentionOptions* const attentions[] = {&options.encoder_self_attention,
                                                   &options.decoder_self_attention,
                                                   &options.decoder_cross_attention};
  for (size_t i = 0; i < drawn; ++i) {
    attentions[i]->selection = AttentionSelection::kHard;
    attentions[i]->estimator = SelectionEstimator::kReinforce;
    attentions[i]->reinforce_weight = 1;
  }
  return test::random_model(options, kVocab, kVocab);
}

/// The same model with all its selections drawn, and with the last ones soft: from these come the
/// probabilities that the last ones are drawn by.
class Drawn {
 public:
  Drawn() {
    for (size_t drawn = 0; drawn <= kAttentionPlaces.size(); ++drawn) {
      models_.push_back(model_of(drawn));
    }
  }

  Transformer& model() { return models_.back(); }

  /// The loss under draw number `draw`. Its selections and their probability are kept.
  double loss(uint32_t draw, double baseline, bool backward) {
    probability_ = 1;
    for (size_t drawn = 0; drawn < kAttentionPlaces.size(); ++drawn) {
      soft_[drawn] = weights(drawn, draw)[drawn];
    }
    const double value = run(models_.size() - 1, draw, baseline, backward, selections_);
    for (size_t place = 0; place < kAttentionPlaces.size(); ++place) {
      for (int64_t query = 0; query < kTokens; ++query) {
        Real probability = 0;
        for (int64_t key = 0; key < kTokens; ++key) {
          const auto at = static_cast<size_t>(query * kTokens + key);
          probability += selections_[place][at] * soft_[place][at];
        }
        probability_ *= probability;
      }
    }
    return value;
  }
  const Weights& selections() const { return selections_; }
  double probability() const { return probability_; }

 private:
  const test::ExampleBatch batch_{{kTokens - 1}, {kTokens - 1}, kVocab};
  std::vector<Transformer> models_;
  Arena arena_;
  Workspace workspace_{8};
  Tape tape_{arena_, workspace_};
  Weights selections_{}, soft_{};
  double probability_ = 1;

  Weights weights(size_t drawn, uint32_t draw) {
    std::ranges::copy(model().parameters().values(), models_[drawn].parameters().values().begin());
    Weights found;
    run(drawn, draw, 0, false, found);
    return found;
  }

  double run(size_t drawn, uint32_t draw, double baseline, bool backward, Weights& found) {
    arena_.reset();
    Context context(arena_, workspace_, tape_, 6, draw);
    if (!backward) context.tape = nullptr;
    context.baseline = baseline;
    AttentionTap tap;
    for (const AttentionPlace place : kAttentionPlaces) {
      tap.at(place) = {found[static_cast<size_t>(place)].data()};
    }
    Transformer& model = models_[drawn];
    if (backward) model.parameters().start_gradients();
    const double loss = model.loss(context, batch_.view(), 0, {}, {}, {}, tap).loss;
    if (backward) {
      tape_.backward();
      tape_.reset();
      model.parameters().finish_gradients();
    }
    return loss;
  }
};

TEST_CASE("REINFORCE has the gradient of the expected loss, whatever the baseline", "[model]") {
  Drawn drawn;
  // Two keys for each query but the first one of the decoder's self-attention.
  constexpr size_t kOutcomes = 32;
  std::map<Weights, uint32_t> draws;
  for (uint32_t draw = 0; draws.size() < kOutcomes && draw < 5000; ++draw) {
    drawn.loss(draw, 0, false);
    draws.emplace(drawn.selections(), draw);
  }
  REQUIRE(draws.size() == kOutcomes);

  ParameterStore& parameters = drawn.model().parameters();
  bool same_draws = true;
  const auto expected_loss = [&] {
    double sum = 0;
    for (const auto& [selections, draw] : draws) {
      const double loss = drawn.loss(draw, 0, false);
      same_draws = same_draws && drawn.selections() == selections;
      sum += drawn.probability() * loss;
    }
    return sum;
  };
  const std::vector<Real> numeric =
      test::numeric_gradient(parameters.values(), expected_loss, 1e-4);
  CHECK(same_draws);

  for (const double baseline : {0.0, 1.75}) {
    std::vector<Real> mean(parameters.values().size(), 0);
    double total = 0;
    for (const auto& [selections, draw] : draws) {
      drawn.loss(draw, baseline, true);
      total += drawn.probability();
      for (size_t i = 0; i < mean.size(); ++i) {
        mean[i] += static_cast<Real>(drawn.probability()) * parameters.gradients()[i];
      }
    }
    CHECK(total == Approx(1).epsilon(1e-12));
    std::ranges::copy(mean, parameters.gradients().begin());
    const test::ParameterDifference worst =
        test::worst_gradient_difference(parameters, [&](const Parameter& parameter) {
          const auto first = numeric.begin() + parameter.offset;
          return std::vector<Real>(first, first + parameter.shape.count());
        });
    INFO(worst.name);
    CHECK(worst.value < 1e-7);
  }
}

}  // namespace
}  // namespace calque
