#pragma once

#include "kernels/gemm.h"

namespace calque::kernels {

/// One product c = op(a) op(b), or c +=, as one library call on the calling thread. The shapes were
/// checked by the caller; m, n and k are all above 0.
template <class T>
void eigen_gemm(GemmForm form, ConstMatrixView<T> a, ConstMatrixView<T> b, MatrixView<T> c,
                bool accumulate);

/// "3.4.0": of the headers it was built with.
std::string eigen_version();

/// True where oneDNN was found when building.
bool onednn_available();
/// "2.6.3": of the library that is loaded. Only where it is available.
std::string onednn_version();
/// As eigen_gemm, by dnnl_sgemm. Only where it is available.
void onednn_gemm(GemmForm form, ConstMatrixView<float> a, ConstMatrixView<float> b,
                 MatrixView<float> c, bool accumulate);

}  // namespace calque::kernels
