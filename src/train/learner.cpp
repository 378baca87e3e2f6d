#include "train/learner.h"

#include <cmath>
#include <utility>

#include "base/parallel.h"
#include "base/profile.h"
#include "kernels/reduce.h"
#include "kernels/work.h"
#include "optim/clip.h"
#include "optim/schedule.h"
#include "train/gradient_pass.h"

namespace calque {
namespace {

/// How much of the baseline stays in an update (Xu et al. 2015, section 4.1).
constexpr double kBaselineDecay = 0.9;

/// Puts the moving average in the weights' place, and back at the end, whatever happens between.
class AverageInPlace {
 public:
  AverageInPlace(std::optional<MovingAverage>& average, std::span<Real> weights)
      : average_(average), weights_(weights) {
    exchange();
  }
  ~AverageInPlace() { exchange(); }
  AverageInPlace(const AverageInPlace&) = delete;
  AverageInPlace& operator=(const AverageInPlace&) = delete;

 private:
  std::optional<MovingAverage>& average_;  // none: nothing is exchanged
  std::span<Real> weights_;

  void exchange() {
    if (average_) average_->exchange(weights_);
  }
};

}  // namespace

BatcherOptions batcher_options(const TrainOptions& options, uint64_t seed,
                               const Variation* variation) {
  return {options.batch_tokens, seed, variation};
}

Learner::Learner(const TrainOptions& options, Transformer& model, const ParallelCorpus& corpus,
                 uint64_t seed, const Variation* variation)
    : options_(options),
      model_(model),
      corpus_(corpus),
      seed_(seed),
      batching_(batcher_options(options, seed, variation)),
      adam_(options.optimizer, model.parameters().count()),
      workspace_(threads()),
      prepared_weights_(options.precision),
      tape_(arena_, workspace_),
      batcher_(corpus, batching_),
      micro_batch_(options.batch_tokens) {
  if (options.moving_average > 0) {
    average_.emplace(options.moving_average, model.parameters().values());
  }
}

UpdateResult Learner::update(CheckpointState& state) {
  const ProfileScope whole("rest of the update");
  ParameterStore& parameters = model_.parameters();
  UpdateResult result;
  workspace_.even_out();
  parameters.start_gradients();
  for (int64_t i = 0; i < options_.accumulate; ++i) add_batch(state, result);
  parameters.finish_gradients();
  prepared_weights_.forget();

  const ProfileScope scope("optimizer", [&] {  // Adam's seven, the norm's one, the average's three
    return kernels::work::pass<Real>(parameters.count(), average_ ? 11 : 8, 1);
  });
  const double per_token = 1.0 / static_cast<double>(result.target_tokens);
  result.gradient_norm = per_token * gradient_norm(parameters.gradients());
  result.learning_rate =
      learning_rate(options_.optimizer, model_.options().model, options_.max_steps, state.step + 1);
  if (!std::isfinite(result.loss) || !std::isfinite(result.gradient_norm)) {
    result.skipped = true;
    ++skipped_in_a_row_;
    return result;
  }
  adam_.update(parameters, result.learning_rate,
               per_token * clip_factor(result.gradient_norm, options_.optimizer.clip_norm));
  if (average_) average_->update(parameters.values());
  note_update(result, state);
  return result;
}

void Learner::add_batch(const CheckpointState& state, UpdateResult& result) {
  const Batch& batch = next_batch();
  const int64_t parts = MicroBatch::count(batch, options_.micro_batch_tokens);
  for (int64_t part = 0; part < parts; ++part) {
    micro_batch_.cut(batch, part, parts);
    Context context(arena_, workspace_, tape_, seed_, static_cast<uint32_t>(place_.micro_batches));
    context.update = state.step;
    context.baseline = baseline(state);
    context.weights = &prepared_weights_;
    const kernels::CrossEntropySums sums =
        add_gradients(context, model_, options_, micro_batch_.example());
    place_.micro_batches += dropout_draws(options_);
    result.loss += sums.loss;
    result.negative_log_likelihood += sums.negative_log_likelihood;
  }
  result.source_tokens += batch.source_tokens();
  result.target_tokens += batch.target_tokens();
  place_.position = batch.position;
  place_.epochs = batch.epochs;
}

void Learner::note_update(const UpdateResult& result, CheckpointState& state) {
  if (model_.options().reinforces()) {
    const double cost =
        1.0 / static_cast<double>(result.target_tokens) * result.negative_log_likelihood;
    state.reinforce_baseline = kBaselineDecay * baseline(state) + (1 - kBaselineDecay) * cost;
  } else {
    state.reinforce_baseline.reset();
  }
  state.source_tokens += result.source_tokens;
  state.target_tokens += result.target_tokens;
  state.position = place_.position;
  state.micro_batches = place_.micro_batches;
  state.skipped += std::exchange(skipped_in_a_row_, 0);
  state.optimizer_steps = adam_.steps();
  state.moving_average_updates = average_ ? average_->updates() : 0;
  ++state.step;
}

double Learner::baseline(const CheckpointState& state) const {
  return state.reinforce_baseline.value_or(std::log(static_cast<double>(model_.target_vocab())));
}

std::optional<ValidationResult> Learner::validate(Validator& validator,
                                                  const std::function<bool()>& should_stop) {
  std::optional<ValidationResult> result;
  {
    const AverageInPlace in_place(average_, model_.parameters().values());
    result = validator.validate(arena_, workspace_, prepared_weights_, should_stop);
  }
  prepared_weights_.forget();
  return result;
}

size_t Learner::optimizer_bytes() const {
  const size_t blocks = average_ ? 3 : 2;
  return blocks * model_.parameters().values().size_bytes();
}

const Batch& Learner::next_batch() {
  const ProfileScope scope("waiting for a batch");
  if (!batches_) batches_ = std::make_unique<Prefetcher>(std::move(batcher_));
  return batches_->next();
}

bool Learner::weights_are_finite() const {
  return std::isfinite(kernels::sum_of_squares<Real>(model_.parameters().values()));
}

std::span<Real> Learner::translating_weights() {
  return average_ ? average_->values() : model_.parameters().values();
}

std::vector<NamedBlock> Learner::optimizer_blocks() {
  std::vector<NamedBlock> blocks{{"adam.first_moment", adam_.first_moments()},
                                 {"adam.second_moment", adam_.second_moments()}};
  if (average_) blocks.push_back({"weights", model_.parameters().values()});
  return blocks;
}

CheckpointContents Learner::contents(const CheckpointState& state,
                                     const std::map<std::string, std::string>& texts) {
  return {model_.parameters(), translating_weights(), optimizer_blocks(), texts, state};
}

void Learner::load(const Checkpoint& checkpoint) {
  const ParameterStore& layout = model_.parameters();
  checkpoint.load_model(layout, translating_weights());
  const std::vector<NamedBlock> blocks = optimizer_blocks();
  checkpoint.load_optimizer(layout, blocks);
  prepared_weights_.forget();
  adam_.set_steps(checkpoint.state().optimizer_steps);
  if (average_) average_->set_updates(checkpoint.state().moving_average_updates);
}

void Learner::seek(const CheckpointState& state) {
  batches_.reset();  // it has read ahead
  batcher_ = Batcher(corpus_, batching_);
  batcher_.seek(state.position);
  place_ = {state.position, state.micro_batches, batcher_.epochs()};
  skipped_in_a_row_ = 0;
}

}  // namespace calque
