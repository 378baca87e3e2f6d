#pragma once

#include <cstdint>
#include <span>

namespace calque::kernels {

/// The numbers of one Adam update (Kingma and Ba 2015; with decoupled weight decay: Loshchilov and
/// Hutter 2019).
struct AdamStep {
  int64_t step = 1;             // counts from 1; for the bias corrections
  double learning_rate = 1e-3;  // of this step
  double beta1 = 0.9;
  double beta2 = 0.98;
  double epsilon = 1e-9;
  double weight_decay = 0;
  /// true: AdamW, values shrink by learning_rate weight_decay; false: Adam with L2, weight_decay
  /// values is added to the gradient.
  bool decoupled = false;
  /// Every gradient is multiplied by it first: the division by target tokens and the clipping.
  double gradient_scale = 1;
};

/// One pass over memory: m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
/// values -= learning_rate (m / (1 - beta1^step)) / (sqrt(v / (1 - beta2^step)) + epsilon)
/// (as torch.optim.Adam). All spans are of one size.
template <class T>
void adam_update(const AdamStep& step, std::span<const T> gradients, std::span<T> values,
                 std::span<T> first_moments, std::span<T> second_moments);

}  // namespace calque::kernels
