#pragma once

#include <cstdint>
#include <string>

#include "decode/options.h"
#include "kernels/bfloat16.h"
#include "metrics/tokenizers.h"
#include "optim/options.h"
#include "train/adversarial.h"

namespace calque {

/// What makes a checkpoint the best one.
enum class BestMetric { kBleu, kLoss };

/// The `train` block of a config.
struct TrainOptions {
  int64_t max_steps = 100000;         // updates in all
  double max_minutes = 0;             // wall time of one call of `calque train`; 0: no limit
  int64_t batch_tokens = 4096;        // bounds target tokens and source tokens of a batch, each
  int64_t micro_batch_tokens = 1024;  // about as many are computed at a time
  int64_t accumulate = 1;             // batches added up for one update
  int64_t log_every = 50;             // updates between progress lines
  int64_t validate_every = 1000;
  int64_t save_every = 1000;
  double save_every_minutes = 10;  // also so long after the last save; 0: by save_every alone
  int64_t keep_last = 5;           // checkpoints kept beside the best one
  /// Updates skipped in a row, for want of a finite loss or gradient, at which training goes back.
  int64_t max_skipped = 5;
  double label_smoothing = 0.1;
  double r_drop = 0;          // weight of two passes' agreement (R-Drop); 0: one pass
  double moving_average = 0;  // decay of the weights' exponential moving average; 0: none
  std::string initial_model;  // checkpoint or run folder whose weights to start from; empty: random
  /// Updates of a teacher, whose translations the run learns from too (cli/teacher.h); 0: none.
  int64_t teacher_steps = 0;
  BestMetric best_metric = BestMetric::kBleu;
  int64_t patience = 0;  // validations without a new best before stopping; 0: never
  /// Of the linear layers' products; with bfloat16, weights and all other sums stay Real.
  kernels::Precision precision = kernels::Precision::kFloat32;
  /// Validations also measure how sharply each head looks, for metrics.jsonl.
  bool log_attention = false;
  OptimizerOptions optimizer;
  AdversarialOptions adversarial;
};

/// The `validation` block of a config: how translations are made and scored while training.
struct ValidationOptions {
  DecodeOptions decode;
  WordTokenizer tokenize = WordTokenizer::k13a;  // of BLEU
  int64_t samples = 3;                           // translations shown
};

}  // namespace calque
