#include "kernels/bfloat16.h"

#include "base/parallel.h"

namespace calque::kernels {

template <class T>
void round_to_bfloat16(ConstMatrixView<T> x, MatrixView<T> to) {
  parallel_rows(x.rows, x.cols, [&](int64_t begin, int64_t end, int) {
    for (int64_t r = begin; r < end; ++r) {
      for (int64_t j = 0; j < x.cols; ++j) {
        to.row(r)[j] = static_cast<T>(to_float(to_bfloat16(static_cast<float>(x.row(r)[j]))));
      }
    }
  });
}

template void round_to_bfloat16(ConstMatrixView<float>, MatrixView<float>);
template void round_to_bfloat16(ConstMatrixView<double>, MatrixView<double>);

}  // namespace calque::kernels
