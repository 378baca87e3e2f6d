// Some small Transformers against PyTorch: what scripts/reference/make_transformer_dump.py computed
// in double must come out in float, with each engine.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "checkpoint/safetensors.h"
#include "model/transformer.h"
#include "optim/adam.h"
#include "support/catch.h"
#include "support/each_engine.h"
#include "support/parameter_difference.h"
#include "support/random_values.h"

namespace calque {
namespace {

const std::filesystem::path kFolder =
    std::filesystem::path(CALQUE_SOURCE_DIR) / "tests/fixtures/transformer";

/// A dump, and the model, batch and optimizer that it describes.
class Reference {
 public:
  explicit Reference(const std::string& name)
      : file_(kFolder / (name + ".safetensors")),
        source_(file_.integers("source.ids")),
        target_input_(file_.integers("target.input_ids")),
        target_output_(file_.integers("target.output_ids")) {
    for (const int32_t length : file_.integers("source.lengths")) source_layout_.append(length);
    for (const int32_t length : file_.integers("target.lengths")) target_layout_.append(length);
  }

  TrainingExample example() const {
    return {source_, source_layout_.view(), target_input_, target_output_, target_layout_.view()};
  }
  double label_smoothing() const { return number("label_smoothing"); }
  double learning_rate() const { return number("learning_rate"); }
  int64_t target_tokens() const { return static_cast<int64_t>(target_output_.size()); }
  std::vector<float> floats(const std::string& name) const { return file_.floats(name); }

  /// The numbers of `group` (parameters, gradients, adam10) for one parameter after another.
  test::ExpectedNumbers expected(const std::string& group) const {
    return [this, group](const Parameter& parameter) {
      return file_.floats(group + "." + parameter.name);
    };
  }

  Transformer model() const {
    TransformerOptions options;
    options.model = integer("model");
    options.heads = integer("heads");
    options.hidden = integer("hidden");
    options.encoder_layers = integer("encoder_layers");
    options.decoder_layers = integer("decoder_layers");
    options.norm =
        std::map<std::string, NormPlace>{
            {"pre", NormPlace::kPre}, {"post", NormPlace::kPost}, {"deep", NormPlace::kDeep}}
            .at(text("norm"));
    options.norm_kind = text("norm_kind") == "rms" ? NormKind::kRms : NormKind::kLayer;
    options.activation = activation();
    options.tied_embeddings = text("tied") == "all" ? Tying::kAll : Tying::kNone;
    options.embedding_dropout = options.residual_dropout = 0;
    Transformer model(options, integer("vocab"), integer("vocab"), /*inference=*/false);
    for (const Parameter& parameter : model.parameters().parameters()) {
      const StoredTensor* stored = file_.find("parameters." + parameter.name);
      REQUIRE(stored != nullptr);
      REQUIRE(stored->shape == parameter.shape);
      copy_values(*stored, model.parameters().value(parameter).values());
    }
    return model;
  }

  OptimizerOptions optimizer() const {
    OptimizerOptions options;
    options.kind = text("optimizer") == "adamw" ? OptimizerKind::kAdamW : OptimizerKind::kAdam;
    options.beta1 = number("beta1");
    options.beta2 = number("beta2");
    options.epsilon = number("adam_epsilon");
    options.weight_decay = number("weight_decay");
    return options;
  }

  /// How many parameters the dump has.
  int64_t parameters() const {
    int64_t count = 0;
    for (const StoredTensor& tensor : file_.tensors()) {
      if (tensor.name.starts_with("parameters.")) ++count;
    }
    return count;
  }

 private:
  SafetensorsFile file_;
  std::vector<int32_t> source_, target_input_, target_output_;
  SequenceLayoutBuffer source_layout_, target_layout_;

  kernels::Activation activation() const {
    using enum kernels::Activation;
    return std::map<std::string, kernels::Activation>{
        {"relu", kRelu}, {"gelu", kGelu}, {"swiglu", kSwiglu}}
        .at(text("activation"));
  }
  const std::string& text(const std::string& key) const { return file_.metadata().at(key); }
  int64_t integer(const std::string& key) const { return std::stoll(text(key)); }
  double number(const std::string& key) const { return std::stod(text(key)); }
};

struct Machine {
  Arena arena;
  Workspace workspace{8};
  Tape tape{arena, workspace};
};

/// One forward and backward pass; leaves the gradients in the model and returns the loss.
double train_once(Machine& m, Transformer& model, const Reference& reference) {
  m.tape.reset();
  m.arena.reset();
  Context context(m.arena, m.workspace, m.tape, 1, 0);
  model.parameters().start_gradients();
  const double loss = model.loss(context, reference.example(), reference.label_smoothing()).loss;
  m.tape.backward();
  model.parameters().finish_gradients();
  return loss;
}

TEST_CASE("logits, loss and gradients are PyTorch's", "[model]") {
  const Reference reference(GENERATE("pre_norm", "post_norm", "rms_swiglu", "deep_norm"));
  test::with_each_engine([&] {
    Machine m;
    Transformer model = reference.model();
    CHECK(static_cast<int64_t>(model.parameters().parameters().size()) == reference.parameters());

    Context context(m.arena, m.workspace);
    const TrainingExample example = reference.example();
    const Var memory = model.encode(context, example.source, example.source_layout);
    const Var x = model.decode(context, example.target_input, example.target_layout, memory,
                               example.source_layout);
    CHECK(test::relative_difference(model.logits(context, x).value.values(),
                                    reference.floats("logits")) < 1e-5);

    const double loss = train_once(m, model, reference);
    CHECK(loss == Approx(reference.floats("loss")[0]).epsilon(1e-6));
    const auto worst =
        test::worst_gradient_difference(model.parameters(), reference.expected("gradients"));
    INFO(worst.name);
    CHECK(worst.value < 1e-4);
  });
}

TEST_CASE("ten Adam steps are PyTorch's", "[model]") {
  const Reference reference(GENERATE("pre_norm", "post_norm", "rms_swiglu", "deep_norm"));
  const std::vector<float> losses = reference.floats("adam10.losses");
  test::with_each_engine([&] {
    Machine m;
    Transformer model = reference.model();
    Adam adam(reference.optimizer(), model.parameters().count());
    for (const float loss : losses) {
      CHECK(train_once(m, model, reference) == Approx(loss).epsilon(1e-5));
      adam.update(model.parameters(), reference.learning_rate(),
                  1 / static_cast<double>(reference.target_tokens()));
    }
    CHECK(adam.steps() == 10);
    const auto worst =
        test::worst_value_difference(model.parameters(), reference.expected("adam10"));
    INFO(worst.name);
    CHECK(worst.value < 1e-4);
  });
}

}  // namespace
}  // namespace calque
