#include "kernels/gemm.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "base/profile.h"
#include "kernels/elementwise.h"
#include "kernels/gemm_bf16.h"
#include "kernels/gemm_int8.h"
#include "kernels/gemm_libraries.h"
#include "kernels/gemm_packed.h"
#include "kernels/ranges.h"
#include "kernels/reduce.h"
#include "kernels/work.h"

namespace calque::kernels {
namespace {

struct Sizes {
  int64_t m, n, k;
};

template <class T>
Sizes checked_sizes(GemmForm form, ConstMatrixView<T> a, ConstMatrixView<T> b, MatrixView<T> c,
                    bool accumulate, const T* bias) {
  const bool a_transposed = form == GemmForm::kTN;
  const bool b_transposed = form == GemmForm::kNT;
  const int64_t m = a_transposed ? a.cols : a.rows;
  const int64_t n = b_transposed ? b.rows : b.cols;
  const int64_t k = a_transposed ? a.rows : a.cols;
  CALQUE_CHECK(c.rows == m && c.cols == n && (b_transposed ? b.cols : b.rows) == k,
               "product of form {}: a [{}, {}], b [{}, {}], c [{}, {}] do not fit",
               static_cast<int>(form), a.rows, a.cols, b.rows, b.cols, c.rows, c.cols);
  CALQUE_CHECK(bias == nullptr || !accumulate, "a bias goes with a fresh result only");
  return {m, n, k};
}

/// As the profile calls it, after its use in a linear layer y = x W^T.
const char* part_name(GemmForm form) {
  switch (form) {
    case GemmForm::kNT:
      return "gemm: y = x W^T";
    case GemmForm::kNN:
      return "gemm: dx = dy W";
    case GemmForm::kTN:
      return "gemm: dW = dy^T x";
  }
  return "gemm";
}

/// One library call; m, n and k above 0.
template <class T>
void call_engine(GemmForm form, ConstMatrixView<T> a, ConstMatrixView<T> b, MatrixView<T> c,
                 bool accumulate) {
  if constexpr (std::is_same_v<T, float>) {
    if (gemm_engine() == GemmEngine::kOneDnn) return onednn_gemm(form, a, b, c, accumulate);
  }
  eigen_gemm<T>(form, a, b, c, accumulate);
}

/// Writes what the product is added to: the bias, or zeros.
template <class T>
void start_rows(MatrixView<T> c, const T* bias) {
  if (bias == nullptr) return zero_rows(c);
  for (int64_t r = 0; r < c.rows; ++r) std::copy_n(bias, c.cols, c.row(r));
}

/// Whether there is nothing to add up. Then writes what the result starts from.
template <class T>
bool without_sums(const Sizes& sizes, MatrixView<T> c, bool accumulate, const T* bias) {
  if (sizes.k == 0 && !accumulate) start_rows(c, bias);
  return sizes.m == 0 || sizes.n == 0 || sizes.k == 0;
}

/// How a product is cut: `row_tiles` x `col_tiles` tiles of c, the inner size into `parts`.
struct Grid {
  int64_t tile_rows, tile_cols, part_inner;
  int64_t row_tiles, col_tiles, parts;
  int64_t tasks() const { return row_tiles * col_tiles * parts; }
};

/// `size` in equal steps of about `wanted`, each a multiple of 16 (the last may be shorter).
int64_t even_step(int64_t size, int64_t wanted) {
  constexpr int64_t kUnit = 16;
  const int64_t count = pieces(size, wanted);
  return pieces(pieces(size, count), kUnit) * kUnit;
}

/// Halves the larger side of a tile until c has `wanted` tiles or both sides are at `smallest`.
void halve_tile(const Sizes& s, int64_t wanted, int64_t smallest, int64_t& rows, int64_t& cols) {
  while (pieces(s.m, rows) * pieces(s.n, cols) < wanted && (rows > smallest || cols > smallest)) {
    const bool tall = std::min(rows, s.m) >= std::min(cols, s.n);
    ((tall && rows > smallest) || cols <= smallest ? rows : cols) /= 2;
  }
}

/// The grid is a function of the sizes alone. Large tiles keep the library near its peak, many
/// tasks keep many threads busy. So tiles shrink while that costs little; then the inner size is
/// cut, as in a weight's gradient, where it is the tokens (every part is one more pass over c,
/// which is small then); then tiles shrink on.
Grid choose_grid(const Sizes& s) {
  constexpr int64_t kTasks = 32;  // enough for any sensible number of threads
  constexpr int64_t kGoodTile = 256;
  constexpr int64_t kSmallestTile = 128;
  constexpr int64_t kSmallestPart = 512;
  constexpr double kSmallestWork = 1 << 20;  // multiply-adds in a task, about 20 microseconds
  const double work =
      static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k);
  const auto wanted = static_cast<int64_t>(std::clamp<double>(work / kSmallestWork, 1, kTasks));
  int64_t rows = 2 * kGoodTile;
  int64_t cols = 2 * kGoodTile;
  halve_tile(s, wanted, kGoodTile, rows, cols);
  const int64_t parts = std::min(pieces(wanted, pieces(s.m, rows) * pieces(s.n, cols)),
                                 std::max<int64_t>(1, s.k / kSmallestPart));
  halve_tile(s, pieces(wanted, parts), kSmallestTile, rows, cols);
  Grid grid{};
  grid.tile_rows = even_step(s.m, rows);
  grid.tile_cols = even_step(s.n, cols);
  grid.part_inner = even_step(s.k, pieces(s.k, parts));
  grid.row_tiles = pieces(s.m, grid.tile_rows);
  grid.col_tiles = pieces(s.n, grid.tile_cols);
  grid.parts = pieces(s.k, grid.part_inner);
  return grid;
}

template <class T>
ConstMatrixView<T> block(ConstMatrixView<T> x, int64_t row, int64_t rows, int64_t col,
                         int64_t cols) {
  return x.row_range(row, rows).column_range(col, cols);
}

/// One product and how it is cut. Part 0 of the inner size goes straight to c, part p > 0 to the
/// partial result p - 1; `partials` holds [parts - 1, m, n].
template <class T>
struct TiledProduct {
  GemmForm form;
  ConstMatrixView<T> a, b;
  MatrixView<T> c;
  bool accumulate;
  const T* bias;
  Sizes sizes;
  Grid grid;
  T* partials;

