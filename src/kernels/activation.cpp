#include "kernels/activation.h"

#include <cmath>
#include <numbers>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/simd.h"

namespace calque::kernels {
namespace {

using simd::Vec;

/// The standard normal distribution at u.
template <class T>
struct Normal {
  Vec<T> density;
  Vec<T> cumulative;
};

/// With t = 1 / (1 + 0.4 |u| / sqrt(2)) the upper tail exp(u^2 / 2) (1 - Phi(|u|)) is t times a
/// smooth function of t in (0, 1]. The polynomial is our Chebyshev fit of degree 10 to that
/// function, off by 6e-9 at most; in float Phi is then good to 3e-7. Where u < 0 it is no
/// difference, so it keeps the relative precision of the exponential, which serves density and tail
/// alike.
inline void evaluate(Vec<float> u, Normal<float>& normal) {
  constexpr float kCoefficients[] = {-0.01493431424f, 0.07192053464f,  -0.1215208659f,
                                     0.07340162284f,  -0.02689658316f, 0.04356032082f,
                                     0.05904756151f,  0.08594528596f,  0.1038003602f,
                                     0.1128381585f,   0.1128379157f};
  constexpr float kSlope = 0.4f / std::numbers::sqrt2_v<float>;
  const Vec<float> t = 1.0f / (1.0f + kSlope * (u < 0.0f ? -u : u));
  Vec<float> polynomial{};
  for (const float coefficient : kCoefficients) polynomial = polynomial * t + coefficient;
  const Vec<float> bell = simd::exp(-0.5f * u * u);
  const Vec<float> tail = bell * t * polynomial;
  constexpr float kInverseRootTwoPi = 0.398942280f;
  normal.density = kInverseRootTwoPi * bell;
  normal.cumulative = u < 0.0f ? tail : 1.0f - tail;
}

inline void evaluate(Vec<double> u, Normal<double>& normal) {
  constexpr double kInverseRootTwoPi =
      std::numbers::inv_sqrtpi_v<double> / std::numbers::sqrt2_v<double>;
  for (int64_t i = 0; i < simd::kLanes<double>; ++i) {
    normal.density[i] = kInverseRootTwoPi * std::exp(-0.5 * u[i] * u[i]);
    normal.cumulative[i] = 0.5 * std::erfc(-u[i] / std::numbers::sqrt2_v<double>);
  }
}

/// NaN stays NaN, so that a diverged run shows.
struct Relu {
  template <class T>
  static Vec<T> value(Vec<T> u) {
    return u < T{0} ? Vec<T>{} : u;
  }
  template <class T>
  static Vec<T> slope(Vec<T> u) {
    return u > T{0} ? simd::broadcast(T{1}) : Vec<T>{};
  }
};

struct Gelu {
  template <class T>
  static Vec<T> value(Vec<T> u) {
    Normal<T> normal;
    evaluate(u, normal);
    return u * normal.cumulative;
  }
  template <class T>
  static Vec<T> slope(Vec<T> u) {
    Normal<T> normal;
    evaluate(u, normal);
    return normal.cumulative + u * normal.density;
  }
};

struct Swish {
  /// Both of them with their full relative precision: neither is a difference.
  template <class T>
  struct Sigmoid {
    Vec<T> value;
    Vec<T> rest;  // 1 - value

