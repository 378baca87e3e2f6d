#include "model/transformer.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace calque {
namespace {

int64_t longest(const SequenceLayout& layout) {
  return layout.lengths.empty() ? 0
                                : *std::max_element(layout.lengths.begin(), layout.lengths.end());
}

const TransformerOptions& checked(const TransformerOptions& options, int64_t source_vocab,
                                  int64_t target_vocab) {
  if (options.heads < 1 || options.model % options.heads != 0) {
    throw UserError(fmt::format("model.size ({}) must be a multiple of model.heads ({})",
                                options.model, options.heads));
  }
  for (const kernels::AttentionOptions* attention :
       {&options.encoder_self_attention, &options.decoder_self_attention,
        &options.decoder_cross_attention}) {
    const int64_t shared = attention->key_value_heads_of(options.heads);
    if (options.heads % shared != 0) {
      throw UserError(
          fmt::format("model.heads ({}) must be a multiple of an attention's key_value_heads ({})",
                      options.heads, shared));
    }
  }
  if (options.positions == Positions::kRotary && options.model / options.heads % 2 != 0) {
    throw UserError(
        fmt::format("model.positions: rotary needs heads of an even width, but "
                    "model.size ({}) / model.heads ({}) is {}",
                    options.model, options.heads, options.model / options.heads));
  }
  if (options.tied_embeddings == Tying::kAll && source_vocab != target_vocab) {
    throw UserError(fmt::format(
        "model.tied_embeddings: all needs one vocabulary for both sides (vocabulary.shared: true), "
        "but the source has {} entries and the target {}",
        source_vocab, target_vocab));
  }
  return options;
}

}  // namespace

Transformer::Transformer(const TransformerOptions& options, int64_t source_vocab,
                         int64_t target_vocab, bool inference,
                         const std::function<void(const ParameterStore&)>& before_memory)
    : options_(checked(options, source_vocab, target_vocab)),
      source_vocab_(source_vocab),
      target_vocab_(target_vocab),
      store_(std::make_unique<ParameterStore>()),
      source_embedding_(
          Scope(*store_, next_stream_)
              .sub(options.tied_embeddings == Tying::kAll ? "embedding" : "source_embedding"),
          source_vocab, options.model, options.embedding_dropout),
      target_embedding_(
          Scope(*store_, next_stream_).sub("target_embedding"), target_vocab, options.model,
          options.embedding_dropout,
          options.tied_embeddings == Tying::kAll ? source_embedding_.weight() : ParameterId()),
      source_positions_(Scope(*store_, next_stream_).sub("source_positions"), options.positions,
                        options.model, options.max_positions),
      target_positions_(Scope(*store_, next_stream_).sub("target_positions"), options.positions,
                        options.model, options.max_positions),
      output_projection_(options.tied_embeddings == Tying::kNone
                             ? Scope(*store_, next_stream_)
                                   .sub("output_projection")
                                   .declare("weight", {target_vocab, options.model}, Init::kNormal,
                                            1 / std::sqrt(static_cast<double>(options.model)))
                             : target_embedding_.weight()),
      encoder_(Scope(*store_, next_stream_).sub("encoder"), options),
      decoder_(Scope(*store_, next_stream_).sub("decoder"), options) {
  if (before_memory) before_memory(*store_);
  store_->allocate(inference);
}

int64_t Transformer::longest_sentence() const {
  return options_.positions == Positions::kLearned ? options_.max_positions
                                                   : std::numeric_limits<int64_t>::max();
}

Tensor Transformer::source_embeddings() const {
  return store_->value(store_->parameters()[static_cast<size_t>(source_embedding_.weight().index)]);
}

void Transformer::discard_weight(MatrixView<const Real> weight) {
  for (const Embedding* embedding : {&source_embedding_, &target_embedding_}) {
    const auto& parameter = store_->parameters()[static_cast<size_t>(embedding->weight().index)];
    if (store_->value(parameter).data == weight.data) return;
  }
  store_->discard(weight);
}

