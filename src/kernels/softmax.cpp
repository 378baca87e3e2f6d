#include "kernels/softmax.h"

#include <cmath>

#include "base/parallel.h"
#include "kernels/row_math.h"

namespace calque::kernels {

template <class T>
void log_softmax(MatrixView<T> x) {
  parallel_rows(x.rows, x.cols, [&](int64_t begin, int64_t end, int) {
    for (int64_t r = begin; r < end; ++r) {
      T* const row = x.row(r);
      const T highest = row_max(row, x.cols);
      const double sum = sum_of_exp(row, x.cols, highest);
      const T log_sum = highest + static_cast<T>(std::log(sum));
      for (int64_t c = 0; c < x.cols; ++c) row[c] -= log_sum;
    }
  });
}

template void log_softmax(MatrixView<float>);
template void log_softmax(MatrixView<double>);

}  // namespace calque::kernels
