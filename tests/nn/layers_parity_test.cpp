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
  explicit Reference(const std::string& name, const std::string& folder = "layers")
      : file_(std::filesystem::path(CALQUE_SOURCE_DIR) / "tests/fixtures" / folder /
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
  void check_gradients() {
    tape_.backward();
    for (const Input& input : inputs_) {
      INFO(input.name);
      CHECK(test::relative_difference(input.gradient, file_.floats(input.name + "_gradient")) <
            kGradientTolerance);
    }
    const auto worst = test::worst_gradient_difference(store_, [this](const Parameter& parameter) {
      return file_.floats("gradients." + parameter.name);
    });
    INFO(worst.name);
    CHECK(worst.value < kGradientTolerance);
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

TEST_CASE("self-attention that knows of positions is PyTorch's", "[nn]") {
  const auto [name, positions] =
      GENERATE(table<std::string, Positions>({{"rotary", Positions::kRotary},
                                              {"alibi", Positions::kAlibi},
                                              {"relative", Positions::kRelative}}));
  with_each_engine([&name = name, positions = positions] {
    Reference reference("attention_" + name);
    const MultiHeadAttention attention(reference.scope(), kModel, reference.heads(), 0, {},
                                       {positions, /*max_distance=*/2});
    reference.allocate();
    reference.check(attention.self(reference.context(), reference.input("input"),
                                   reference.layout("lengths"), /*causal=*/false));
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

/// The kinds of scripts/reference/make_attention_dump.py.
kernels::AttentionOptions kind_of(const std::string& name) {
  using namespace kernels;
  AttentionOptions kind;
  if (name == "dot") kind.score = AttentionScore::kDot;
  if (name == "general" || name == "predictive") kind.score = AttentionScore::kGeneral;
  if (name == "additive" || name == "mixed") kind.score = AttentionScore::kAdditive;
  if (name == "sparsemax") kind.normalizer = AttentionNormalizer::kSparsemax;
  if (name == "entmax15" || name == "mixed") kind.normalizer = AttentionNormalizer::kEntmax15;
  if (name == "strided") kind.scope = AttentionScope::kStrided;
  if (name == "monotonic") kind.scope = AttentionScope::kMonotonic;
  if (name == "predictive" || name == "mixed") kind.scope = AttentionScope::kPredictive;
  if (name.starts_with("local")) kind.scope = AttentionScope::kLocal;
  kind.window = name == "local" || name == "monotonic" ? 1 : 2;
  kind.global_tokens = name == "local" ? 1 : 0;
  return kind;
}

TEST_CASE("each kind of self-attention is what it is by its definition", "[nn]") {
  const auto [name, causal] = GENERATE(table<std::string, bool>({{"general", true},
                                                                 {"sparsemax", false},
                                                                 {"entmax15", true},
                                                                 {"local", false},
                                                                 {"local_causal", true},
                                                                 {"strided", true}}));
  Reference reference(name, "attention");
  const MultiHeadAttention attention(reference.scope(), kModel, reference.heads(), 0,
                                     kind_of(name));
  reference.allocate();
  reference.check(attention.self(reference.context(), reference.input("input"),
                                 reference.layout("lengths"), causal));
}

TEST_CASE("each kind of cross-attention is what it is by its definition", "[nn]") {
  const std::string name = GENERATE("dot", "additive", "monotonic", "predictive", "mixed");
  Reference reference(name, "attention");
  const MultiHeadAttention attention(reference.scope(), kModel, reference.heads(), 0,
                                     kind_of(name));
  reference.allocate();
  const Var input = reference.input("input");
  const Var memory = attention.project_memory(reference.context(), reference.input("memory"));
  reference.check(attention.cross(reference.context(), input, reference.layout("lengths"), memory,
                                  reference.layout("memory_lengths")));
}

TEST_CASE("attention with fewer heads of keys and values is PyTorch's", "[nn]") {
  with_each_engine([] {
    Reference grouped("attention_grouped");
    const MultiHeadAttention self(grouped.scope(), kModel, grouped.heads(), 0,
                                  {.key_value_heads = 2});
    grouped.allocate();
    grouped.check(self.self(grouped.context(), grouped.input("input"), grouped.layout("lengths"),
                            /*causal=*/true));

    Reference multi_query("attention_multi_query");
    const MultiHeadAttention cross(multi_query.scope(), kModel, multi_query.heads(), 0,
                                   {.key_value_heads = 1});
    multi_query.allocate();
    const Var input = multi_query.input("input");
    const Var memory = cross.project_memory(multi_query.context(), multi_query.input("memory"));
    CHECK(memory.cols() == 2 * kModel / multi_query.heads());
    multi_query.check(cross.cross(multi_query.context(), input, multi_query.layout("lengths"),
                                  memory, multi_query.layout("memory_lengths")));
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

}  // namespace
}  // namespace calque
