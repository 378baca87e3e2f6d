#include "model/deep_norm.h"

#include <algorithm>

#include "model/transformer.h"
#include "support/catch.h"
#include "support/example_batch.h"

namespace calque {
namespace {

TEST_CASE("DeepNorm's factors are those of its table 1, and 1 without it", "[model]") {
  TransformerOptions options;
  options.norm = NormPlace::kDeep;
  options.encoder_layers = 16;
  options.decoder_layers = 4;  // N^4 M = 2^18
  CHECK(encoder_deep_norm(options).alpha == Approx(0.81 * std::exp2(18.0 / 16)));
  CHECK(encoder_deep_norm(options).beta == Approx(0.87 / std::exp2(18.0 / 16)));
  CHECK(decoder_deep_norm(options).alpha == Approx(std::pow(12, 0.25)));
  CHECK(decoder_deep_norm(options).beta == Approx(std::pow(48, -0.25)));
  options.norm = NormPlace::kPost;
  for (const DeepNorm& plain : {encoder_deep_norm(options), decoder_deep_norm(options)}) {
    CHECK(plain.alpha == 1);
    CHECK(plain.beta == 1);
  }
}

TEST_CASE("with DeepNorm, values, outputs and feed-forward networks begin smaller by its gain",
          "[model]") {
  TransformerOptions options = test::tiny_options();
  options.norm = NormPlace::kPost;
  Transformer plain(options, 23, 23, /*inference=*/false);
  plain.parameters().initialize(7);
  options.norm = NormPlace::kDeep;
  Transformer deep(options, 23, 23, /*inference=*/false);
  deep.parameters().initialize(7);
  for (const Parameter& parameter : deep.parameters().parameters()) {
    INFO(parameter.name);
    const auto ends_with = [&](const char* end) { return parameter.name.ends_with(end); };
    const bool scaled = ends_with("value.weight") || ends_with("output.weight") ||
                        ends_with("feed_forward.input.weight");
    const double beta = !scaled                                 ? 1
                        : parameter.name.starts_with("encoder") ? encoder_deep_norm(options).beta
                                                                : decoder_deep_norm(options).beta;
    const auto values = deep.parameters().value(parameter).values();
    const auto others = plain.parameters().value(parameter).values();
    CHECK(std::ranges::equal(values, others, [&](Real a, Real b) {
      return std::abs(static_cast<double>(a) - beta * static_cast<double>(b)) < 1e-6;
    }));
  }
}

}  // namespace
}  // namespace calque