  MatrixView<T> target(int64_t part) const {
    if (part == 0) return c;
    return {partials + (part - 1) * sizes.m * sizes.n, sizes.m, sizes.n};
  }

  void run_task(int64_t task) const {
    const int64_t part = task % grid.parts;
    const int64_t tile = task / grid.parts;
    const int64_t row = tile / grid.col_tiles * grid.tile_rows;
    const int64_t col = tile % grid.col_tiles * grid.tile_cols;
    const int64_t inner = part * grid.part_inner;
    const int64_t m = std::min(grid.tile_rows, sizes.m - row);
    const int64_t n = std::min(grid.tile_cols, sizes.n - col);
    const int64_t k = std::min(grid.part_inner, sizes.k - inner);
    const MatrixView<T> out = target(part).row_range(row, m).column_range(col, n);
    const bool with_bias = part == 0 && bias != nullptr;
    if (with_bias) start_rows(out, bias + col);
    call_engine<T>(form,
                   form == GemmForm::kTN ? block(a, inner, k, row, m) : block(a, row, m, inner, k),
                   form == GemmForm::kNT ? block(b, col, n, inner, k) : block(b, inner, k, col, n),
                   out, with_bias || (part == 0 && accumulate));
  }

  /// c += the partial results, in order.
  void add_partials() const {
    for (int64_t part = 1; part < grid.parts; ++part) add_rows<T>(target(part), c);
  }
};

/// Where a product runs: on all threads, or on the calling thread alone.
struct AllThreads {
  Workspace& workspace;
  Arena& arena() const { return workspace.shared(); }
};
struct ThisThread {
  Arena& scratch;
  Arena& arena() const { return scratch; }
};

/// The product by the engine in use; m, n and k above 0.
template <class T>
void multiply(AllThreads place, const Sizes& sizes, ConstMatrixView<T> a,
              const RightOperand<T>& right, MatrixView<T> c, bool accumulate, const T* bias) {
  if (gemm_engine() == GemmEngine::kCalque) {
    return packed_gemm<T>(a, right, c, accumulate, bias, place.workspace);
  }
  const Grid grid = choose_grid(sizes);
  Workspace::Scope scope(place.arena());
  T* const partials =
      grid.parts > 1 ? scope.allocate<T>((grid.parts - 1) * sizes.m * sizes.n) : nullptr;
  const TiledProduct<T> product{right.form, a, right.b, c, accumulate, bias, sizes, grid, partials};
  parallel_for(grid.tasks(), [&](int64_t task, int) { product.run_task(task); });
  if (grid.parts > 1) product.add_partials();
}

template <class T>
void multiply(ThisThread place, const Sizes&, ConstMatrixView<T> a, const RightOperand<T>& right,
              MatrixView<T> c, bool accumulate, const T* bias) {
  if (gemm_engine() == GemmEngine::kCalque) {
    return packed_gemm_in_task<T>(a, right, c, accumulate, bias, place.scratch);
  }
  if (bias != nullptr) start_rows(c, bias);
  call_engine<T>(right.form, a, right.b, c, accumulate || bias != nullptr);
}

/// What multiplies the operands as bfloat16 numbers, rounded or in parts, or kFloat32 where floats
/// are multiplied as they are.
Bfloat16Unit unit_of(const RightOperand<float>& right) {
  if (right.precision == Precision::kBfloat16) return bfloat16_unit();
  const bool by_amx = right.is_packed()
                          ? right.bf16_panels != nullptr
                          : gemm_engine() == GemmEngine::kCalque && right.unit == Float32Unit::kAmx;
  return by_amx && right.precision == Precision::kFloat32 ? Bfloat16Unit::kAmx
                                                          : Bfloat16Unit::kFloat32;
}

/// The product by AMX or AVX512_BF16.
void multiply_bf16(AllThreads place, Bfloat16Unit unit, ConstMatrixView<float> a,
                   const RightOperand<float>& right, MatrixView<float> c, bool accumulate,
                   const float* bias) {
  bf16_gemm(unit, a, right, c, accumulate, bias, place.workspace);
}

void multiply_bf16(ThisThread place, Bfloat16Unit unit, ConstMatrixView<float> a,
                   const RightOperand<float>& right, MatrixView<float> c, bool accumulate,
                   const float* bias) {
  bf16_gemm_in_task(unit, a, right, c, accumulate, bias, place.scratch);
}

void multiply_int8(AllThreads place, ConstMatrixView<float> a, const RightOperand<float>& right,
                   MatrixView<float> c, const float* bias) {
  int8_gemm(a, right, c, bias, place.workspace);
}

void multiply_int8(ThisThread place, ConstMatrixView<float> a, const RightOperand<float>& right,
                   MatrixView<float> c, const float* bias) {
  int8_gemm_in_task(a, right, c, bias, place.scratch);
}

template <class T>
void round_rows(AllThreads, ConstMatrixView<T> from, MatrixView<T> to) {
  parallel_rows(from.rows, from.cols, [&](int64_t begin, int64_t end, int) {
    round_to_bfloat16<T>(from.row_range(begin, end - begin), to.row_range(begin, end - begin));
  });
}

template <class T>
void round_rows(ThisThread, ConstMatrixView<T> from, MatrixView<T> to) {
  round_to_bfloat16<T>(from, to);
}

/// The product in the precision that is wanted; m, n and k above 0.
template <class T, class Place>
void multiply_in_precision(Place place, const Sizes& sizes, ConstMatrixView<T> a,
                           const RightOperand<T>& right, MatrixView<T> c, bool accumulate,
                           const T* bias) {
  CALQUE_CHECK(right.precision != Precision::kInt8 || (right.int8 != nullptr && !accumulate),
               "an int8 product of a weight that was not prepared, or added to something");
  if constexpr (std::is_same_v<T, float>) {
    if (right.int8 != nullptr) return multiply_int8(place, a, right, c, bias);
    const Bfloat16Unit unit = unit_of(right);
    if (unit != Bfloat16Unit::kFloat32) {
      return multiply_bf16(place, unit, a, right, c, accumulate, bias);
    }
  }
  if (right.precision == Precision::kFloat32) {
    return multiply<T>(place, sizes, a, right, c, accumulate, bias);
  }
  Workspace::Scope scope(place.arena());
  const auto rounded = [&](ConstMatrixView<T> x) {
    const MatrixView<T> copy{scope.allocate<T>(x.rows * x.cols), x.rows, x.cols};
    round_rows<T>(place, x, copy);
    return copy;
  };
  multiply<T>(place, sizes, rounded(a), {right.form, rounded(right.b)}, c, accumulate, bias);
}

}  // namespace

