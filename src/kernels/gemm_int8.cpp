#include "kernels/gemm_int8.h"

#include <bit>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/micro_kernel_int8.h"
#include "kernels/ranges.h"
#include "kernels/simd.h"

namespace calque::kernels {
namespace {

constexpr int32_t kLargest = 127;
constexpr int64_t kLongestInner = 65536;       // sums of 255 * 127 stay in 32 bits
constexpr int64_t kRangeTiles = 16;            // row tiles of a task, at most
constexpr int64_t kCached = int64_t{1} << 20;  // bytes of a task's panels, in the second cache

Int8Unit& current_unit() {
  static Int8Unit unit = int8_units().front();
  return unit;
}

/// Calls `body` with the unit in use.
template <class Body>
auto with_unit(const Body& body) {
#ifdef CALQUE_VNNI
  if (current_unit() == Int8Unit::kVnni) return body(int8::Vnni());
#endif
  return body(int8::Wide());
}

float largest_magnitude(const float* x, int64_t count) {
  using simd::Vec;
  Vec<float> largest{};
  int64_t i = 0;
  for (; i + simd::kLanes<float> <= count; i += simd::kLanes<float>) {
    const Vec<float> v = simd::load(x + i);
    largest = simd::max<float>(largest, simd::max<float>(v, -v));
  }
  float result = simd::max_lane<float>(largest);
  for (; i < count; ++i) result = std::max(result, std::abs(x[i]));
  return result;
}

/// to[i] = x[i] / scale, rounded to the nearest integer, of two the even one, + shift; returns the
/// scale. Behind the row stand `count`'s zeros up to `padded`.
template <class Q>
float quantise(const float* x, int64_t count, int32_t shift, Q* to, int64_t padded) {
  // In a float of this size the last bit counts ones.
  constexpr float kOnes = 12582912.0f;
  constexpr auto kBits = std::bit_cast<int32_t>(kOnes);
  const float largest = largest_magnitude(x, count);
  const float scale = largest / kLargest;
  const float inverse = largest > 0 ? kLargest / largest : 0;
  for (int64_t i = 0; i < count; ++i) {
    to[i] = static_cast<Q>(std::bit_cast<int32_t>(x[i] * inverse + kOnes) - kBits + shift);
  }
  std::fill(to + count, to + padded, static_cast<Q>(shift));
  return scale;
}

template <class Unit>
int64_t padded_inner(int64_t k) {
  return pieces(k, Unit::kGroup) * Unit::kGroup;
}

/// c = addend + the scaled sums of a tile.
struct Scaling {
  const float* row_scales;
  const float* col_scales;
  const int32_t* offsets;
  const float* bias;  // or null

  template <class Unit>
  void apply(const int32_t* sums, MatrixView<float> c) const {
    for (int64_t r = 0; r < c.rows; ++r) {
      const int32_t* const row = sums + r * Unit::kCols;
      if (c.cols == Unit::kCols) [[likely]] {
        apply_to_row(row_scales[r], row, Unit::kCols, c.row(r));
      } else {
        apply_to_row(row_scales[r], row, c.cols, c.row(r));
      }
    }
  }

 private:
  [[gnu::always_inline]] void apply_to_row(float scale, const int32_t* __restrict row, int64_t cols,
                                           float* __restrict to) const {
    for (int64_t j = 0; j < cols; ++j) {
      to[j] = static_cast<float>(row[j] - offsets[j]) * (scale * col_scales[j]);
    }
    if (bias == nullptr) return;
    for (int64_t j = 0; j < cols; ++j) to[j] += bias[j];
  }
};

/// A tile of `rows` <= Rows rows.
template <class Unit, int Rows>
void multiply_rows(int64_t rows, int64_t groups, const typename Unit::Left* left,
                   const typename Unit::Right* panel, int32_t* sums) {
  if constexpr (Rows > 1) {
    if (rows < Rows) return multiply_rows<Unit, Rows - 1>(rows, groups, left, panel, sums);
  }
  Unit::template multiply<Rows>(groups, left, groups * Unit::kGroup, panel, sums);
}

/// A product, cut into tasks: ranges of row tiles times ranges of panels. No bit depends on it.
template <class Unit>
struct Product {
  ConstMatrixView<float> a;
  const Int8Panels& right;
  MatrixView<float> c;
  const float* bias;
  Ranges row_tiles, panels;

  Product(ConstMatrixView<float> left, const Int8Panels& r, MatrixView<float> out, const float* b,
          int workers)
      : a(left),
        right(r),
        c(out),
        bias(b),
        row_tiles{pieces(c.rows, Unit::kRows), 1},
        panels{
            pieces(c.cols, Unit::kCols),
            pieces(c.cols * a.cols * static_cast<int64_t>(sizeof(typename Unit::Right)), kCached)} {
    row_tiles.count =
        std::max(std::min<int64_t>(row_tiles.size, workers), pieces(row_tiles.size, kRangeTiles));
    const int64_t wanted = pieces(workers, row_tiles.count);
    panels.count = std::min(panels.size, std::max(wanted, panels.count));
  }
  int64_t tasks() const { return row_tiles.count * panels.count; }

