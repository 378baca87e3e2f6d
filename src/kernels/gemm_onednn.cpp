#include "base/error.h"
#include "kernels/gemm_libraries.h"

#ifdef CALQUE_ONEDNN
#include <dnnl.h>
#endif

namespace calque::kernels {

#ifdef CALQUE_ONEDNN

bool onednn_available() { return true; }

std::string onednn_version() {
  const dnnl_version_t* const version = dnnl_version();
  return fmt::format("{}.{}.{}", version->major, version->minor, version->patch);
}

void onednn_gemm(GemmForm form, ConstMatrixView<float> a, ConstMatrixView<float> b,
                 MatrixView<float> c, bool accumulate) {
  const int64_t inner = form == GemmForm::kTN ? a.rows : a.cols;
  const dnnl_status_t status = dnnl_sgemm(
      form == GemmForm::kTN ? 'T' : 'N', form == GemmForm::kNT ? 'T' : 'N', c.rows, c.cols, inner,
      1.0f, a.data, a.stride, b.data, b.stride, accumulate ? 1.0f : 0.0f, c.data, c.stride);
  CALQUE_CHECK(status == dnnl_success, "dnnl_sgemm({} x {} x {}) returned {}", c.rows, c.cols,
               inner, static_cast<int>(status));
}

#else

bool onednn_available() { return false; }

std::string onednn_version() { return {}; }

void onednn_gemm(GemmForm, ConstMatrixView<float>, ConstMatrixView<float>, MatrixView<float>,
                 bool) {
  CALQUE_CHECK(false, "this binary was built without oneDNN");
}

#endif

}  // namespace calque::kernels
