#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/context.h"
#include "tensor/memory_block.h"
#include "tensor/tensor.h"

namespace calque {

/// What fills a parameter at the start, from random numbers that depend on the seed and the
/// parameter's place alone. Formulas stand in nn/init.h.
enum class Init { kZeros, kOnes, kXavierUniform, kNormal };

/// A named tensor that training changes. Its memory lies in the store's flat blocks.
struct Parameter {
  std::string name;  // "encoder.layers.0.self_attention.query.weight"
  Shape shape;
  int64_t offset = 0;  // in elements, from the start of each block
  Init init = Init::kZeros;
  double spread =
      1;  // of kNormal, the standard deviation; of kXavierUniform, a factor of the bound
};

/// An index into the store; what modules keep.
struct ParameterId {
  int32_t index = -1;
  explicit operator bool() const { return index >= 0; }
};

/// Owns every parameter of a model: one flat block each for values and gradients, so that clipping,
/// the update, averaging and saving are one loop. Modules declare parameters while they are built;
/// `allocate` then makes the memory; after that nothing can be declared. Parameters lie one behind
/// the other without gaps, in the order of their declaration.
class ParameterStore {
 public:
  /// Declares a parameter. Throws InternalError for a name used twice.
  ParameterId declare(std::string name, const Shape& shape, Init init, double spread = 1);

  /// Makes the memory of values and, unless `inference`, of gradients. Values are not set.
  void allocate(bool inference);
  /// Fills all values with their initial random numbers.
  void initialize(uint64_t seed);

  const std::vector<Parameter>& parameters() const { return parameters_; }
  /// Null when there is none of that name.
  const Parameter* find(std::string_view name) const;
  /// Number of elements of all parameters.
  int64_t count() const { return count_; }

  /// All values, and all gradients, as one vector each: [count].
  std::span<Real> values() { return {values_, static_cast<size_t>(count_)}; }
  std::span<const Real> values() const { return {values_, static_cast<size_t>(count_)}; }
  std::span<Real> gradients() { return {gradients_, static_cast<size_t>(count_)}; }
  Tensor value(const Parameter& parameter) const;
  Tensor gradient(const Parameter& parameter) const;

  /// A parameter as the start of a forward pass: a leaf of the tape, or a constant without a tape.
  Var var(Context& context, ParameterId id);
  /// Parameters `first` .. `last`, declared one behind the other, stacked along their rows:
  /// [sum of rows, cols], or [sum of sizes] for vectors.
  Var var(Context& context, ParameterId first, ParameterId last);

  /// Gives the memory of a weight back: its values are not needed any more.
  void discard(MatrixView<const Real> weight);

  /// The next backward pass assigns gradients instead of adding. Called once per update.
  void start_gradients();
  /// Zeroes the gradients that no backward pass has written since `start_gradients`.
  void finish_gradients();

 private:
  std::vector<Parameter> parameters_;
  std::map<std::string, size_t, std::less<>> index_;  // of each name
  std::vector<uint8_t> written_;                      // per parameter: its gradient holds something
  int64_t count_ = 0;
  MemoryBlock value_block_;
  MemoryBlock gradient_block_;
  Real* values_ = nullptr;
  Real* gradients_ = nullptr;
};

/// Declares under a dotted scope: `Scope("encoder").sub("layers").sub(0)`. Also hands out the
/// streams of dropout sites, one after the other, so that a site's numbers depend on the model's
/// structure alone.
class Scope {
 public:
  Scope(ParameterStore& store, uint32_t& next_stream)
      : store_(&store), next_stream_(&next_stream) {}
  Scope sub(std::string_view name) const;
  Scope sub(int64_t index) const;

  ParameterId declare(std::string_view name, const Shape& shape, Init init,
                      double spread = 1) const;
  /// The random stream of a new dropout site.
  uint32_t dropout_stream() const { return (*next_stream_)++; }
  ParameterStore& store() const { return *store_; }

 private:
  ParameterStore* store_;
  uint32_t* next_stream_;
  std::string prefix_;
};

}  // namespace calque
