#include "model/linear_flops.h"

#include "model/transformer.h"
#include "support/catch.h"

using namespace calque;

TEST_CASE("the linear layers' FLOPs agree with a count by hand", "[model]") {
  TransformerOptions options;
  options.model = 4;
  options.heads = 2;
  options.hidden = 6;
  options.encoder_layers = 2;
  options.decoder_layers = 3;
  constexpr int64_t kVocab = 10;
  // Multiply-adds forward of a row:
  //   encoder layer        4x12 + 4x4 + 4x6 + 6x4 = 112
  //   decoder layer        112 + 4x4 (query) + 4x4 (output) = 144
  //   its cross-attention  4x8 = 32, of a source row (key and value)
  //   output projection    4x10 = 40
  // A source row: 2 x 112 + 3 x 32 = 320. A target row: 3 x 144 + 40 = 472.
  // Two FLOPs each, and three products: forward, dx, dW.
  CHECK(linear_layer_flops(options, kVocab, 1, 0) == 6 * 320);
  CHECK(linear_layer_flops(options, kVocab, 0, 1) == 6 * 472);
  CHECK(linear_layer_flops(options, kVocab, 7, 5) == 6 * (7 * 320 + 5 * 472));
}

TEST_CASE("the base Transformer's step is what its weight matrices make it", "[model]") {
  TransformerOptions options;
  options.activation = GENERATE(kernels::Activation::kRelu, kernels::Activation::kSwiglu);
  options.encoder_self_attention.key_value_heads = GENERATE(0, 1);
  options.decoder_self_attention.key_value_heads = 2;
  options.decoder_cross_attention.key_value_heads = 4;
  constexpr int64_t kVocab = 100;
  const Transformer model(options, kVocab, kVocab, /*inference=*/true);
  // With as many source as target tokens each weight matrix meets `tokens` rows once.
  int64_t weights = 0;
  for (const Parameter& parameter : model.parameters().parameters()) {
    if (parameter.shape.rank() == 2) weights += parameter.shape.count();
  }
  CHECK(linear_layer_flops(options, kVocab, 1000, 1000) ==
        6.0 * 1000.0 * static_cast<double>(weights));
}
