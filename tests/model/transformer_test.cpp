#include "model/transformer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/parallel.h"
#include "kernels/matrices.h"
#include "model/attention_kinds.h"
#include "support/catch.h"
#include "support/each_engine.h"
#include "support/example_batch.h"
#include "support/random_values.h"
#include "support/threads_scope.h"

namespace calque {
namespace {

constexpr int64_t kVocab = 23;

struct Machine {
  Arena arena;
  Workspace workspace{8};
};

/// Logits at every target position by teacher forcing: [target tokens, vocab].
std::vector<Real> teacher_forced(Transformer& model, const TrainingExample& example) {
  Machine m;
  Context context(m.arena, m.workspace);
  const Var memory = model.encode(context, example.source, example.source_layout);
  const Var x = model.decode(context, example.target_input, example.target_layout, memory,
                             example.source_layout);
  const Var logits = model.logits(context, x);
  return {logits.value.values().begin(), logits.value.values().end()};
}

/// The same, each sentence alone.
std::vector<Real> one_by_one(Transformer& model, const test::ExampleBatch& batch) {
  std::vector<Real> singles;
  for (int64_t s = 0; s < batch.view().target_layout.sentences(); ++s) {
    const test::ExampleBatch pair = batch.single(s);
    const std::vector<Real> logits = teacher_forced(model, pair.view());
    singles.insert(singles.end(), logits.begin(), logits.end());
  }
  return singles;
}

/// The same logits step by step, all sentences side by side, with one hypothesis each.
std::vector<Real> step_by_step(Transformer& model, const TrainingExample& example) {
  Machine m;
  Context context(m.arena, m.workspace);
  const int64_t sentences = example.target_layout.sentences();
  DecoderCache cache =
      model.make_cache(m.arena, example.target_layout.tokens, example.source_layout.tokens);
  model.read_source(context, cache, example.source, example.source_layout,
                    example.source_layout.begins);
  const int64_t stride = 64;
  std::vector<Real> logits(static_cast<size_t>(example.target_layout.tokens * kVocab));
  for (int32_t length = 1;; ++length) {
    std::vector<int32_t> ids;
    std::vector<int32_t> ancestors;
    std::vector<int32_t> rows;
    SequenceLayoutBuffer queries;
    SequenceLayoutBuffer keys;
    for (int64_t s = 0; s < sentences; ++s) {
      const auto i = static_cast<size_t>(s);
      if (example.target_layout.lengths[i] < length) continue;
      const int32_t first = example.target_layout.begins[i];
      rows.push_back(first + length - 1);
      ids.push_back(example.target_input[static_cast<size_t>(rows.back())]);
      for (int64_t p = 0; p < stride; ++p) ancestors.push_back(first + static_cast<int32_t>(p));
      queries.append(1);
      keys.append_at(example.source_layout.begins[i], example.source_layout.lengths[i]);
    }
    if (ids.empty()) return logits;
    const std::vector<int32_t> lengths(ids.size(), length);
    const Var step = model.decode_step(context, ids, cache, {ancestors, stride, lengths},
                                       queries.view(), keys.view());
    for (size_t r = 0; r < rows.size(); ++r) {
      std::copy_n(step.matrix().row(static_cast<int64_t>(r)), kVocab,
                  logits.begin() + rows[r] * kVocab);
    }
  }
}

TransformerOptions some_options(NormPlace norm) {
  TransformerOptions options = test::tiny_options();
  options.model = 32;
  options.heads = 4;
  options.hidden = 40;
  options.decoder_layers = 2;
  options.norm = norm;
  return options;
}

TEST_CASE("a packed batch equals its sentences one by one", "[model]") {
  Transformer model =
      test::random_model(some_options(GENERATE(NormPlace::kPre, NormPlace::kPost)), kVocab, kVocab);
  const test::ExampleBatch batch({5, 0, 9, 2}, {4, 7, 0, 3}, kVocab);
  test::with_each_engine([&] {
    const std::vector<Real> packed = teacher_forced(model, batch.view());
    CHECK(test::relative_difference(packed, one_by_one(model, batch)) < 1e-5);
  });
}

TEST_CASE("with RMS norms and gates, cached decoding equals teacher forcing and single sentences",
          "[model]") {
  TransformerOptions options = some_options(GENERATE(NormPlace::kPre, NormPlace::kPost));
  options.norm_kind = NormKind::kRms;
  options.activation = GENERATE(kernels::Activation::kGlu, kernels::Activation::kGeglu,
                                kernels::Activation::kSwiglu);
  Transformer model = test::random_model(options, kVocab, kVocab);
  const test::ExampleBatch batch({5, 0, 9, 2}, {4, 7, 0, 3}, kVocab);
  test::with_each_engine([&] {
    const std::vector<Real> packed = teacher_forced(model, batch.view());
    CHECK(test::relative_difference(step_by_step(model, batch.view()), packed) < 1e-5);
    CHECK(test::relative_difference(packed, one_by_one(model, batch)) < 1e-5);
  });
}

TEST_CASE("cached decoding equals teacher forcing", "[model]") {
  TransformerOptions options = some_options(GENERATE(NormPlace::kPre, NormPlace::kPost));
  options.positions = GENERATE(Positions::kSinusoidal, Positions::kLearned);
  options.max_positions = 16;
  Transformer model = test::random_model(options, kVocab, kVocab);
  const test::ExampleBatch batch({5, 0, 9, 2}, {4, 7, 0, 3}, kVocab);
  test::with_each_engine([&] {
    CHECK(test::relative_difference(step_by_step(model, batch.view()),
                                    teacher_forced(model, batch.view())) < 1e-5);
  });
}

TEST_CASE(
    "with every kind of attention, cached decoding equals teacher forcing and single sentences",
    "[model]") {
  const auto positions = GENERATE(Positions::kSinusoidal, Positions::kRotary, Positions::kAlibi);
  const int64_t key_value_heads = GENERATE(0, 2);
  for (const test::AttentionKind& kind : test::attention_kinds()) {
    CAPTURE(kind.name, positions, key_value_heads);
    TransformerOptions options = some_options(NormPlace::kPre);
    kind.apply(options);
    options.positions = positions;
    for (kernels::AttentionOptions* attention :
         {&options.encoder_self_attention, &options.decoder_self_attention,
          &options.decoder_cross_attention}) {
      attention->key_value_heads = key_value_heads;
    }
    Transformer model = test::random_model(options, kVocab, kVocab);
    const test::ExampleBatch batch({5, 0, 9, 2}, {4, 7, 0, 3}, kVocab);
    const std::vector<Real> packed = teacher_forced(model, batch.view());
    CHECK(test::relative_difference(step_by_step(model, batch.view()), packed) < 1e-5);
    CHECK(test::relative_difference(packed, one_by_one(model, batch)) < 1e-5);
  }
}

/// Cached decoding, teacher forcing and single sentences agree. Some sentences are longer than a
/// block of keys.
void check_ways_agree(const TransformerOptions& options) {
  Transformer model = test::random_model(options, kVocab, kVocab);
  const test::ExampleBatch batch({5, 0, 9, 98}, {4, 7, 0, 3}, kVocab);
  test::with_each_engine([&] {
    const std::vector<Real> packed = teacher_forced(model, batch.view());
    CHECK(test::relative_difference(step_by_step(model, batch.view()), packed) < 1e-5);
    CHECK(test::relative_difference(packed, one_by_one(model, batch)) < 1e-5);
  });
}

TEST_CASE(
    "with each kind of positions, cached decoding equals teacher forcing and single sentences",
    "[model]") {
  TransformerOptions options = some_options(GENERATE(NormPlace::kPre, NormPlace::kDeep));
  options.positions =
      GENERATE(Positions::kNone, Positions::kRotary, Positions::kAlibi, Positions::kRelative);
  options.max_distance = 3;
  check_ways_agree(options);
}

TEST_CASE(
    "with shared keys and values, cached decoding equals teacher forcing and single sentences",
    "[model]") {
  TransformerOptions options = some_options(NormPlace::kPre);
  options.encoder_self_attention.key_value_heads = 1;
  options.decoder_self_attention.key_value_heads = 2;
  options.decoder_cross_attention.key_value_heads = GENERATE(1, 2);
  options.positions =
      GENERATE(Positions::kSinusoidal, Positions::kRotary, Positions::kAlibi, Positions::kRelative);
  check_ways_agree(options);
}

TEST_CASE("scores without the root start as those with it", "[model]") {
  TransformerOptions options = some_options(NormPlace::kPre);
  using enum kernels::AttentionScore;
  const auto spread = [&](kernels::AttentionScore score) {
    options.decoder_cross_attention.score = score;
    Transformer model(options, kVocab, kVocab, /*inference=*/false);
    model.parameters().initialize(1);
    const Parameter* const weight =
        model.parameters().find("decoder.layers.0.cross_attention.query.weight");
    double squares = 0;
    for (const Real value : model.parameters().value(*weight).values()) squares += value * value;
    return std::sqrt(squares / static_cast<double>(weight->shape.count()));
  };
  const double root = std::sqrt(static_cast<double>(options.model / options.heads));
  CHECK(spread(kDot) * root == Approx(spread(kScaledDot)).epsilon(0.05));
  CHECK(spread(kGeneral) * root == Approx(spread(kScaledDot)).epsilon(0.05));
  CHECK(spread(kAdditive) == Approx(spread(kScaledDot)).epsilon(0.05));
}

TEST_CASE("fewer heads of keys and values have smaller weights and caches", "[model]") {
  TransformerOptions options = some_options(NormPlace::kPre);
  options.decoder_self_attention.key_value_heads = 2;
  options.decoder_cross_attention.key_value_heads = 1;
  Transformer model(options, kVocab, kVocab, /*inference=*/true);
  const auto shape = [&](const std::string& name) { return model.parameters().find(name)->shape; };
  CHECK(shape("encoder.layers.0.self_attention.key.weight") == Shape{32, 32});
  CHECK(shape("decoder.layers.0.self_attention.key.weight") == Shape{16, 32});
  CHECK(shape("decoder.layers.0.self_attention.query.weight") == Shape{32, 32});
  CHECK(shape("decoder.layers.0.cross_attention.value.bias") == Shape{8});
  Arena arena;
  const DecoderCache cache = model.make_cache(arena, 5, 7);
  CHECK(cache.layers[0].self.keys.shape == Shape{5, 16});
  CHECK(cache.layers[0].memory.shape == Shape{7, 16});
}

/// Loss and all gradients of one training pass with dropout.
std::vector<Real> training_pass(Transformer& model, const TrainingExample& example) {
  Machine m;
  Tape tape(m.arena, m.workspace);
  Context context(m.arena, m.workspace, tape, 3, 14);
  model.parameters().start_gradients();
  const double loss = model.loss(context, example, 0.1).loss;
  tape.backward();
  tape.reset();
  model.parameters().finish_gradients();
  std::vector<Real> result(model.parameters().gradients().begin(),
                           model.parameters().gradients().end());
  result.push_back(static_cast<Real>(loss));
  return result;
}

TEST_CASE("the number of threads changes no bit of a training pass, with each engine", "[model]") {
  TransformerOptions options = some_options(NormPlace::kPre);
  options.model = 64;
  options.hidden = 96;
  options.embedding_dropout = options.residual_dropout = 0.2;
  options.attention_dropout = options.activation_dropout = 0.1;
  std::tie(options.norm_kind, options.activation) = GENERATE(
      table<NormKind, kernels::Activation>({{NormKind::kLayer, kernels::Activation::kRelu},
                                            {NormKind::kRms, kernels::Activation::kGeglu}}));
  Transformer model = test::random_model(options, kVocab, kVocab);
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < 60; ++i) lengths.push_back(1 + i * 7 % 23);
  const test::ExampleBatch batch(lengths, lengths, kVocab);
  test::with_each_engine([&] {
    std::vector<Real> first;
    for (const int count : {1, 2, 3}) {
      const test::ThreadsScope set(count);
      const std::vector<Real> values = training_pass(model, batch.view());
      if (count == 1) first = values;
      CHECK(values == first);
    }
  });
}

TEST_CASE("the number of threads changes no bit of any kind of attention", "[model]") {
  for (const test::AttentionKind& kind : test::attention_kinds()) {
    CAPTURE(kind.name);
    TransformerOptions options = some_options(NormPlace::kPre);
    options.attention_dropout = 0.1;
    kind.apply(options);
    Transformer model = test::random_model(options, kVocab, kVocab);
    std::vector<int64_t> lengths;
    for (int64_t i = 0; i < 20; ++i) lengths.push_back(1 + i * 7 % 23);
    const test::ExampleBatch batch(lengths, lengths, kVocab);
    std::vector<Real> first;
    for (const int count : {1, 2, 3}) {
      const test::ThreadsScope set(count);
      const std::vector<Real> values = training_pass(model, batch.view());
      if (count == 1) first = values;
      CHECK(values == first);
    }
  }
}

TEST_CASE("from the second training pass on no memory is taken", "[model]") {
  // One thread: which of many works, and so in whose scratch, differs from pass to pass.
  const test::ThreadsScope set(1);
  TransformerOptions options = some_options(NormPlace::kPre);
  options.model = 256;  // so that a pass needs more than the pools' smallest blocks
  options.encoder_layers = options.decoder_layers = 1;
  options.attention_dropout = 0.1;
  Transformer model = test::random_model(options, kVocab, kVocab);
  const std::vector<int64_t> lengths(40, 20);
  const test::ExampleBatch batch(lengths, lengths, kVocab);
  Machine m;
  Tape tape(m.arena, m.workspace);
  std::vector<std::array<size_t, 3>> bytes;
  for (uint32_t pass = 0; pass < 4; ++pass) {
    tape.reset();
    m.arena.reset();
    Context context(m.arena, m.workspace, tape, 3, pass);
    model.loss(context, batch.view(), 0.1);
    tape.backward();
    bytes.push_back({m.arena.capacity(), tape.gradients().capacity(), m.workspace.peak()});
  }
  CHECK(bytes[0][0] > 0);
  for (size_t pass = 2; pass < bytes.size(); ++pass) CHECK(bytes[pass] == bytes[1]);
}

TEST_CASE("gate and input lie side by side, and an RMS norm has a gain alone", "[model]") {
  TransformerOptions options = test::tiny_options();
  options.norm_kind = NormKind::kRms;
  options.activation = kernels::Activation::kSwiglu;
  const Transformer model(options, kVocab, kVocab, /*inference=*/true);
  const ParameterStore& store = model.parameters();
  const auto place = [&](const std::string& name) {
    const Parameter* const parameter = store.find("encoder.layers.0.feed_forward" + name);
    REQUIRE(parameter != nullptr);
    return std::pair(parameter->offset, parameter->shape);
  };
  const auto [begin, shape] = place(".gate.weight");
  CHECK(shape == Shape{12, 8});
  CHECK(place(".input.weight") == std::pair(begin + 12 * 8, Shape{12, 8}));
  CHECK(place(".gate.bias") == std::pair(begin + 24 * 8, Shape{12}));
  CHECK(place(".input.bias") == std::pair(begin + 24 * 8 + 12, Shape{12}));
  CHECK(place("_norm.weight").second == Shape{8});
  CHECK(store.find("encoder.layers.0.feed_forward_norm.bias") == nullptr);
  CHECK(store.find("decoder.norm.bias") == nullptr);

  // Three layers and their seven norms, two final ones: a gate more each, a bias less each.
  const int64_t count =
      Transformer(test::tiny_options(), kVocab, kVocab, true).parameters().count();
  CHECK(store.count() == count + 3 * (12 * 8 + 12) - (7 + 2) * 8);
}

TEST_CASE("sizes that do not fit each other are refused", "[model]") {
  TransformerOptions options = test::tiny_options();
  options.heads = 3;
  CHECK_THROWS_WITH(Transformer(options, kVocab, kVocab, true),
                    "model.size (8) must be a multiple of model.heads (3)");
  options.heads = 2;
  CHECK_THROWS_WITH(
      Transformer(options, kVocab, kVocab + 1, true),
      "model.tied_embeddings: all needs one vocabulary for both sides (vocabulary.shared: true), "
      "but the source has 23 entries and the target 24");
}

TEST_CASE("attentions that do not fit the heads are refused", "[model]") {
  TransformerOptions options = test::tiny_options();
  options.decoder_cross_attention.key_value_heads = 3;
  CHECK_THROWS_WITH(Transformer(options, kVocab, kVocab, true),
                    "model.heads (2) must be a multiple of an attention's key_value_heads (3)");
  options = test::tiny_options();
  options.model = 6;
  options.positions = Positions::kRotary;
  CHECK_THROWS_WITH(Transformer(options, kVocab, kVocab, true),
                    "model.positions: rotary needs heads of an even width, but model.size (6) / "
                    "model.heads (2) is 3");
}

TEST_CASE("a sentence longer than the learned positions is refused", "[model]") {
  TransformerOptions options = test::tiny_options();
  options.positions = Positions::kLearned;
  options.max_positions = 4;
  Transformer model = test::random_model(options, kVocab, kVocab);
  const test::ExampleBatch batch({7}, {2}, kVocab);
  CHECK_THROWS_WITH(teacher_forced(model, batch.view()),
                    "a sentence has 8 tokens, but this model has learned only 4 positions "
                    "(model.max_positions): shorten the sentence, or train with more positions");
}

}  // namespace
}  // namespace calque