  void run_task(int64_t task, Arena& scratch) const {
    const int64_t range = task / panels.count;
    const int64_t first_row = row_tiles.begin(range) * Unit::kRows;
    const int64_t rows = std::min(c.rows, row_tiles.begin(range + 1) * Unit::kRows) - first_row;
    const int64_t inner = padded_inner<Unit>(a.cols);
    Workspace::Scope scope(scratch);
    auto* const left = scope.allocate<typename Unit::Left>(rows * inner);
    float* const row_scales = scope.allocate<float>(rows);
    int32_t* const sums = scope.allocate<int32_t>(int64_t{Unit::kRows} * Unit::kCols);
    for (int64_t r = 0; r < rows; ++r) {
      row_scales[r] = quantise(a.row(first_row + r), a.cols, Unit::kShift, left + r * inner, inner);
    }
    const int64_t column = task % panels.count;
    const auto* const packed = static_cast<const typename Unit::Right*>(right.panels);
    for (int64_t panel = panels.begin(column); panel < panels.begin(column + 1); ++panel) {
      const int64_t col = panel * Unit::kCols;
      const int64_t cols = std::min<int64_t>(Unit::kCols, c.cols - col);
      for (int64_t r = 0; r < rows; r += Unit::kRows) {
        const int64_t tile_rows = std::min<int64_t>(Unit::kRows, rows - r);
        multiply_rows<Unit, Unit::kRows>(tile_rows, inner / Unit::kGroup, left + r * inner,
                                         packed + col * inner, sums);
        const Scaling scaling{row_scales + r, right.scales + col, right.offsets + col,
                              bias == nullptr ? nullptr : bias + col};
        scaling.template apply<Unit>(sums,
                                     c.row_range(first_row + r, tile_rows).column_range(col, cols));
      }
    }
  }
};

/// Row r of b, quantised, into its column of the panels.
template <class Unit>
void pack_row(ConstMatrixView<float> b, int64_t r, typename Unit::Right* panels, float* scale,
              int32_t* offset, int32_t* quantised) {
  const int64_t inner = padded_inner<Unit>(b.cols);
  *scale = quantise(b.row(r), b.cols, 0, quantised, inner);
  auto* const column =
      panels + r / Unit::kCols * Unit::kCols * inner + r % Unit::kCols * Unit::kGroup;
  int32_t sum = 0;
  for (int64_t p = 0; p < inner; ++p) {
    sum += quantised[p];
    column[p / Unit::kGroup * Unit::kCols * Unit::kGroup + p % Unit::kGroup] =
        static_cast<typename Unit::Right>(quantised[p]);
  }
  *offset = Unit::kShift * sum;
}

template <class Unit>
const Int8Panels* pack(ConstMatrixView<float> b, Arena& arena) {
  const int64_t inner = padded_inner<Unit>(b.cols);
  const int64_t size = pieces(b.rows, Unit::kCols) * Unit::kCols * inner;
  auto* const panels = arena.allocate<typename Unit::Right>(size);
  float* const scales = arena.allocate<float>(b.rows);
  int32_t* const offsets = arena.allocate<int32_t>(b.rows);
  auto* const result = arena.allocate<Int8Panels>(1);
  *result = {panels, scales, offsets};
  const Arena::Scope scope(arena);
  int32_t* const quantised = arena.allocate<int32_t>(threads() * inner);
  std::fill_n(panels, size, typename Unit::Right{0});
  parallel_for(b.rows, [&](int64_t r, int worker) {
    pack_row<Unit>(b, r, panels, scales + r, offsets + r, quantised + worker * inner);
  });
  return result;
}

}  // namespace

std::vector<Int8Unit> int8_units() {
#ifdef CALQUE_VNNI
  return {Int8Unit::kVnni, Int8Unit::kWide};
#else
  return {Int8Unit::kWide};
#endif
}

Int8Unit int8_unit() { return current_unit(); }

void set_int8_unit(Int8Unit unit) { current_unit() = unit; }

const Int8Panels* int8_panels(const RightOperand<float>& right, Arena& arena) {
  CALQUE_CHECK(right.form == GemmForm::kNT && right.b.cols <= kLongestInner,
               "an int8 product needs form kNT and an inner size of at most {}, not {}",
               kLongestInner, right.b.cols);
  return with_unit([&]<class Unit>(Unit) { return pack<Unit>(right.b, arena); });
}

void int8_gemm(ConstMatrixView<float> a, const RightOperand<float>& right, MatrixView<float> c,
               const float* bias, Workspace& workspace) {
  with_unit([&]<class Unit>(Unit) {
    const Product<Unit> product(a, *right.int8, c, bias, threads());
    parallel_for(product.tasks(), [&](int64_t task, int worker) {
      product.run_task(task, workspace.worker(worker));
    });
  });
}

void int8_gemm_in_task(ConstMatrixView<float> a, const RightOperand<float>& right,
                       MatrixView<float> c, const float* bias, Arena& scratch) {
  with_unit([&]<class Unit>(Unit) {
    const Product<Unit> product(a, *right.int8, c, bias, 1);
    for (int64_t task = 0; task < product.tasks(); ++task) product.run_task(task, scratch);
  });
}

}  // namespace calque::kernels
