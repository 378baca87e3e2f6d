#include "kernels/activation.h"

#include <algorithm>
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

/// 1 / (1 + exp(-u)), both parts with their full relative precision: neither is a difference.
struct Sigmoid {
  template <class T>
  struct Parts {
    Vec<T> value;
    Vec<T> rest;  // 1 - value

    explicit Parts(Vec<T> u) {
      const Vec<T> small = simd::exp(u < T{0} ? u : -u);
      const Vec<T> larger_part = T{1} / (T{1} + small);
      const Vec<T> smaller_part = small * larger_part;
      value = u < T{0} ? smaller_part : larger_part;
      rest = u < T{0} ? larger_part : smaller_part;
    }
  };
  template <class T>
  static Vec<T> value(Vec<T> u) {
    return Parts<T>(u).value;
  }
  template <class T>
  static Vec<T> slope(Vec<T> u) {
    const Parts<T> parts(u);
    return parts.value * parts.rest;
  }
};

struct Swish {
  template <class T>
  static Vec<T> value(Vec<T> u) {
    return u * Sigmoid::value<T>(u);
  }
  template <class T>
  static Vec<T> slope(Vec<T> u) {
    const Sigmoid::Parts<T> sigmoid(u);
    return sigmoid.value * (T{1} + u * sigmoid.rest);
  }
};

/// Access to memory a whole vector at a time.
template <class T>
struct WholeVector {
  static Vec<T> load(const T* from) { return simd::load(from); }
  static void store(Vec<T> v, T* to) { simd::store<T>(v, to); }
};

/// The same for the `count` elements at the end of a row that fill no vector.
template <class T>
struct PartOfVector {
  int64_t count;
  Vec<T> load(const T* from) const { return simd::load_part(from, count, T{0}); }
  void store(Vec<T> v, T* to) const { simd::store_part<T>(v, to, count); }
};

/// body(i, lanes) for each vector of `count` elements, from element i on; `lanes` loads and stores.
template <class T, class Body>
void for_each_vector(int64_t count, const Body& body) {
  const int64_t whole = count / simd::kLanes<T> * simd::kLanes<T>;
  for (int64_t i = 0; i < whole; i += simd::kLanes<T>) body(i, WholeVector<T>());
  if (whole < count) body(whole, PartOfVector<T>{count - whole});
}

/// values[i] *= function(u[i]).
template <class T, class Function>
void multiply_by(const Function& function, const T* u, int64_t count, T* values) {
  for_each_vector<T>(count, [&](int64_t i, const auto& lanes) {
    lanes.store(lanes.load(values + i) * function(lanes.load(u + i)), values + i);
  });
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

template <class Gate, class T>
void gated_forward(ConstMatrixView<T> u, const Dropout& dropout, MatrixView<T> y) {
  parallel_rows(u.rows, u.cols, [&](int64_t begin_row, int64_t end_row, int) {
    for (int64_t r = begin_row; r < end_row; ++r) {
      for_each_dropout_chunk<T>(dropout, r, y.cols, [&](int64_t begin, int64_t count, T* factors) {
        const T* const gate = u.row(r) + begin;
        const T* const input = gate + y.cols;
        T* const y_row = y.row(r) + begin;
        for_each_vector<T>(count, [&](int64_t i, const auto& lanes) {
          const Vec<T> open =
              lanes.load(factors + i) * Gate::template value<T>(lanes.load(gate + i));
          lanes.store(open * lanes.load(input + i), y_row + i);
        });
      });
    }
  });
}

/// dgate = dropout(dy) input Gate'(gate); dinput = dropout(dy) Gate(gate).
template <class Gate, class T>
void gated_backward(ConstMatrixView<T> u, const Dropout& dropout, ConstMatrixView<T> dy,
                    MatrixView<T> du, bool accumulate) {
  parallel_rows(u.rows, u.cols, [&](int64_t begin_row, int64_t end_row, int) {
    for (int64_t r = begin_row; r < end_row; ++r) {
      for_each_dropout_chunk<T>(dropout, r, dy.cols, [&](int64_t begin, int64_t count, T* factors) {
        const T* const gate = u.row(r) + begin;
        const T* const input = gate + dy.cols;
        const T* const dy_row = dy.row(r) + begin;
        T* const dgate = du.row(r) + begin;
        T* const dinput = dgate + dy.cols;
        for_each_vector<T>(count, [&](int64_t i, const auto& lanes) {
          const Vec<T> g = lanes.load(gate + i);
          const Vec<T> d = lanes.load(factors + i) * lanes.load(dy_row + i);
          Vec<T> gate_gradient = d * lanes.load(input + i) * Gate::template slope<T>(g);
          Vec<T> input_gradient = d * Gate::template value<T>(g);
          if (accumulate) {
            gate_gradient += lanes.load(dgate + i);
            input_gradient += lanes.load(dinput + i);
          }
          lanes.store(gate_gradient, dgate + i);
          lanes.store(input_gradient, dinput + i);
        });
      });
    }
  });
}

/// Whether u has the shape that a y of this kind is made of.
template <class T>
bool fits(Activation kind, ConstMatrixView<T> u, ConstMatrixView<T> y) {
  return u.rows == y.rows && u.cols == activation_inputs(kind) * y.cols;
}

}  // namespace

template <class T>
void activation_forward(Activation kind, ConstMatrixView<T> u, const Dropout& dropout,
                        MatrixView<T> y) {
  CALQUE_CHECK(fits<T>(kind, u, y), "[{}, {}] into [{}, {}]", u.rows, u.cols, y.rows, y.cols);
  switch (kind) {
    case Activation::kRelu:
      return forward<Relu>(u, dropout, y);
    case Activation::kGelu:
      return forward<Gelu>(u, dropout, y);
    case Activation::kSwish:
      return forward<Swish>(u, dropout, y);
    case Activation::kGlu:
      return gated_forward<Sigmoid>(u, dropout, y);
    case Activation::kGeglu:
      return gated_forward<Gelu>(u, dropout, y);
    case Activation::kSwiglu:
      return gated_forward<Swish>(u, dropout, y);
  }
}

template <class T>
void activation_backward(Activation kind, ConstMatrixView<T> u, const Dropout& dropout,
                         ConstMatrixView<T> dy, MatrixView<T> du, bool accumulate) {
  CALQUE_CHECK(fits<T>(kind, u, dy) && fits<T>(kind, du, dy),
               "u [{}, {}], dy [{}, {}], du [{}, {}]", u.rows, u.cols, dy.rows, dy.cols, du.rows,
               du.cols);
  switch (kind) {
    case Activation::kRelu:
      return backward<Relu>(u, dropout, dy, du, accumulate);
    case Activation::kGelu:
      return backward<Gelu>(u, dropout, dy, du, accumulate);
    case Activation::kSwish:
      return backward<Swish>(u, dropout, dy, du, accumulate);
    case Activation::kGlu:
      return gated_backward<Sigmoid>(u, dropout, dy, du, accumulate);
    case Activation::kGeglu:
      return gated_backward<Gelu>(u, dropout, dy, du, accumulate);
    case Activation::kSwiglu:
      return gated_backward<Swish>(u, dropout, dy, du, accumulate);
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
