#include "nn/parameter.h"

#include <algorithm>

#include "kernels/elementwise.h"
#include "nn/init.h"

namespace calque {

ParameterId ParameterStore::declare(std::string name, const Shape& shape, Init init,
                                    double spread) {
  CALQUE_CHECK(values_ == nullptr, "{} is declared after the memory was made", name);
  const bool is_new = index_.emplace(name, parameters_.size()).second;
  CALQUE_CHECK(is_new, "two parameters are called {}", name);
  parameters_.push_back({std::move(name), shape, count_, init, spread});
  count_ += shape.count();
  return {static_cast<int32_t>(parameters_.size()) - 1};
}

void ParameterStore::allocate(bool inference) {
  const size_t bytes = static_cast<size_t>(count_) * sizeof(Real);
  value_block_ = MemoryBlock(bytes);
  values_ = reinterpret_cast<Real*>(value_block_.data());
  if (!inference) {
    gradient_block_ = MemoryBlock(bytes);
    gradients_ = reinterpret_cast<Real*>(gradient_block_.data());
  }
  written_.assign(parameters_.size(), 0);
}

void ParameterStore::initialize(uint64_t seed) {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const RandomKey key{seed, static_cast<uint32_t>(i), streams::kInit};
    fill_initial_values(parameters_[i].init, parameters_[i].spread, key, value(parameters_[i]));
  }
}

const Parameter* ParameterStore::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &parameters_[found->second];
}

Tensor ParameterStore::value(const Parameter& parameter) const {
  return {values_ + parameter.offset, parameter.shape};
}

Tensor ParameterStore::gradient(const Parameter& parameter) const {
  CALQUE_CHECK(gradients_ != nullptr, "a store for inference has no gradients");
  return {gradients_ + parameter.offset, parameter.shape};
}

Var ParameterStore::var(Context& context, ParameterId id) { return var(context, id, id); }

Var ParameterStore::var(Context& context, ParameterId first, ParameterId last) {
  const Parameter& begin = parameters_[static_cast<size_t>(first.index)];
  const Parameter& end = parameters_[static_cast<size_t>(last.index)];
  const int64_t elements = end.offset + end.shape.count() - begin.offset;
  Shape shape = begin.shape;
  if (first.index != last.index) {
    shape = begin.shape.rank() == 1 ? Shape{elements}
                                    : Shape{elements / begin.shape[-1], begin.shape[-1]};
  }
  const Tensor value{values_ + begin.offset, shape};
  if (context.tape == nullptr) return Var(value);
  CALQUE_CHECK(gradients_ != nullptr, "a store for inference has no gradients");
  const auto count = static_cast<size_t>(last.index - first.index + 1);
  return context.tape->leaf(value, {gradients_ + begin.offset, shape},
                            std::span(written_).subspan(static_cast<size_t>(first.index), count));
}

void ParameterStore::discard(MatrixView<const Real> weight) {
  const std::ptrdiff_t offset = weight.data - values_;
  const int64_t size = weight.rows * weight.cols;
  CALQUE_CHECK(offset >= 0 && offset + size <= count_ && weight.stride == weight.cols,
               "a weight that is none of the store's");
  calque::discard(values_ + offset, static_cast<size_t>(size) * sizeof(Real));
}

void ParameterStore::start_gradients() { std::fill(written_.begin(), written_.end(), 0); }

void ParameterStore::finish_gradients() {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (written_[i] == 0) kernels::fill<Real>(gradient(parameters_[i]).values(), 0);
    written_[i] = 1;
  }
}

Scope Scope::sub(std::string_view name) const {
  Scope inner = *this;
  inner.prefix_ += name;
  inner.prefix_ += '.';
  return inner;
}

Scope Scope::sub(int64_t index) const { return sub(std::to_string(index)); }

ParameterId Scope::declare(std::string_view name, const Shape& shape, Init init,
                           double spread) const {
  return store_->declare(prefix_ + std::string(name), shape, init, spread);
}

}  // namespace calque
