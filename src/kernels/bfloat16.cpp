#include "kernels/bfloat16.h"

namespace calque::kernels {

template <class T>
void round_to_bfloat16(ConstMatrixView<T> x, MatrixView<T> to) {
  for (int64_t r = 0; r < x.rows; ++r) {
    for (int64_t c = 0; c < x.cols; ++c) {
      to.row(r)[c] = static_cast<T>(to_float(to_bfloat16(static_cast<float>(x.row(r)[c]))));
    }
  }
}

template void round_to_bfloat16(ConstMatrixView<float>, MatrixView<float>);
template void round_to_bfloat16(ConstMatrixView<double>, MatrixView<double>);

}  // namespace calque::kernels
