#include "train/trainer.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/build_info.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/profile.h"
#include "base/progress.h"
#include "base/version.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/run_checkpoints.h"
#include "checkpoint/save.h"
#include "kernels/gemm.h"
#include "kernels/reduce.h"
#include "kernels/work.h"
#include "optim/clip.h"
#include "optim/schedule.h"

namespace calque {
namespace {

/// Writes down what the bits of a run depend on besides its config.
void stamp(CheckpointState& state, kernels::Precision precision) {
  state.calque_version = kVersion;
  state.gemm_engine = kernels::gemm_engine_name(kernels::gemm_engine());
  if (precision == kernels::Precision::kBfloat16) {
    state.gemm_engine += ", bfloat16 by " + kernels::bfloat16_unit_name(kernels::bfloat16_unit());
  }
  state.instruction_set = instruction_set();
}

void warn_of_other_bits(const CheckpointState& before, const CheckpointState& now) {
  const auto warn = [](const char* what, const std::string& old_value,
                       const std::string& new_value) {
    if (old_value == new_value) return;
    log::warning("the {} was {} and is {} now: results differ in their last bits from here on",
                 what, old_value, new_value);
  };
  warn("version of Calque", before.calque_version, now.calque_version);
  warn("GEMM engine", before.gemm_engine, now.gemm_engine);
  warn("instruction set", before.instruction_set, now.instruction_set);
}

/// Higher BLEU, or of equal ones that with the lower loss; by loss, the lower one.
bool is_better(const MetricRecord& now, const std::optional<MetricRecord>& best, bool by_bleu) {
  if (!best) return true;
  if (!by_bleu) return now.value < best->value;
  return now.value > best->value ||
         (now.value == best->value && now.loss && best->loss && *now.loss < *best->loss);
}

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

bool is_validation_due(const CheckpointState& state, const TrainOptions& options) {
  const bool random_weights = state.step == 0 && options.initial_model.empty();
  const bool at_its_turn =
      state.step % options.validate_every == 0 || state.step == options.max_steps;
  return at_its_turn && !random_weights && state.validated_step < state.step;
}

bool is_patience_over(const CheckpointState& state, const TrainOptions& options) {
  return options.patience > 0 && state.validations_without_best >= options.patience;
}

BatcherOptions batcher_options(const TrainOptions& options, uint64_t seed) {
  return {options.batch_tokens, options.window_batches, seed};
}

Trainer::Trainer(const TrainOptions& options, TrainerParts parts)
    : options_(options),
      parts_(std::move(parts)),
      model_(parts_.model),
      adam_(options.optimizer, model_.parameters().count()),
      workspace_(threads()),
      prepared_weights_(options.precision),
      tape_(arena_, workspace_),
      batcher_(parts_.corpus, batcher_options(options, parts_.seed)),
      micro_batch_(options.batch_tokens),
      meter_(0, options.max_steps, options.max_minutes) {
  if (options.moving_average > 0) {
    average_.emplace(options.moving_average, model_.parameters().values());
  }
  stamp(state_, options_.precision);
  state_.corpus = parts_.corpus_record;
}

StopReason Trainer::train(const StopSignal& stop) {
  const Stopwatch watch;
  const double seconds_before = state_.trained_seconds;
  meter_ = ProgressMeter(state_.step, options_.max_steps, options_.max_minutes);
  if (is_validation_due(state_, options_)) validate(stop);
  std::optional<StopReason> reason;
  while (!(reason = reason_to_stop(stop, watch.seconds()))) {
    const int64_t epoch = state_.epoch;
    meter_.add(update());
    report_epochs(epoch);
    state_.trained_seconds = seconds_before + watch.seconds();
    report(state_.step % options_.log_every == 0);
    if (is_validation_due(state_, options_)) validate(stop);
    if (is_time_to_save()) try_to_save();
  }
  if (reason == StopReason::kMaxMinutes && state_.step > 0 && state_.validated_step < state_.step) {
    validate(stop);
    reason = reason_to_stop(stop, watch.seconds());
  }
  save();
  clear_status_line();
  return *reason;
}

UpdateResult Trainer::update() {
  const ProfileScope whole("rest of the update");
  ParameterStore& parameters = model_.parameters();
  UpdateResult result;
  saved_ = false;
  workspace_.even_out();
  parameters.start_gradients();
  for (int64_t i = 0; i < options_.accumulate; ++i) {
    const Batch& batch = next_batch();
    const int64_t parts = MicroBatch::count(batch, options_.micro_batch_tokens);
    for (int64_t part = 0; part < parts; ++part) {
      micro_batch_.cut(batch, part, parts);
      add_gradients(micro_batch_.example(), result);
    }
    result.source_tokens += batch.source_tokens();
    result.target_tokens += batch.target_tokens();
    state_.epoch = batch.position.epoch;
    state_.window = batch.position.window;
    state_.batch = batch.position.batch;
  }
  parameters.finish_gradients();
  prepared_weights_.forget();

  const ProfileScope scope("optimizer", [&] {  // Adam's seven, the norm's one, the average's three
    return kernels::work::pass<Real>(parameters.count(), average_ ? 11 : 8, 1);
  });
  const double per_token = 1.0 / static_cast<double>(result.target_tokens);
  result.gradient_norm = per_token * gradient_norm(parameters.gradients());
  result.learning_rate = learning_rate(options_.optimizer, model_.options().model,
                                       options_.max_steps, state_.step + 1);
  if (!std::isfinite(result.loss) || !std::isfinite(result.gradient_norm)) {
    throw DivergedError(fmt::format(
        "training diverged at step {}: the loss is {}, the norm of the gradient {}, the learning "
        "rate {:.2e}. Try a lower train.learning_rate, more train.warmup_steps, "
        "train.clip_norm: 1, or model.norm: pre",
        state_.step + 1, std::fabs(result.loss * per_token),  // NaN without a sign
        std::fabs(result.gradient_norm), result.learning_rate));
  }
  adam_.update(parameters, result.learning_rate,
               per_token * clip_factor(result.gradient_norm, options_.optimizer.clip_norm));
  if (average_) average_->update(parameters.values());
  state_.source_tokens += result.source_tokens;
  state_.target_tokens += result.target_tokens;
  ++state_.step;
  return result;
}

void Trainer::add_gradients(const TrainingExample& example, UpdateResult& result) {
  tape_.reset();
  arena_.reset();
  Context context(arena_, workspace_, tape_, parts_.seed,
                  static_cast<uint32_t>(state_.micro_batches++));
  context.weights = &prepared_weights_;
  const kernels::CrossEntropySums sums = model_.loss(context, example, options_.label_smoothing);
  tape_.backward();
  result.loss += sums.loss;
  result.negative_log_likelihood += sums.negative_log_likelihood;
}

size_t Trainer::optimizer_bytes() const {
  const size_t blocks = average_ ? 3 : 2;
  return blocks * model_.parameters().values().size_bytes();
}

const Batch& Trainer::next_batch() {
  const ProfileScope scope("waiting for a batch");
  if (!batches_) batches_ = std::make_unique<Prefetcher>(std::move(batcher_));
  return batches_->next();
}

std::optional<StopReason> Trainer::reason_to_stop(const StopSignal& stop, double seconds) const {
  if (stop.received() != 0) return StopReason::kSignal;
  if (state_.step >= options_.max_steps) return StopReason::kMaxSteps;
  if (is_patience_over(state_, options_)) return StopReason::kPatience;
  if (options_.max_minutes > 0 && seconds >= 60 * options_.max_minutes) {
    return StopReason::kMaxMinutes;
  }
  return std::nullopt;
}

double Trainer::epoch() const {
  const auto pairs = static_cast<double>(parts_.corpus.size());
  const double tokens_per_epoch = static_cast<double>(parts_.corpus.target_pieces()) + pairs;
  return static_cast<double>(state_.target_tokens) / tokens_per_epoch;
}

void Trainer::report(bool line) {
  if (!line && !shows_status_line()) return;
  const std::string text = meter_.line(state_.step, epoch());
  show_status_line(text);
  if (!line) return;
  log::info("{}", text);
  append_metrics(meter_.metrics(state_.step, epoch()));
  meter_.restart();
}

void Trainer::report_epochs(int64_t epoch) const {
  for (; epoch < state_.epoch; ++epoch) {
    log::info("epoch {} is over: it was made of {}", epoch + 1, parts_.corpus.summary());
  }
}

void Trainer::validate(const StopSignal& stop) {
  if (parts_.validator == nullptr) return;
  meter_.pause();
  clear_status_line();
  std::optional<ValidationResult> found;
  {
    const AverageInPlace in_place(average_, model_.parameters().values());
    found = parts_.validator->validate(arena_, workspace_, prepared_weights_,
                                       [&] { return stop.received() != 0; });
  }
  prepared_weights_.forget();
  meter_.resume();
  if (!found) return;
  const ValidationResult& result = *found;
  if (!std::isfinite(result.loss)) {
    throw DivergedError(fmt::format(
        "training diverged: the validation loss at step {} is not a finite number", state_.step));
  }
  const bool best = note_result(result);

  log::info("validation at step {}: loss {:.3f}  ppl {:.2f}  BLEU {:.2f}{}  ({})", state_.step,
            result.loss, result.perplexity, result.bleu.bleu, best ? "  (best so far)" : "",
            format_duration(result.seconds));
  for (const Sample& sample : result.samples) {
    log::info("  source     {}", sample.source);
    log::info("  reference  {}", sample.reference);
    log::info("  hypothesis {}", sample.hypothesis);
  }
  append_metrics({{"step", state_.step},
                  {"epoch", epoch()},
                  {"validation_loss", result.loss},
                  {"validation_perplexity", result.perplexity},
                  {"validation_bleu", result.bleu.bleu}});
  if (best) try_to_save();
}

bool Trainer::note_result(const ValidationResult& result) {
  saved_ = false;
  state_.validated_step = state_.step;
  const bool by_bleu = options_.best_metric == BestMetric::kBleu;
  const MetricRecord now{state_.step, by_bleu ? result.bleu.bleu : result.loss, result.loss};
  if (is_better(now, state_.best, by_bleu)) {
    state_.best = now;
    state_.validations_without_best = 0;
    return true;
  }
  ++state_.validations_without_best;
  return false;
}

bool Trainer::is_time_to_save() const {
  return state_.step > 0 &&
         (state_.step % options_.save_every == 0 || state_.step == options_.max_steps);
}

void Trainer::append_metrics(const nlohmann::json& metrics) {
  const bool waiting = !unwritten_metrics_.empty();
  unwritten_metrics_ += metrics.dump() + '\n';
  if (waiting) return;  // for the next save
  try {
    write_metrics();
  } catch (const UserError& error) {
    log::warning("{}; training goes on, and the next save tries again", error.what());
  }
}

void Trainer::write_metrics() {
  if (unwritten_metrics_.empty()) return;
  parts_.folder.append_metrics(unwritten_metrics_);
  unwritten_metrics_.clear();
}

void Trainer::try_to_save() {
  try {
    save();
  } catch (const UserError& error) {
    log::warning("{}; training goes on, and the next save tries again", error.what());
    meter_.resume();
  }
}

void Trainer::save() {
  if (!saved_) save_state();
  write_metrics();
}

void Trainer::save_state() {
  if (!std::isfinite(kernels::sum_of_squares<Real>(model_.parameters().values()))) {
    throw DivergedError(fmt::format(
        "training diverged at step {}: a weight is no longer finite; this step is not saved",
        state_.step));
  }
  meter_.pause();
  state_.scheduled = is_time_to_save();
  state_.optimizer_steps = adam_.steps();
  state_.moving_average_updates = average_ ? average_->updates() : 0;
  const auto folder = save_checkpoint(
      parts_.folder.path(),
      {model_.parameters(), average_ ? average_->values() : model_.parameters().values(),
       optimizer_blocks(), parts_.texts, state_});
  // `best` may also name what was just replaced, when the run has gone back behind it.
  if (state_.best &&
      (state_.best->step == state_.step || best_step(parts_.folder.path()) == state_.step)) {
    mark_best(parts_.folder.path(), state_.best->step);
  }
  saved_ = true;
  log::info("saved {}", folder.string());
  remove_old_checkpoints(parts_.folder.path(), options_.keep_last);
  meter_.resume();
}

std::vector<NamedBlock> Trainer::optimizer_blocks() {
  std::vector<NamedBlock> blocks{{"adam.first_moment", adam_.first_moments()},
                                 {"adam.second_moment", adam_.second_moments()}};
  if (average_) blocks.push_back({"weights", model_.parameters().values()});
  return blocks;
}

void Trainer::resume(const Checkpoint& checkpoint) {
  warn_of_other_bits(checkpoint.state(), state_);
  const ParameterStore& layout = model_.parameters();
  checkpoint.load_model(layout, average_ ? average_->values() : model_.parameters().values());
  const std::vector<NamedBlock> blocks = optimizer_blocks();
  checkpoint.load_optimizer(layout, blocks);
  state_ = checkpoint.state();
  state_.files.clear();
  stamp(state_, options_.precision);
  adam_.set_steps(state_.optimizer_steps);
  if (average_) average_->set_updates(state_.moving_average_updates);
  batcher_.seek({state_.epoch, state_.window, state_.batch});
  saved_ = true;
  // A kill may have come between saving the best checkpoint and marking it. A later one that is
  // marked stays: this checkpoint then stands in for a damaged one.
  if (state_.best && state_.best->step == state_.step &&
      best_step(parts_.folder.path()) < state_.step) {
    mark_best(parts_.folder.path(), state_.step);
  }
  parts_.folder.cut_metrics(state_.step, state_.validated_step);
}

}  // namespace calque
