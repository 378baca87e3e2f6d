#include "kernels/prepared_weights.h"

#include <algorithm>

#include "base/error.h"

namespace calque::kernels {

template <class T>
RightOperand<T> PreparedWeights<T>::right(GemmForm form, ConstMatrixView<T> weight) {
  CALQUE_CHECK(!on_packed_ || form == GemmForm::kNT,
               "a weight is wanted for a gradient that may be packed for the forward pass alone");
  const auto known = std::find_if(operands_.begin(), operands_.end(), [&](const auto& operand) {
    return operand.form == form && operand.b.data == weight.data && operand.b.rows == weight.rows &&
           operand.b.cols == weight.cols && operand.b.stride == weight.stride;
  });
  if (known != operands_.end()) return *known;
  const RightOperand<T>& operand =
      operands_.emplace_back(prepare_right(form, weight, precision_, arena_, unit_));
  if (on_packed_ && operand.is_packed()) on_packed_(weight);
  return operand;
}

template <class T>
void PreparedWeights<T>::forget() {
  CALQUE_CHECK(!on_packed_, "packed weights that nobody else may have are to be forgotten");
  operands_.clear();
  arena_.reset();
}

template <class T>
void PreparedWeights<T>::use(Float32Unit unit) {
  forget();
  unit_ = unit;
}

template class PreparedWeights<float>;
template class PreparedWeights<double>;

}  // namespace calque::kernels
