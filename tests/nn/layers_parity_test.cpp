// Single layers against PyTorch: what scripts/reference/make_layer_dump.py computed in double must
// come out in float, with each engine.

#include <cmath>
#include <deque>
#include <filesystem>
#include <string>
#include <vector>

#include "autograd/ops/projection_cross_entropy.h"
#include "checkpoint/safetensors.h"
#include "nn/feed_forward.h"
#include "nn/multi_head_attention.h"
#include "nn/norm.h"
#include "support/catch.h"
#include "support/each_engine.h"
#include "support/parameter_difference.h"
#include "support/random_values.h"

namespace calque {
namespace {

constexpr double kOutputTolerance = 1e-5;
constexpr double kGradientTolerance = 1e-4;
constexpr int64_t kModel = 16;

using test::with_each_engine;

/// A dump of one layer, and a machine to run ours on.
class Reference {
 public:
  explicit Reference(const std::string& name)
      : file_(std::filesystem::path(CALQUE_SOURCE_DIR) / "tests/fixtures/layers" /
              (name + ".safetensors")) {}

  /// Where the layer declares its parameters; then `allocate` gives them the dump's values.
  Scope scope() { return Scope(store_, next_stream_); }
  void allocate() {
    store_.allocate(/*inference=*/false);
    for (const Parameter& parameter : store_.parameters()) {
      const StoredTensor* stored = file_.find("parameters." + parameter.name);
      REQUIRE(stored != nullptr);
      REQUIRE(stored->shape == parameter.shape);
      copy_values(*stored, store_.value(parameter).values());
    }
    store_.start_gradients();
  }

  /// An input of the layer, whose gradient is compared too.
  Var input(const std::string& name) {
    Input& added = inputs_.emplace_back(Input{name, file_.floats(name), {}, {0}});
    added.gradient.resize(added.values.size());
    const Shape shape = file_.find(name)->shape;
    return tape_.leaf({added.values.data(), shape}, {added.gradient.data(), shape}, added.written);
  }

  SequenceLayout layout(const std::string& name) {
    SequenceLayoutBuffer& buffer = layouts_.emplace_back();
    for (const int32_t length : file_.integers(name)) buffer.append(length);
    return buffer.view();
  }

  /// Compares the output, then runs backward from the dump's output gradient and compares all
  /// others.
  void check(const Var& output) {
    CHECK(test::relative_difference(output.value.values(), file_.floats("output")) <
          kOutputTolerance);
    const std::vector<float> gradient = file_.floats("output_gradient");
    std::copy(gradient.begin(), gradient.end(), tape_.target(output).tensor.data);
    check_gradients();
  }
  void check_gradients(double tolerance = kGradientTolerance) {
    tape_.backward();
    for (const Input& input : inputs_) {
      INFO(input.name);
      CHECK(test::relative_difference(input.gradient, file_.floats(input.name + "_gradient")) <
            tolerance);
    }
    const auto worst = test::worst_gradient_difference(store_, [this](const Parameter& parameter) {
      return file_.floats("gradients." + parameter.name);
    });
    INFO(worst.name);
    CHECK(worst.value < tolerance);
  }

  const SafetensorsFile& file() const { return file_; }
  ParameterStore& store() { return store_; }
  Context& context() { return context_; }
  int64_t heads() const { return std::stoll(file_.metadata().at("heads")); }

