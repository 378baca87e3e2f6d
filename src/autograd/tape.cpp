#include "autograd/tape.h"

#include <algorithm>

#include "base/error.h"
#include "kernels/elementwise.h"

namespace calque {

Var Tape::output(const Tensor& value) {
  slots_.push_back({value.shape, {}, {}, false});
  return {value, static_cast<int32_t>(slots_.size()) - 1};
}

Var Tape::leaf(const Tensor& value, const Tensor& gradient, std::span<uint8_t> written) {
  CALQUE_CHECK(value.shape == gradient.shape, "value {} and gradient {}", value.shape.to_string(),
               gradient.shape.to_string());
  CALQUE_CHECK(!written.empty(), "a leaf needs a flag");
  slots_.push_back({value.shape, gradient, written, true});
  return {value, static_cast<int32_t>(slots_.size()) - 1};
}

void Tape::backward() {
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    Slot& output = slots_[static_cast<size_t>(entry->slot)];
    if (!output.gradient) continue;
    entry->call(*entry, *this, workspace_);
    release(slots_[static_cast<size_t>(entry->slot)]);
  }
}

void Tape::reset() {
  for (Slot& slot : slots_) release(slot);
  entries_.clear();
  slots_.clear();
}

Tensor Tape::gradient(const Var& y) const {
  CALQUE_CHECK(y.needs_gradient(), "the gradient of a constant");
  return slot(y).gradient;
}

GradientTarget Tape::target(const Var& x) {
  if (!x.needs_gradient()) return {};
  Slot& s = slot(x);
  if (s.leaf) {
    const uint8_t before = s.written.front();
    for (uint8_t& flag : s.written) {
      CALQUE_CHECK(flag == before, "parameters side by side must get their gradients together");
      flag = 1;
    }
    return {s.gradient, before != 0};
  }
  if (!s.gradient) {
    s.gradient = gradients_.allocate(s.shape);
    return {s.gradient, false};
  }
  if (gradients_.holders(s.gradient) > 1) {  // borrowed from another Var: write to a copy
    const Tensor own = gradients_.allocate(s.shape);
    kernels::copy<Real>(s.gradient.values(), own.values());
    gradients_.release(s.gradient);
    s.gradient = own;
  }
  return {s.gradient, true};
}

GradientTarget Tape::target_over(const Var& y, const Var& x) {
  const Tensor dy = slot(y).gradient;
  if (!x.needs_gradient() || slot(x).leaf || slot(x).gradient || slot(x).shape != dy.shape ||
      gradients_.holders(dy) > 1) {
    return target(x);
  }
  gradients_.share(dy);
  slot(x).gradient = dy;
  return {dy, false};
}

void Tape::pass_gradient(const Var& y, const Var& x) {
  if (!x.needs_gradient()) return;
  Slot& to = slot(x);
  const Tensor dy = slot(y).gradient;
  CALQUE_CHECK(to.shape == dy.shape, "a gradient of shape {} for a Var of shape {}",
               dy.shape.to_string(), to.shape.to_string());
  if (!to.leaf && !to.gradient) {
    gradients_.share(dy);
    to.gradient = dy;
    return;
  }
  const GradientTarget dx = target(x);
  if (dx.accumulate) {
    kernels::add_to<Real>(dy.values(), dx.tensor.values());
  } else {
    kernels::copy<Real>(dy.values(), dx.tensor.values());
  }
}

void Tape::release(Slot& slot) {
  if (!slot.leaf && slot.gradient) {
    gradients_.release(slot.gradient);
    slot.gradient = {};
  }
}

}  // namespace calque
