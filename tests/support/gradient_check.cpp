#include "support/gradient_check.h"

#include <algorithm>
#include <cmath>

#include "tensor/memory_block.h"

namespace calque::test {
namespace {

/// One evaluation of a loss and, with a tape, its gradients.
class Evaluation {
 public:
  Evaluation(std::vector<RandomTensor>& inputs, const Loss& loss, uint64_t seed)
      : inputs_(inputs), loss_(loss), seed_(seed), workspace_(8) {}

  double value() {
    arena_.reset();
    Context context(arena_, workspace_);
    context.training = true;  // dropout draws the same numbers every time
    context.seed = seed_;
    std::vector<Var> vars;
    for (RandomTensor& input : inputs_) vars.emplace_back(input.tensor());
    return loss_(context, vars);
  }

  /// Gradients of the inputs whose bit in `wanted` is set; the others are constants.
  std::vector<std::vector<Real>> gradients(unsigned wanted) {
    arena_.reset();
    Tape tape(arena_, workspace_);
    Context context(arena_, workspace_, tape, seed_, 0);
    std::vector<std::vector<Real>> result;
    for (RandomTensor& input : inputs_) {
      result.emplace_back(input.values().size(), std::nan(""));
    }
    std::vector<uint8_t> written(inputs_.size(), 0);
    std::vector<Var> vars;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const Tensor value = inputs_[i].tensor();
      vars.push_back((wanted >> i & 1) == 0 ? Var(value)
                                            : tape.leaf(value, {result[i].data(), value.shape},
                                                        std::span(written).subspan(i, 1)));
    }
    loss_(context, vars);
    tape.backward();
    tape.reset();
    return result;
  }

 private:
  std::vector<RandomTensor>& inputs_;
  const Loss& loss_;
  uint64_t seed_;
  Arena arena_;
  Workspace workspace_;
};

}  // namespace

std::vector<Real> numeric_gradient(std::span<Real> parameters, const std::function<double()>& value,
                                   double step) {
  std::vector<Real> gradient(parameters.size());
  for (size_t i = 0; i < parameters.size(); ++i) {
    const Real before = parameters[i];
    const auto at = [&](double steps) {
      parameters[i] = static_cast<Real>(static_cast<double>(before) + steps * step);
      return value();
    };
    const double near = at(1) - at(-1);
    const double far = at(2) - at(-2);
    parameters[i] = before;
    gradient[i] = static_cast<Real>((8 * near - far) / (12 * step));
  }
  return gradient;
}

double worst_loss_gradient_error(const std::vector<Shape>& shapes, const Loss& loss,
                                 uint64_t seed) {
  set_poisoning(true);
  std::vector<RandomTensor> inputs;
  for (size_t i = 0; i < shapes.size(); ++i) inputs.emplace_back(shapes[i], seed + i);
  Evaluation evaluation(inputs, loss, seed);
  std::vector<std::vector<Real>> expected;
  for (RandomTensor& input : inputs) {
    expected.push_back(numeric_gradient(input.values(), [&] { return evaluation.value(); }));
  }
  double worst = 0;
  for (unsigned wanted = 0; wanted < 1u << shapes.size(); ++wanted) {
    const auto gradients = evaluation.gradients(wanted);
    for (size_t i = 0; i < inputs.size(); ++i) {
      if ((wanted >> i & 1) == 0) continue;
      const double error = relative_difference(gradients[i], expected[i]);
      if (!(error <= worst)) worst = error;  // also takes NaN
    }
  }
  set_poisoning(false);
  return worst;
}

double worst_gradient_error(const std::vector<Shape>& shapes, const Forward& forward,
                            uint64_t seed) {
  const Loss weighted_sum = [&](Context& context, std::span<const Var> inputs) {
    const Var output = forward(context, inputs);
    RandomTensor weights(output.value.shape, seed + 1000);
    if (output.needs_gradient()) {
      const GradientTarget target = context.tape->target(output);
      std::copy(weights.values().begin(), weights.values().end(), target.tensor.data);
    }
    double sum = 0;
    for (size_t i = 0; i < weights.values().size(); ++i) {
      sum += static_cast<double>(weights.values()[i]) * static_cast<double>(output.value.data[i]);
    }
    return sum;
  };
  return worst_loss_gradient_error(shapes, weighted_sum, seed);
}

}  // namespace calque::test