template <class T>
RightOperand<T> prepare_right(GemmForm form, ConstMatrixView<T> b, Precision precision,
                              Arena& arena, Float32Unit unit) {
  RightOperand<T> right{form, b, precision, unit};
  const bool by_own_engine = gemm_engine() == GemmEngine::kCalque && b.rows > 0 && b.cols > 0;
  if (!by_own_engine && precision != Precision::kInt8) return right;
  const ProfileScope profile("gemm packing");
  if constexpr (std::is_same_v<T, float>) {
    if (precision == Precision::kInt8) {
      right.int8 = int8_panels(right, arena);
      return right;
    }
    if (unit_of(right) != Bfloat16Unit::kFloat32) {
      right.bf16_panels = bf16_panels(right, arena);
      return right;
    }
  }
  if (precision == Precision::kFloat32) right.panels = packed_panels(right, arena);
  return right;
}

int64_t prepared_bytes(Precision precision, Float32Unit unit) {
  if (precision == Precision::kInt8) return 1;
  if (gemm_engine() != GemmEngine::kCalque) return 0;
  const Bfloat16Unit in_parts = unit_of({GemmForm::kNT, {}, precision, unit});
  if (precision == Precision::kBfloat16) return in_parts == Bfloat16Unit::kFloat32 ? 0 : 2;
  return in_parts == Bfloat16Unit::kFloat32 ? 4 : 6;
}

