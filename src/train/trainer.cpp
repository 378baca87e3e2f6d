#include "train/trainer.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/build_info.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/version.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/run_checkpoints.h"
#include "checkpoint/save.h"
#include "kernels/gemm.h"

namespace calque {
namespace {

/// Writes down what the bits of a run depend on besides its config.
void stamp(CheckpointState& state, kernels::Precision precision) {
  state.calque_version = kVersion;
  state.gemm_engine = kernels::gemm_engine_name(kernels::gemm_engine());
  const bool by_a_library = kernels::gemm_engine() != kernels::GemmEngine::kCalque;
  if (!by_a_library || precision != kernels::Precision::kFloat32) {
    state.gemm_engine += ", " + kernels::precision_in_use(precision);
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

constexpr const char kWeightNotFinite[] = "a weight is no longer finite";
constexpr const char kLossNotFinite[] = "the validation loss is not a finite number";

/// "loss nan, gradient norm nan, learning rate 5.00e-04": of an update that is not made.
std::string describe_failure(const UpdateResult& update) {
  return fmt::format("loss {}, gradient norm {}, learning rate {:.2e}",  // NaN without a sign
                     std::fabs(update.loss / static_cast<double>(update.target_tokens)),
                     std::fabs(update.gradient_norm), update.learning_rate);
}

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

bool is_time_over(const TrainOptions& options, double seconds, double closing_seconds) {
  return options.max_minutes > 0 && seconds + closing_seconds >= 60 * options.max_minutes;
}

Trainer::Trainer(const TrainOptions& options, TrainerParts parts)
    : options_(options),
      parts_(std::move(parts)),
      learner_(options, parts_.model, parts_.corpus, parts_.seed, parts_.variation),
      meter_(0, options.max_steps, options.max_minutes) {
  stamp(state_, options_.precision);
  state_.corpus = parts_.corpus_record;
}

StopReason Trainer::train(const StopSignal& stop) {
  const Stopwatch watch;
  const double seconds_before = state_.trained_seconds;
  meter_ = ProgressMeter(state_.step, options_.max_steps, options_.max_minutes);
  since_save_.restart();
  std::optional<StopReason> reason;
  while (true) {
    if (is_validation_due(state_, options_)) validate(stop);
    // Where the clock finds a weight that is not finite, the run goes back at its next turn: not
    // here, where another call of it would not.
    if (is_turn_to_save() || (is_time_to_save() && learner_.weights_are_finite())) try_to_save();
    reason = reason_to_stop(stop, watch.seconds());
    if (reason) break;
    const int64_t epoch = state_.position.epoch;
    const UpdateResult result = update();
    report_epochs(epoch);
    if (result.skipped) continue;
    meter_.add(result);
    state_.trained_seconds = seconds_before + watch.seconds();
    report(state_.step % options_.log_every == 0);
  }
  if (reason == StopReason::kMaxMinutes && state_.step > 0 && state_.validated_step < state_.step) {
    validate(stop);
    if (stop.received() != 0) reason = StopReason::kSignal;
  }
  save();
  clear_status_line();
  return *reason;
}

UpdateResult Trainer::update() {
  const BatchPosition before = learner_.place().position;
  const UpdateResult result = learner_.update(state_);
  if (result.skipped) {
    skip(result, before);
  } else {
    saved_ = false;
  }
  return result;
}

void Trainer::skip(const UpdateResult& update, const BatchPosition& before) {
  const int64_t in_a_row = learner_.skipped_in_a_row();
  const BatchPosition& position = learner_.place().position;
  const std::vector<SkippedBatch> batches =
      skipped_batches(parts_.corpus, learner_.batching(), {before, position});
  const std::string failure = describe_failure(update);
  clear_status_line();
  log::warning(
      "update {} is skipped, {} in a row of {} (train.max_skipped): {}; {}: {} of data.train",
      state_.step + 1, in_a_row, options_.max_skipped, failure, position.to_string(),
      describe_lines(batches));
  record(batches, failure);
  if (in_a_row < options_.max_skipped) return;
  roll_back(
      fmt::format("{} in a row had no finite loss or gradient (train.max_skipped), the last {}",
                  format_count(in_a_row, "update"), failure));
}

void Trainer::record(const std::vector<SkippedBatch>& batches, const std::string& reason) const {
  try {
    parts_.folder.append_skipped(skipped_records(batches, state_.step, reason));
  } catch (const UserError& error) {
    log::warning("{}; the lines of these batches are not written down", error.what());
  }
}

void Trainer::roll_back(const std::string& why) {
  const std::string what = fmt::format("training diverged after step {}: {}", state_.step, why);
  // One of this very step would lead here again, unless what failed are the batches behind it.
  const int64_t newest = learner_.skipped_in_a_row() > 0 ? state_.step : state_.step - 1;
  std::optional<std::filesystem::path> folder;
  if (!state_.passed_over) folder = find_scheduled_checkpoint(parts_.folder.path(), newest);
  if (!folder) {
    throw DivergedError(fmt::format(
        "{}. {}. What was saved stays. Try a lower train.learning_rate, more train.warmup_steps or "
        "train.clip_norm: 1, with which the same command goes on, or model.norm: pre in a new run",
        what,
        state_.passed_over ? fmt::format("It is the second time: the batches behind {} up to {} "
                                         "were passed over already",
                                         state_.passed_over->after.to_string(),
                                         state_.passed_over->last.to_string())
                           : "There is no checkpoint of train.save_every yet to go back to"));
  }
  const BatchPosition last = learner_.place().position;
  const int64_t skipped_so_far = skipped();
  write_metrics();
  load(Checkpoint(*folder));
  state_.skipped = skipped_so_far;
  state_.passed_over = {state_.position, last};
  state_.position = last;
  learner_.seek(state_);
  const std::vector<SkippedBatch> batches =
      skipped_batches(parts_.corpus, learner_.batching(), *state_.passed_over);
  log::warning("{}. Going back to {}, and passing over the {} batches since; their lines are in {}",
               what, folder->string(), format_count(std::ssize(batches)),
               parts_.folder.skipped_file().string());
  record(batches, "passed over");
  meter_.go_back(state_.step);
  saved_ = false;
  try_to_save();
}

std::optional<StopReason> Trainer::reason_to_stop(const StopSignal& stop, double seconds) const {
  if (stop.received() != 0) return StopReason::kSignal;
  if (state_.step >= options_.max_steps) return StopReason::kMaxSteps;
  if (is_patience_over(state_, options_)) return StopReason::kPatience;
  if (is_time_over(options_, seconds, save_seconds_ + validation_seconds_)) {
    return StopReason::kMaxMinutes;
  }
  return std::nullopt;
}

void Trainer::report(bool line) {
  if (!line && !shows_status_line()) return;
  const std::string text = meter_.line(state_.step, epochs(), skipped());
  show_status_line(text);
  if (!line) return;
  log::info("{}", text);
  append_metrics(meter_.metrics(state_.step, epochs(), skipped()));
  meter_.restart();
}

void Trainer::report_epochs(int64_t epoch) const {
  for (; epoch < state_.position.epoch; ++epoch) {
    log::info("epoch {} is over: it was made of {}", epoch + 1, parts_.corpus.summary());
    if (parts_.variation != nullptr && epoch + 1 == parts_.variation->bidirectional_epochs()) {
      log::info("from here on, every pair goes from source to target (data.bidirectional_epochs)");
    }
  }
}

void Trainer::validate(const StopSignal& stop) {
  if (parts_.validator == nullptr) return;
  meter_.pause();
  clear_status_line();
  const std::optional<ValidationResult> found =
      learner_.validate(*parts_.validator, [&] { return stop.received() != 0; });
  meter_.resume();
  if (!found) return;
  const ValidationResult& result = *found;
  validation_seconds_ = result.seconds;
  const bool in_turn = is_validation_due(state_, options_);
  if (!std::isfinite(result.loss)) {
    if (in_turn) return roll_back(kLossNotFinite);
    return log::warning("validation at step {}: {}", state_.step, kLossNotFinite);
  }
  const bool best = note_result(result, in_turn);

  log::info("validation at step {}: loss {:.3f}  ppl {:.2f}  BLEU {:.2f}{}  ({})", state_.step,
            result.loss, result.perplexity, result.bleu.bleu, best ? "  (best so far)" : "",
            format_duration(result.seconds));
  for (const Sample& sample : result.samples) {
    log::info("  source     {}", sample.source);
    log::info("  reference  {}", sample.reference);
    log::info("  hypothesis {}", sample.hypothesis);
  }
  nlohmann::json metrics{{"step", state_.step}, {"epoch", epochs()}};
  metrics.update(validation_metrics(result));
  append_metrics(metrics);
  if (best) try_to_save();
}

bool Trainer::note_result(const ValidationResult& result, bool in_turn) {
  saved_ = false;
  state_.validated_step = state_.step;
  const bool by_bleu = options_.best_metric == BestMetric::kBleu;
  const MetricRecord now{state_.step, by_bleu ? result.bleu.bleu : result.loss, result.loss};
  if (is_better(now, state_.best, by_bleu)) {
    state_.best = now;
    state_.validations_without_best = 0;
    return true;
  }
  if (in_turn) ++state_.validations_without_best;
  return false;
}

bool Trainer::is_turn_to_save() const {
  return state_.step > 0 && state_.step % options_.save_every == 0;
}

bool Trainer::is_time_to_save() const {
  return options_.save_every_minutes > 0 &&
         since_save_.seconds() >= 60 * options_.save_every_minutes;
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
  } catch (const DivergedError&) {
    roll_back(kWeightNotFinite);
  }
}

void Trainer::save() {
  if (!saved_) save_state();
  write_metrics();
}

void Trainer::save_state() {
  since_save_.restart();
  if (!learner_.weights_are_finite()) {
    throw DivergedError(fmt::format("training diverged at step {}: {}; this step is not saved",
                                    state_.step, kWeightNotFinite));
  }
  meter_.pause();
  state_.scheduled = is_turn_to_save();
  const auto folder =
      save_checkpoint(parts_.folder.path(), learner_.contents(state_, parts_.texts));
  // `best` may also name what was just replaced, when the run has gone back behind it.
  if (state_.best &&
      (state_.best->step == state_.step || best_step(parts_.folder.path()) == state_.step)) {
    mark_best(parts_.folder.path(), state_.best->step);
  }
  if (state_.best) mend_best(parts_.folder.path(), state_.best->step);
  saved_ = true;
  log::info("saved {}", folder.string());
  remove_old_checkpoints(parts_.folder.path(), options_.keep_last);
  save_seconds_ = since_save_.seconds();
  meter_.resume();
}

void Trainer::load(const Checkpoint& checkpoint) {
  learner_.load(checkpoint);
  state_ = checkpoint.state();
  state_.files.clear();
  stamp(state_, options_.precision);
  parts_.folder.cut_metrics(state_.step, state_.validated_step);
}

void Trainer::resume(const Checkpoint& checkpoint) {
  warn_of_other_bits(checkpoint.state(), state_);
  load(checkpoint);
  learner_.seek(state_);
  saved_ = true;
  // A kill may have come between saving the best checkpoint and marking it. A later one that is
  // marked stays: this checkpoint then stands in for a damaged one.
  if (state_.best && state_.best->step == state_.step &&
      best_step(parts_.folder.path()) < state_.step) {
    mark_best(parts_.folder.path(), state_.step);
  }
  parts_.folder.cut_skipped(state_.position);
}

}  // namespace calque
