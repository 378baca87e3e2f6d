#include "optim/adam.h"

#include "base/error.h"
#include "kernels/adam.h"
#include "kernels/elementwise.h"

namespace calque {

Adam::Adam(const OptimizerOptions& options, int64_t count)
    : options_(options),
      count_(static_cast<size_t>(count)),
      first_block_(count_ * sizeof(Real)),
      second_block_(count_ * sizeof(Real)),
      first_(reinterpret_cast<Real*>(first_block_.data())),
      second_(reinterpret_cast<Real*>(second_block_.data())) {
  kernels::fill<Real>(first_moments(), 0);
  kernels::fill<Real>(second_moments(), 0);
}

void Adam::update(ParameterStore& store, double learning_rate, double gradient_scale) {
  CALQUE_CHECK(store.values().size() == count_, "{} moments for {} values", count_,
               store.values().size());
  kernels::AdamStep step;
  step.step = ++steps_;
  step.learning_rate = learning_rate;
  step.beta1 = options_.beta1;
  step.beta2 = options_.beta2;
  step.epsilon = options_.epsilon;
  step.weight_decay = options_.weight_decay;
  step.decoupled = options_.kind == OptimizerKind::kAdamW;
  step.gradient_scale = gradient_scale;
  kernels::adam_update<Real>(step, store.gradients(), store.values(), first_moments(),
                             second_moments());
}

}  // namespace calque