template <class T>
void gemm(ConstMatrixView<T> a, const RightOperand<T>& right, MatrixView<T> c, bool accumulate,
          Workspace& workspace, const T* bias) {
  const Sizes sizes = checked_sizes(right.form, a, right.b, c, accumulate, bias);
  const ProfileScope profile(part_name(right.form),
                             [&] { return work::gemm<T>(sizes.m, sizes.n, sizes.k, accumulate); });
  if (without_sums(sizes, c, accumulate, bias)) return;
  multiply_in_precision<T>(AllThreads{workspace}, sizes, a, right, c, accumulate, bias);
}

template <class T>
void weight_gradient(ConstMatrixView<T> dy, ConstMatrixView<T> x, MatrixView<T> dweight,
                     bool accumulate_weight, T* dbias, bool accumulate_bias, Workspace& workspace,
                     Precision precision) {
  const RightOperand<T> right{GemmForm::kTN, x, precision};
  const Sizes sizes = checked_sizes<T>(right.form, dy, x, dweight, accumulate_weight, nullptr);
  Bfloat16Unit unit = Bfloat16Unit::kFloat32;
  if constexpr (std::is_same_v<T, float>) unit = unit_of(right);
  const bool in_one_pass = gemm_engine() == GemmEngine::kCalque &&
                           (unit != Bfloat16Unit::kFloat32 || precision == Precision::kFloat32);
  if (in_one_pass && sizes.m > 0 && sizes.n > 0 && sizes.k > 0) {
    const ProfileScope profile(part_name(right.form), [&] {
      return work::gemm<T>(sizes.m, sizes.n, sizes.k, accumulate_weight);
    });
    if constexpr (std::is_same_v<T, float>) {
      if (unit != Bfloat16Unit::kFloat32) {
        return bf16_weight_gradient(unit, precision, dy, x, dweight, accumulate_weight, dbias,
                                    accumulate_bias, workspace);
      }
    }
    return packed_weight_gradient(dy, x, dweight, accumulate_weight, dbias, accumulate_bias,
                                  workspace);
  }
  gemm<T>(dy, right, dweight, accumulate_weight, workspace);
  if (dbias != nullptr) column_sums(dy, dbias, accumulate_bias, workspace);
}

template <class T>
void gemm_in_task(ConstMatrixView<T> a, const RightOperand<T>& right, MatrixView<T> c,
                  bool accumulate, Arena& scratch, const T* bias) {
  const Sizes sizes = checked_sizes(right.form, a, right.b, c, accumulate, bias);
  if (without_sums(sizes, c, accumulate, bias)) return;
  multiply_in_precision<T>(ThisThread{scratch}, sizes, a, right, c, accumulate, bias);
}

#define CALQUE_INSTANTIATE(T)                                                                     \
  template RightOperand<T> prepare_right(GemmForm, ConstMatrixView<T>, Precision, Arena&,         \
                                         Float32Unit);                                            \
  template void gemm(ConstMatrixView<T>, const RightOperand<T>&, MatrixView<T>, bool, Workspace&, \
                     const T*);                                                                   \
  template void weight_gradient(ConstMatrixView<T>, ConstMatrixView<T>, MatrixView<T>, bool, T*,  \
                                bool, Workspace&, Precision);                                     \
  template void gemm_in_task(ConstMatrixView<T>, const RightOperand<T>&, MatrixView<T>, bool,     \
                             Arena&, const T*);
CALQUE_INSTANTIATE(float)
CALQUE_INSTANTIATE(double)
#undef CALQUE_INSTANTIATE

}  // namespace calque::kernels
