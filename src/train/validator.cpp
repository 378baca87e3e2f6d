#include "train/validator.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/progress.h"
#include "base/stopwatch.h"
#include "text/text_files.h"

namespace calque {
namespace {

std::vector<std::string> read_all(const std::vector<std::string>& files,
                                  const LinePolicies& policies) {
  TextFiles text(files, policies.with(FaultPolicy::kSkip, FaultPolicy::kReplace));
  std::vector<std::string> lines;
  for (std::string line; text.next(line);) lines.push_back(line);
  return lines;
}

/// Weights are prepared for another unit as long as it lives.
class UnitOfWeights {
 public:
  UnitOfWeights(kernels::PreparedWeights<Real>& weights, kernels::Float32Unit unit)
      : weights_(weights), before_(weights.unit()) {
    weights_.use(unit);
  }
  ~UnitOfWeights() { weights_.use(before_); }
  UnitOfWeights(const UnitOfWeights&) = delete;
  UnitOfWeights& operator=(const UnitOfWeights&) = delete;

 private:
  kernels::PreparedWeights<Real>& weights_;
  kernels::Float32Unit before_;
};

/// {"encoder_self": [[bits of each head], ...], ...} and how sharply words are aligned.
nlohmann::json attention_metrics(const AttentionSummary& attention) {
  nlohmann::json json{{"alignment_sharpness", attention.alignment_sharpness()}};
  for (const AttentionPlace place : kAttentionPlaces) {
    nlohmann::json& layers = json["attention_entropy"][name_of(place)];
    const std::vector<EntropySums>& heads = attention.heads(place);
    for (size_t i = 0; i < heads.size(); ++i) {
      if (i % static_cast<size_t>(attention.heads_of_a_layer()) == 0) layers.emplace_back();
      layers.back().push_back(heads[i].entropy());
    }
  }
  return json;
}

/// Thrown out of a validation that is to end.
struct Stopped {};

}  // namespace

nlohmann::json validation_metrics(const ValidationResult& result) {
  nlohmann::json metrics{{"validation_loss", result.loss},
                         {"validation_perplexity", result.perplexity},
                         {"validation_bleu", result.bleu.bleu}};
  if (result.attention) metrics.update(attention_metrics(*result.attention));
  return metrics;
}

Validator::Validator(Transformer& model, const TokenizerPair& tokenizers,
                     const ParallelCorpus& corpus, const ParallelFiles& files,
                     const ValidationOptions& options, const TrainOptions& train,
                     const LinePolicies& policies)
    : model_(model),
      tokenizers_(tokenizers),
      options_(options),
      label_smoothing_(train.label_smoothing),
      micro_batch_tokens_(train.micro_batch_tokens),
      log_attention_(train.log_attention),
      batches_(make_batches(corpus, train.batch_tokens)),
      micro_batch_(train.batch_tokens),
      sources_(read_all(files.source, policies)),
      references_(read_all(files.target, policies)) {}

std::optional<ValidationResult> Validator::validate(Arena& arena, Workspace& workspace,
                                                    kernels::PreparedWeights<Real>& weights,
                                                    const std::function<bool()>& should_stop) {
  const Stopwatch watch;
  const Check check = [&] {
    if (should_stop()) throw Stopped();
  };
  ValidationResult result;
  try {
    measure_loss(arena, workspace, weights, check, result);
    if (std::isfinite(result.loss)) {
      const UnitOfWeights vectors(weights, kernels::Float32Unit::kVectors);
      measure_bleu(arena, workspace, weights, check, result);
    }
  } catch (const Stopped&) {
    return std::nullopt;
  }
  result.seconds = watch.seconds();
  return result;
}

void Validator::measure_loss(Arena& arena, Workspace& workspace,
                             kernels::PreparedWeights<Real>& weights, const Check& check,
                             ValidationResult& result) {
  double loss = 0;
  double negative_log_likelihood = 0;
  int64_t tokens = 0;
  const TransformerOptions& sizes = model_.options();
  const AttentionTap no_tap;
  if (log_attention_) result.attention.emplace(sizes, aligning_layer({}, sizes.decoder_layers));
  for (const Batch& batch : batches_) {
    check();
    const int64_t parts = MicroBatch::count(batch, micro_batch_tokens_);
    for (int64_t part = 0; part < parts; ++part) {
      arena.reset();
      Context context(arena, workspace);
      context.weights = &weights;
      micro_batch_.cut(batch, part, parts);
      const TrainingExample& example = micro_batch_.example();
      std::optional<TappedAttention> attention;
      if (log_attention_) {
        attention.emplace(sizes, example.source_layout, example.target_layout, arena);
      }
      const kernels::CrossEntropySums sums = model_.loss(context, example, label_smoothing_, {}, {},
                                                         {}, attention ? attention->tap() : no_tap);
      if (attention) result.attention->add(*attention);
      loss += sums.loss;
      negative_log_likelihood += sums.negative_log_likelihood;
    }
    tokens += batch.target_tokens();
  }
  result.loss = loss / static_cast<double>(tokens);
  result.perplexity = std::exp(negative_log_likelihood / static_cast<double>(tokens));
}

void Validator::measure_bleu(Arena& arena, Workspace& workspace,
                             kernels::PreparedWeights<Real>& weights, const Check& check,
                             ValidationResult& result) {
  arena.reset();
  Translator translator(model_, tokenizers_, options_.decode, arena, workspace, &weights);
  Progress progress("validating", static_cast<int64_t>(sources_.size()), "sentences");
  const std::vector<std::string> hypotheses = translator.translate(sources_, [&](int64_t done) {
    check();
    progress.update(done);
  });
  progress.finish();
  const Bleu bleu({.tokenizer = options_.tokenize});
  CorpusCounts counts(bleu);
  for (size_t i = 0; i < hypotheses.size(); ++i) counts.add(hypotheses[i], references_[i]);
  result.bleu = bleu.parts(counts.sums());
  // Samples stand evenly over the file, so that they are not all of one kind.
  const auto count = std::min<size_t>(static_cast<size_t>(options_.samples), hypotheses.size());
  for (size_t k = 0; k < count; ++k) {
    const size_t i = (2 * k + 1) * hypotheses.size() / (2 * count);
    result.samples.push_back({sources_[i], references_[i], hypotheses[i]});
  }
}

}  // namespace calque
