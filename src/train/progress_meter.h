#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/stopwatch.h"
#include "train/update_result.h"

namespace calque {

/// Adds up updates between two progress lines, and says how it goes.
class ProgressMeter {
 public:
  /// Rates and ETA start at `first_step` updates done, out of `max_steps`; `max_minutes` as
  /// TrainOptions.
  ProgressMeter(int64_t first_step, int64_t max_steps, double max_minutes);

  void add(const UpdateResult& update);
  /// Time spent on anything but updates (validation, saving) does not count for rates. A second
  /// `pause` before `resume` changes nothing.
  void pause() {
    running_seconds_ = seconds();
    paused_ = true;
  }
  void resume() {
    watch_.restart();
    paused_ = false;
  }

  /// "step 1,200/8,000  epoch 12.34  loss 3.412  ppl 18.40  lr 4.20e-03  11,240 tokens/s  ETA 43
  /// min": means over what was added since `restart`. `epoch`: with its fraction. `skipped`:
  /// updates of the run that were skipped; "  3 skipped" follows when there are any.
  std::string line(int64_t step, double epoch, int64_t skipped) const;
  /// The same numbers for metrics.jsonl.
  nlohmann::json metrics(int64_t step, double epoch, int64_t skipped) const;
  /// Forgets the sums; rates go on from here.
  void restart();
  /// The same when the run has gone back to `step`.
  void go_back(int64_t step);

 private:
  int64_t first_step_;
  int64_t max_steps_;
  double max_seconds_;
  Stopwatch total_;                 // since construction, for the ETA by the clock
  Stopwatch watch_;                 // since the last start or resume
  double running_seconds_ = 0;      // of updates since `restart`, up to the last pause
  double all_running_seconds_ = 0;  // of updates before `restart`
  bool paused_ = false;
  UpdateResult sums_;
  int64_t updates_ = 0;

  double seconds() const { return running_seconds_ + (paused_ ? 0 : watch_.seconds()); }
  double tokens_per_second() const;
  double remaining_seconds(int64_t step) const;
};

}  // namespace calque
