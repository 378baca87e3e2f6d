#include "model/layer_drop.h"

#include <algorithm>

#include "support/catch.h"
#include "support/example_batch.h"
#include "support/parameter_difference.h"
#include "support/random_values.h"

namespace calque {
namespace {

constexpr int64_t kVocab = 23;

struct Machine {
  Arena arena;
  Workspace workspace{8};
};

TEST_CASE("layers are dropped at their rate, each by a draw of its own, in training alone",
          "[model]") {
  Machine m;
  Context context(m.arena, m.workspace);
  context.training = true;
  context.seed = 5;
  int dropped[2] = {0, 0};
  int both = 0;
  for (uint32_t pass = 0; pass < 4000; ++pass) {
    context.micro_batch = pass;
    const bool first = drops_layer(context, 0.2, 0);
    const bool second = drops_layer(context, 0.2, 1);
    CHECK(first == drops_layer(context, 0.2, 0));
    dropped[0] += first;
    dropped[1] += second;
    both += first && second;
  }
  CHECK(std::abs(dropped[0] - 800) < 130);  // five standard deviations
  CHECK(std::abs(dropped[1] - 800) < 130);
  CHECK(std::abs(both - 160) < 63);
  CHECK_FALSE(drops_layer(context, 0, 0));
  context.training = false;
  for (uint32_t pass = 0; pass < 100; ++pass) {
    context.micro_batch = pass;
    CHECK_FALSE(drops_layer(context, 0.9, 0));
  }
}

TEST_CASE("a dropped layer gets no gradient, the others do, and the loss is a number",
          "[model]") {
  TransformerOptions options = test::tiny_options();
  options.layer_dropout = 0.5;
  Transformer model = test::random_model(options, kVocab, kVocab);
  const test::ExampleBatch batch({3, 0, 2}, {1, 4, 2}, kVocab);
  Machine m;
  Tape tape(m.arena, m.workspace);
  int seen = 0;  // bits: the first encoder layer was dropped, was not
  for (uint32_t pass = 0; pass < 12; ++pass) {
    tape.reset();
    m.arena.reset();
    Context context(m.arena, m.workspace, tape, 3, pass);
    model.parameters().start_gradients();
    const double loss = model.loss(context, batch.view(), 0.1).loss;
    tape.backward();
    tape.reset();
    model.parameters().finish_gradients();
    CHECK(std::isfinite(loss));
    for (int64_t layer = 0; layer < 3; ++layer) {
      const std::string name =
          layer < 2 ? "encoder.layers." + std::to_string(layer) : std::string("decoder.layers.0");
      const auto gradient =
          model.parameters()
              .gradient(*model.parameters().find(name + ".feed_forward.output.bias"))
              .values();
      const bool dropped = drops_layer(context, 0.5, layer);
      // Without the decoder's only layer the loss knows nothing of the encoder.
      const bool unseen = dropped || drops_layer(context, 0.5, 2);
      CHECK(std::ranges::all_of(gradient, [](Real g) { return g == 0; }) == unseen);
      if (layer == 0) seen |= dropped ? 1 : 2;
    }
  }
  CHECK(seen == 3);
}

}  // namespace
}  // namespace calque
