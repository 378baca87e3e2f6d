#pragma once

#include <functional>
#include <memory>

#include "autograd/ops/projection_cross_entropy.h"
#include "autograd/ops/tap.h"
#include "model/decoder.h"
#include "model/encoder.h"
#include "model/selection_advantages.h"
#include "nn/embedding.h"

namespace calque {

/// A packed batch of sentence pairs as the model wants it.
struct TrainingExample {
  Ids source;  // [source tokens], each sentence with its end id
  SequenceLayout source_layout;
  Ids target_input;              // [target tokens]: begin id, then the sentence
  Ids target_output;             // [target tokens]: the sentence, then the end id
  SequenceLayout target_layout;  // of both
};

/// What is added to, and seen of, the embedded tokens of each side, on their way from the embedding
/// (its dropout included) into the layers.
struct EmbeddingTaps {
  ops::Tap source;  // [source tokens, model]
  ops::Tap target;  // [target tokens, model]
};

/// The encoder-decoder Transformer of "Attention Is All You Need" (Vaswani et al. 2017). Owns its
/// parameters.
class Transformer {
 public:
  /// Declares all parameters and makes their memory (without gradients for `inference`); values are
  /// not set: initialise or load them. `before_memory`, when given, is called with the parameters
  /// declared and without memory; it may throw, where sizes are not to be believed. Throws
  /// UserError for sizes that do not fit each other.
  Transformer(const TransformerOptions& options, int64_t source_vocab, int64_t target_vocab,
              bool inference, const std::function<void(const ParameterStore&)>& before_memory = {});

  const TransformerOptions& options() const { return options_; }
  int64_t source_vocab() const { return source_vocab_; }
  int64_t target_vocab() const { return target_vocab_; }
  ParameterStore& parameters() { return *store_; }
  const ParameterStore& parameters() const { return *store_; }

  /// What source pieces are embedded by, without the scale: [source vocab, model].
  Tensor source_embeddings() const;

  /// Gives the memory of a weight back that decoding will only multiply by, prepared; not where its
  /// rows are looked up, as those of a tied output projection are.
  void discard_weight(MatrixView<const Real> weight);

  /// Most tokens that a sentence may have on either side, the end included: what learned positions
  /// allow.
  int64_t longest_sentence() const;

  /// The memory that the decoder attends to: [source tokens, model].
  Var encode(Context& context, Ids source, const SequenceLayout& layout,
             const AttentionTap& attention = {}, const ops::Tap& embedded = {});

  /// Teacher forcing: the decoder's output at every target position, [target tokens, model].
  Var decode(Context& context, Ids target_input, const SequenceLayout& target, const Var& memory,
             const SequenceLayout& source, const AttentionTap& attention = {},
             const ops::Tap& embedded = {});

  /// x output_projection^T: [rows, model] -> [rows, target vocab].
  Var logits(Context& context, const Var& x);

  /// Label-smoothed cross-entropy of a batch, summed over its target tokens; with a tape, also the
  /// start of its gradients (then call Tape::backward). `row_weights`, `log_probabilities`: as
  /// ops::projection_cross_entropy. What selects by REINFORCE gets, by `context.baseline`, an
  /// unbiased estimate of the gradient of the expected -log p(target), without smoothing, times its
  /// reinforce_weight; there are no `row_weights` then.
  kernels::CrossEntropySums loss(Context& context, const TrainingExample& example,
                                 double label_smoothing, std::span<const Real> row_weights = {},
                                 std::span<Real> log_probabilities = {},
                                 const EmbeddingTaps& embedded = {},
                                 const AttentionTap& attention = {});

  /// The same by R-Drop, see ops::projection_r_drop: of two passes, the second with the dropout of
  /// the micro-batch behind this one.
  kernels::CrossEntropySums r_drop_loss(Context& context, const TrainingExample& example,
                                        double label_smoothing, double r_drop);

  /// What decoding works with, in an arena: a cache for `slots` tokens and `source_rows` source
  /// tokens.
  DecoderCache make_cache(Arena& arena, int64_t slots, int64_t source_rows) const {
    return decoder_.make_cache(arena, slots, source_rows);
  }

  /// Encodes sentences for decoding: the sentence s of `layout` fills the cache's source rows from
  /// rows[s] on.
  void read_source(Context& context, DecoderCache& cache, Ids source, const SequenceLayout& layout,
                   std::span<const int32_t> rows);

  /// One decoding step: logits of the next token for each row. `ids`: [rows], the newest token of
  /// each hypothesis, the last of its positions in `slots`; `queries`: which rows are hypotheses of
  /// which sentence; `source`: its source rows. Returns [rows, target vocab].
  Var decode_step(Context& context, Ids ids, DecoderCache& cache, const CacheSlots& slots,
                  const SequenceLayout& queries, const SequenceLayout& source);

 private:
  TransformerOptions options_;
  int64_t source_vocab_;
  int64_t target_vocab_;
  std::unique_ptr<ParameterStore> store_;  // on the heap: modules keep references to it
  uint32_t next_stream_ = 0;

  Embedding source_embedding_;
  Embedding target_embedding_;
  PositionalEncoding source_positions_;
  PositionalEncoding target_positions_;
  ParameterId output_projection_;
  Encoder encoder_;
  Decoder decoder_;

  /// The decoder's output for the example's targets, [target tokens, model].
  Var decode(Context& context, const TrainingExample& example, const EmbeddingTaps& embedded = {},
             const AttentionTap& attention = {}, const SelectionAdvantages* advantages = nullptr);
};

}  // namespace calque