Var Transformer::encode(Context& context, Ids source, const SequenceLayout& layout,
                        const AttentionTap& attention, const ops::Tap& embedded) {
  const Var positions = source_positions_.table(context, longest(layout));
  const Var x =
      source_embedding_.forward(context, source, positions, positions_of(context.arena, layout));
  return encoder_.forward(context, ops::tap(context, x, embedded), layout, attention);
}

Var Transformer::decode(Context& context, Ids target_input, const SequenceLayout& target,
                        const Var& memory, const SequenceLayout& source,
                        const AttentionTap& attention, const ops::Tap& embedded) {
  const Var positions = target_positions_.table(context, longest(target));
  const Var x = target_embedding_.forward(context, target_input, positions,
                                          positions_of(context.arena, target));
  return decoder_.forward(context, ops::tap(context, x, embedded), target, memory, source,
                          attention);
}

Var Transformer::logits(Context& context, const Var& x) {
  return ops::linear(context, x, store_->var(context, output_projection_), Var());
}

Var Transformer::decode(Context& context, const TrainingExample& example,
                        const EmbeddingTaps& embedded, const AttentionTap& attention,
                        const SelectionAdvantages* advantages) {
  if (advantages != nullptr) context.advantages = advantages->source().data();
  const Var memory =
      encode(context, example.source, example.source_layout, attention, embedded.source);
  if (advantages != nullptr) context.advantages = advantages->target().data();
  const Var x = decode(context, example.target_input, example.target_layout, memory,
                       example.source_layout, attention, embedded.target);
  context.advantages = nullptr;
  return x;
}

kernels::CrossEntropySums Transformer::loss(Context& context, const TrainingExample& example,
                                            double label_smoothing,
                                            std::span<const Real> row_weights,
                                            std::span<Real> log_probabilities,
                                            const EmbeddingTaps& embedded,
                                            const AttentionTap& attention) {
  const auto measure = [&](const SelectionAdvantages* advantages) {
    const Var x = decode(context, example, embedded, attention, advantages);
    return ops::projection_cross_entropy(context, x, store_->var(context, output_projection_),
                                         example.target_output, label_smoothing, row_weights,
                                         log_probabilities);
  };
  if (!context.training || !options_.reinforces()) return measure(nullptr);
  CALQUE_CHECK(row_weights.empty(), "REINFORCE takes all target tokens alike");
  SelectionAdvantages advantages(context.arena, example.source_layout, example.target_layout);
  if (log_probabilities.empty()) {
    log_probabilities = context.arena.tensor({example.target_layout.tokens}).values();
  }
  const kernels::CrossEntropySums sums = measure(&advantages);
  advantages.fill(log_probabilities, context.baseline);
  return sums;
}

kernels::CrossEntropySums Transformer::r_drop_loss(Context& context, const TrainingExample& example,
                                                   double label_smoothing, double r_drop) {
  const Var first = decode(context, example);
  ++context.micro_batch;
  const Var second = decode(context, example);
  return ops::projection_r_drop(context, first, second, store_->var(context, output_projection_),
                                example.target_output, label_smoothing, r_drop);
}

void Transformer::read_source(Context& context, DecoderCache& cache, Ids source,
                              const SequenceLayout& layout, std::span<const int32_t> rows) {
  const Arena::Scope scope(context.arena);
  decoder_.remember(context, cache, encode(context, source, layout), layout, rows);
}

Var Transformer::decode_step(Context& context, Ids ids, DecoderCache& cache,
                             const CacheSlots& slots, const SequenceLayout& queries,
                             const SequenceLayout& source) {
  const Var table = target_positions_.table(context, *std::ranges::max_element(slots.lengths));
  const Var x =
      target_embedding_.forward(context, ids, table, newest_positions(context.arena, slots));
  return logits(context, decoder_.step(context, x, cache, slots, queries, source));
}

}  // namespace calque