    explicit Sigmoid(Vec<T> u) {
      const Vec<T> small = simd::exp(u < T{0} ? u : -u);
      const Vec<T> larger_part = T{1} / (T{1} + small);
      const Vec<T> smaller_part = small * larger_part;
      value = u < T{0} ? smaller_part : larger_part;
      rest = u < T{0} ? larger_part : smaller_part;
    }
  };
  template <class T>
  static Vec<T> value(Vec<T> u) {
    return u * Sigmoid<T>(u).value;
  }
  template <class T>
  static Vec<T> slope(Vec<T> u) {
    const Sigmoid<T> sigmoid(u);
    return sigmoid.value * (T{1} + u * sigmoid.rest);
  }
};

/// values[i] *= function(u[i]), a vector at a time.
template <class T, class Function>
void multiply_by(const Function& function, const T* u, int64_t count, T* values) {
  const int64_t whole = count / simd::kLanes<T> * simd::kLanes<T>;
  for (int64_t i = 0; i < whole; i += simd::kLanes<T>) {
    simd::store<T>(simd::load(values + i) * function(simd::load(u + i)), values + i);
  }
  if (whole < count) {
    const int64_t rest = count - whole;
    const Vec<T> factor = simd::load_part(values + whole, rest, T{0});
    const Vec<T> result = factor * function(simd::load_part(u + whole, rest, T{0}));
    simd::store_part<T>(result, values + whole, rest);
  }
}

template <class Kind, class T>
void forward(ConstMatrixView<T> u, const Dropout& dropout, MatrixView<T> y) {
  parallel_rows(u.rows, u.cols, [&](int64_t begin_row, int64_t end_row, int) {
    for (int64_t r = begin_row; r < end_row; ++r) {
      for_each_dropout_chunk<T>(dropout, r, u.cols, [&](int64_t begin, int64_t count, T* values) {
        multiply_by([](Vec<T> v) { return Kind::template value<T>(v); }, u.row(r) + begin, count,
                    values);
        std::copy_n(values, count, y.row(r) + begin);
      });
    }
  });
}

template <class Kind, class T>
void backward(ConstMatrixView<T> u, const Dropout& dropout, ConstMatrixView<T> dy, MatrixView<T> du,
              bool accumulate) {
  parallel_rows(u.rows, u.cols, [&](int64_t begin_row, int64_t end_row, int) {
    for (int64_t r = begin_row; r < end_row; ++r) {
      for_each_dropout_chunk<T>(dropout, r, u.cols, [&](int64_t begin, int64_t count, T* values) {
        multiply_by([](Vec<T> v) { return Kind::template slope<T>(v); }, u.row(r) + begin, count,
                    values);
        const T* const dy_row = dy.row(r) + begin;
        T* const du_row = du.row(r) + begin;
        for (int64_t i = 0; i < count; ++i) values[i] *= dy_row[i];
        if (accumulate) {
          for (int64_t i = 0; i < count; ++i) values[i] += du_row[i];
        }
        std::copy_n(values, count, du_row);
      });
    }
  });
}

}  // namespace

template <class T>
void activation_forward(Activation kind, ConstMatrixView<T> u, const Dropout& dropout,
                        MatrixView<T> y) {
  CALQUE_CHECK(u.rows == y.rows && u.cols == y.cols, "[{}, {}] into [{}, {}]", u.rows, u.cols,
               y.rows, y.cols);
  switch (kind) {
    case Activation::kRelu:
      return forward<Relu>(u, dropout, y);
    case Activation::kGelu:
      return forward<Gelu>(u, dropout, y);
    case Activation::kSwish:
      return forward<Swish>(u, dropout, y);
  }
}

template <class T>
void activation_backward(Activation kind, ConstMatrixView<T> u, const Dropout& dropout,
                         ConstMatrixView<T> dy, MatrixView<T> du, bool accumulate) {
  CALQUE_CHECK(u.rows == dy.rows && u.cols == dy.cols && u.rows == du.rows && u.cols == du.cols,
               "u [{}, {}], dy [{}, {}], du [{}, {}]", u.rows, u.cols, dy.rows, dy.cols, du.rows,
               du.cols);
  switch (kind) {
    case Activation::kRelu:
      return backward<Relu>(u, dropout, dy, du, accumulate);
    case Activation::kGelu:
      return backward<Gelu>(u, dropout, dy, du, accumulate);
    case Activation::kSwish:
      return backward<Swish>(u, dropout, dy, du, accumulate);
  }
}

#define CALQUE_INSTANTIATE(T)                                                                      \
  template void activation_forward(Activation, ConstMatrixView<T>, const Dropout&, MatrixView<T>); \
  template void activation_backward(Activation, ConstMatrixView<T>, const Dropout&,                \
                                    ConstMatrixView<T>, MatrixView<T>, bool);
CALQUE_INSTANTIATE(float)
CALQUE_INSTANTIATE(double)
#undef CALQUE_INSTANTIATE

}  // namespace calque::kernels
