#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "analysis/attention_summary.h"
#include "data/batcher.h"
#include "decode/translator.h"
#include "metrics/bleu.h"
#include "model/transformer.h"
#include "train/micro_batch.h"
#include "train/options.h"

namespace calque {

/// A translation shown for a look.
struct Sample {
  std::string source;
  std::string reference;
  std::string hypothesis;
};

/// What one validation measured.
struct ValidationResult {
  double loss = 0;        // label-smoothed cross-entropy per target token, without dropout
  double perplexity = 0;  // exp of the mean negative log-likelihood of the target tokens
  BleuScore bleu;         // of real beam output against the raw reference lines; none where the
                          // loss is not finite
  double seconds = 0;
  std::vector<Sample> samples;
  std::optional<AttentionSummary> attention;  // of the pass of the loss; with train.log_attention
};

/// All but the samples and the time, by the names of metrics.jsonl.
nlohmann::json validation_metrics(const ValidationResult& result);

/// Measures a model on the validation text: loss and perplexity by teacher forcing, BLEU by beam
/// search. It reads the files itself, so BLEU counts every line, also those that are too long to be
/// trained on; what `data.*` would leave out for the characters in it is mended instead.
class Validator {
 public:
  /// Keeps references to model and tokenizers. `corpus`: the validation pairs, tokenised; `files`:
  /// their text. Throws UserError when a file cannot be read.
  Validator(Transformer& model, const TokenizerPair& tokenizers, const ParallelCorpus& corpus,
            const ParallelFiles& files, const ValidationOptions& options, const TrainOptions& train,
            const LinePolicies& policies = {});

  /// Nothing when `should_stop`, asked every few moments, said so before the end. `weights` is
  /// empty, and may hold the model's weights prepared when it returns. The loss is computed as in
  /// training, the translations as by `calque evaluate`: to the same bits.
  std::optional<ValidationResult> validate(Arena& arena, Workspace& workspace,
                                           kernels::PreparedWeights<Real>& weights,
                                           const std::function<bool()>& should_stop);

 private:
  Transformer& model_;
  const TokenizerPair& tokenizers_;
  ValidationOptions options_;
  double label_smoothing_;
  int64_t micro_batch_tokens_;
  bool log_attention_;
  std::vector<Batch> batches_;
  MicroBatch micro_batch_;
  std::vector<std::string> sources_;
  std::vector<std::string> references_;

  /// Called every few moments; throws when the work is to end.
  using Check = std::function<void()>;
  void measure_loss(Arena& arena, Workspace& workspace, kernels::PreparedWeights<Real>& weights,
                    const Check& check, ValidationResult& result);
  void measure_bleu(Arena& arena, Workspace& workspace, kernels::PreparedWeights<Real>& weights,
                    const Check& check, ValidationResult& result);
};

}  // namespace calque