 private:
  struct Input {
    std::string name;
    std::vector<float> values, gradient;
    std::vector<uint8_t> written;
  };
  SafetensorsFile file_;
  ParameterStore store_;
  uint32_t next_stream_ = 0;
  Arena arena_;
  Workspace workspace_{8};
  Tape tape_{arena_, workspace_};
  Context context_{arena_, workspace_, tape_, 1, 0};
  std::deque<Input> inputs_;
  std::deque<SequenceLayoutBuffer> layouts_;
};

TEST_CASE("self-attention is PyTorch's", "[nn]") {
  const bool causal = GENERATE(false, true);
  with_each_engine([&] {
    Reference reference(causal ? "attention_causal" : "attention_self");
    const MultiHeadAttention attention(reference.scope(), kModel, reference.heads(), 0);
    reference.allocate();
    reference.check(attention.self(reference.context(), reference.input("input"),
                                   reference.layout("lengths"), causal));
  });
}

TEST_CASE("cross-attention is PyTorch's", "[nn]") {
  with_each_engine([] {
    Reference reference("attention_cross");
    const MultiHeadAttention attention(reference.scope(), kModel, reference.heads(), 0);
    reference.allocate();
    const Var input = reference.input("input");
    const Var memory = attention.project_memory(reference.context(), reference.input("memory"));
    reference.check(attention.cross(reference.context(), input, reference.layout("lengths"), memory,
                                    reference.layout("memory_lengths")));
  });
}

TEST_CASE("the norms are PyTorch's", "[nn]") {
  const auto [name, kind] = GENERATE(table<std::string, NormKind>(
      {{"layer_norm", NormKind::kLayer}, {"rms_norm", NormKind::kRms}}));
  Reference reference(name);
  const Norm norm(reference.scope(), kind, kModel);
  reference.allocate();
  CHECK(reference.file().metadata().at("epsilon") == "1e-05");
  reference.check(norm.forward(reference.context(), reference.input("input")));
}

TEST_CASE("the feed-forward network is PyTorch's", "[nn]") {
  using kernels::Activation;
  const auto [name, activation] =
      GENERATE(table<std::string, Activation>({{"relu", Activation::kRelu},
                                               {"gelu", Activation::kGelu},
                                               {"swish", Activation::kSwish},
                                               {"glu", Activation::kGlu},
                                               {"geglu", Activation::kGeglu},
                                               {"swiglu", Activation::kSwiglu}}));
  with_each_engine([&name = name, activation = activation] {
    Reference reference("feed_forward_" + name);
    const int64_t hidden = reference.file().find("parameters.input.weight")->shape[0];
    const FeedForward feed_forward(reference.scope(), kModel, hidden, activation, 0);
    reference.allocate();
    reference.check(feed_forward.forward(reference.context(), reference.input("input")));
  });
}

TEST_CASE("label-smoothed cross-entropy with a weight for each row is PyTorch's", "[nn]") {
  with_each_engine([] {
    Reference reference("cross_entropy");
    const Shape shape = reference.file().find("parameters.weight")->shape;
    const ParameterId id = reference.scope().declare("weight", shape, Init::kZeros);
    reference.allocate();
    Context& context = reference.context();
    const Var input = reference.input("input");
    const Var weight = reference.store().var(context, id);
    const std::vector<int32_t> targets = reference.file().integers("targets");
    const double smoothing = std::stod(reference.file().metadata().at("label_smoothing"));
    // The dump's loss is the sum of each row's loss times its output gradient: the row's weight.
    const std::vector<float> losses = reference.file().floats("output");
    const std::vector<float> row_weights = reference.file().floats("output_gradient");
    double expected = 0;
    double scale = 0;
    for (size_t row = 0; row < losses.size(); ++row) {
      const double weighted = static_cast<double>(losses[row]) * row_weights[row];
      expected += weighted;
      scale += std::abs(weighted);
    }
    const auto sums =
        ops::projection_cross_entropy(context, input, weight, targets, smoothing, row_weights);
    CHECK(std::abs(sums.loss - expected) < kOutputTolerance * scale);
    reference.check_gradients();
  });
}

TEST_CASE("R-Drop is PyTorch's", "[nn]") {
  with_each_engine([] {
    Reference reference("r_drop");
    const Shape shape = reference.file().find("parameters.weight")->shape;
    const ParameterId id = reference.scope().declare("weight", shape, Init::kZeros);
    reference.allocate();
    Context& context = reference.context();
    const auto number = [&](const char* name) {
      return std::stod(reference.file().metadata().at(name));
    };
    const Var first = reference.input("first");
    const Var second = reference.input("second");
    const auto sums = ops::projection_r_drop(
        context, first, second, reference.store().var(context, id),
        reference.file().integers("targets"), number("label_smoothing"), number("r_drop"));
    double expected = 0;
    for (const float loss : reference.file().floats("output")) expected += loss;
    CHECK(sums.loss == Approx(expected).epsilon(kOutputTolerance));
    reference.check_gradients(1e-5);
  });
}

}  // namespace
}  // namespace calque
