#include "support/parameter_difference.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "support/random_values.h"

namespace calque::test {
namespace {

double largest(std::span<const Real> values) {
  double result = 0;
  for (const Real value : values) result = std::max(result, std::abs(static_cast<double>(value)));
  return result;
}

void take(ParameterDifference& worst, const Parameter& parameter, double value) {
  if (!(value <= worst.value)) worst = {parameter.name, value};  // also takes NaN
}

}  // namespace

bool is_key_bias(const ParameterStore& store, const Parameter& parameter) {
  constexpr std::string_view kName = "key.bias";
  if (!parameter.name.ends_with(kName)) return false;
  const std::string layer = parameter.name.substr(0, parameter.name.size() - kName.size());
  return store.find(layer + "energy.weight") == nullptr;
}

ParameterDifference worst_gradient_difference(const ParameterStore& store,
                                              const ExpectedNumbers& expected) {
  ParameterDifference worst;
  for (const Parameter& parameter : store.parameters()) {
    const Tensor gradient = store.gradient(parameter);
    if (!is_key_bias(store, parameter)) {
      take(worst, parameter, relative_difference(gradient.values(), expected(parameter)));
      continue;
    }
    const std::string layer = parameter.name.substr(0, parameter.name.size() - 4);
    const Parameter* weight = store.find(layer + "weight");
    CALQUE_CHECK(weight != nullptr, "{} has no weight beside it", parameter.name);
    std::vector<Real> difference = expected(parameter);
    for (size_t i = 0; i < difference.size(); ++i) difference[i] -= gradient.values()[i];
    take(worst, parameter, largest(difference) / largest(expected(*weight)));
  }
  return worst;
}

ParameterDifference worst_value_difference(const ParameterStore& store,
                                           const ExpectedNumbers& expected) {
  ParameterDifference worst;
  for (const Parameter& parameter : store.parameters()) {
    if (is_key_bias(store, parameter)) continue;
    take(worst, parameter,
         relative_difference(store.value(parameter).values(), expected(parameter)));
  }
  return worst;
}

}  // namespace calque::test
