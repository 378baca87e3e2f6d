#pragma once

#include <string>

#include "config/field.h"

namespace calque {

// The keys of `model`, as config/visit.h lists them.

/// What every attention has, under `block`.
template <class Options, class Visitor>
void visit_attention(const std::string& block, Options& attention, Visitor& visit) {
  using enum AtResume;
  visit(
      Field{(block + ".score").c_str(), "", kRefuse,
            "How query and key make a score: dot product over sqrt(width of a head), dot product, "
            "with a matrix between them (general), or v tanh(query + key) (additive)."},
      attention.score, OneOf<kernels::AttentionScore>(kAttentionScores));
  visit(Field{(block + ".normalizer").c_str(), "", kRefuse,
              "What makes weights of scores; sparsemax and entmax15 give most keys a weight of 0."},
        attention.normalizer, OneOf<kernels::AttentionNormalizer>(kAttentionNormalizers));
  visit(Field{(block + ".selection").c_str(), "", kRefuse,
              "What is read: the values' weighted mean, or the value of one token (hard), drawn in "
              "training, the one of the highest score when translating."},
        attention.selection, OneOf<kernels::AttentionSelection>(kAttentionSelections));
  visit(Field{(block + ".estimator").c_str(), "", kWarn,
              "What stands for the gradient of hard selection: that of the weights that it drew by "
              "(straight_through), or what the draw cost beyond a moving baseline times the "
              "gradient of its log probability (reinforce: no bias, but noise)."},
        attention.estimator, OneOf<kernels::SelectionEstimator>(kSelectionEstimators));
  visit(
      Field{(block + ".reinforce_weight").c_str(), "", kWarn,
            "What the gradient of reinforce counts beside the others; 1: its share in that of the "
            "loss, whose noise is mostly too large to learn by."},
      attention.reinforce_weight, Number::above(0));
  visit(Field{(block + ".temperature").c_str(), "", kWarn,
              "Of straight_through: high ones blur what the gradient sees of the draw."},
        attention.temperature, Number::above(0));
  visit(Field{(block + ".last_temperature").c_str(), "", kWarn,
              "Where the temperature of straight_through arrives, by equal factors."},
        attention.last_temperature, Number::above(0));
  visit(Field{(block + ".temperature_steps").c_str(), "updates", kWarn, "After so many updates."},
        attention.temperature_steps, kCountOrNone);
  visit(Field{(block + ".key_value_heads").c_str(), "heads", kRefuse,
              "Heads of keys and values, a divisor of model.heads, each for as many of those: "
              "smaller caches; 1: one for all. 0: as many as model.heads."},
        attention.key_value_heads, Integer(0, 65536));
}

template <class Options, class Visitor>
void visit_self_attention(const std::string& block, Options& attention, Visitor& visit) {
  using enum AtResume;
  visit_attention(block, attention, visit);
  visit(Field{(block + ".scope").c_str(), "", kRefuse,
              "Which tokens see each other: all, near ones (local), or in every other head near "
              "ones and in the others every so manieth (strided)."},
        attention.scope, OneOf<kernels::AttentionScope>(kSelfAttentionScopes));
  visit(Field{(block + ".window").c_str(), "tokens", kRefuse,
              "How far local and strided attention see to each side; of strided, its stride too."},
        attention.window, kWidth);
  visit(Field{(block + ".global_tokens").c_str(), "tokens", kRefuse,
              "First tokens of a sentence that see all and that all see, beside a local window."},
        attention.global_tokens, Integer(0, 65536));
}

template <class Options, class Visitor>
void visit_cross_attention(const std::string& block, Options& attention, Visitor& visit) {
  using enum AtResume;
  visit_attention(block, attention, visit);
  visit(Field{(block + ".scope").c_str(), "", kRefuse,
              "Which source tokens a target token sees: all, those around its own position "
              "(monotonic), or around one that it predicts (predictive)."},
        attention.scope, OneOf<kernels::AttentionScope>(kCrossAttentionScopes));
  visit(Field{(block + ".window").c_str(), "tokens", kRefuse,
              "How far monotonic and predictive attention see to each side."},
        attention.window, kWidth);
}

template <class Config, class Visitor>
void visit_model(Config& config, Visitor& visit) {
  using enum AtResume;
  auto& model = config.model;
  visit(Field{"model.size", "numbers per token", kRefuse, "Width of embeddings and layers."},
        model.model, kWidth);
  visit(Field{"model.heads", "heads", kRefuse, "Attention heads; they divide model.size."},
        model.heads, kWidth);
  visit(
      Field{"model.hidden", "numbers per token", kRefuse,
            "Width inside the feed-forward networks, behind the gate of gated ones. A network has "
            "2 x size x hidden weights, a gated one 3 x size x hidden."},
      model.hidden, kWidth);
  visit(Field{"model.encoder.layers", "layers", kRefuse, "Depth of the encoder."},
        model.encoder_layers, kLayers);
  visit_self_attention("model.encoder.self_attention", model.encoder_self_attention, visit);
  visit(Field{"model.decoder.layers", "layers", kRefuse, "Depth of the decoder."},
        model.decoder_layers, kLayers);
  visit_self_attention("model.decoder.self_attention", model.decoder_self_attention, visit);
  visit_cross_attention("model.decoder.cross_attention", model.decoder_cross_attention, visit);
  visit(Field{"model.norm", "", kRefuse,
              "Normalisation before each sub-layer (steadier), behind it (the paper), or behind it "
              "with residuals and first weights scaled for deep stacks (deep: DeepNorm)."},
        model.norm, OneOf<NormPlace>(kNormPlaces));
  visit(Field{"model.norm_kind", "", kRefuse,
              "What is normalised by: layer: mean and variance (the paper); rms: the root mean "
              "square alone, without a bias."},
        model.norm_kind, OneOf<NormKind>(kNormKinds));
  visit(Field{"model.activation", "", kRefuse,
              "Function inside the feed-forward networks. The gated ones multiply by a second "
              "layer, the gate, which goes through sigmoid (glu), gelu (geglu) or swish (swiglu)."},
        model.activation, OneOf<kernels::Activation>(kActivations));
  visit(Field{"model.positions", "", kRefuse,
              "How a token's position enters the model: added to its embedding (sinusoidal: the "
              "paper; learned), in self-attention by turning queries and keys (rotary), lowering "
              "scores by the distance (alibi) or learned vectors per distance (relative), or not "
              "at all."},
        model.positions, OneOf<Positions>(kPositions));
  visit(Field{"model.max_positions", "tokens", kRefuse,
              "Longest sentence of learned positions; unused with others."},
        model.max_positions, kWidth);
  visit(Field{"model.max_distance", "tokens", kRefuse,
              "Farthest distance that relative positions tell apart; unused with others."},
        model.max_distance, Integer(1, 1024));
  visit(
      Field{"model.tied_embeddings", "", kRefuse,
            "Which embeddings are one matrix: none; decoder: target and output; all: source too."},
      model.tied_embeddings, OneOf<Tying>(kTyings));
  visit(Field{"model.dropout.embedding", "probability", kWarn, "Dropout on embeddings."},
        model.embedding_dropout, kDropout);
  visit(Field{"model.dropout.residual", "probability", kWarn,
              "Dropout on the output of each sub-layer."},
        model.residual_dropout, kDropout);
  visit(Field{"model.dropout.attention", "probability", kWarn, "Dropout on attention weights."},
        model.attention_dropout, kDropout);
  visit(Field{"model.dropout.activation", "probability", kWarn,
              "Dropout inside the feed-forward networks."},
        model.activation_dropout, kDropout);
  visit(Field{"model.dropout.layer", "probability", kWarn,
              "Layers that each micro-batch of a training leaves out, whole (LayerDrop)."},
        model.layer_dropout, kDropout);
}

}  // namespace calque
