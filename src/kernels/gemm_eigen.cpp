// GCC takes the undefined registers in its own AVX-512 intrinsics for uninitialised variables.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#include <fmt/format.h>

#include <Eigen/Core>

#include "kernels/gemm_libraries.h"

namespace calque::kernels {
namespace {

template <class T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class T>
Eigen::Map<const Matrix<T>, Eigen::Unaligned, Eigen::OuterStride<>> map(ConstMatrixView<T> x) {
  return {x.data, x.rows, x.cols, Eigen::OuterStride<>(x.stride)};
}

template <class T, class Product>
void store(const Product& product, MatrixView<T> c, bool accumulate) {
  Eigen::Map<Matrix<T>, Eigen::Unaligned, Eigen::OuterStride<>> target(
      c.data, c.rows, c.cols, Eigen::OuterStride<>(c.stride));
  if (accumulate) {
    target.noalias() += product;
  } else {
    target.noalias() = product;
  }
}

}  // namespace

std::string eigen_version() {
  return fmt::format("{}.{}.{}", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION);
}

template <class T>
void eigen_gemm(GemmForm form, ConstMatrixView<T> a, ConstMatrixView<T> b, MatrixView<T> c,
                bool accumulate) {
  switch (form) {
    case GemmForm::kNN:
      return store<T>(map<T>(a) * map<T>(b), c, accumulate);
    case GemmForm::kNT:
      return store<T>(map<T>(a) * map<T>(b).transpose(), c, accumulate);
    case GemmForm::kTN:
      return store<T>(map<T>(a).transpose() * map<T>(b), c, accumulate);
  }
}

template void eigen_gemm(GemmForm, ConstMatrixView<float>, ConstMatrixView<float>,
                         MatrixView<float>, bool);
template void eigen_gemm(GemmForm, ConstMatrixView<double>, ConstMatrixView<double>,
                         MatrixView<double>, bool);

}  // namespace calque::kernels
