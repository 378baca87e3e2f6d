#include "kernels/gemm_packed.h"

#include <algorithm>
#include <cstring>

#include "base/parallel.h"
#include "kernels/micro_kernel.h"
#include "kernels/ranges.h"
#include "kernels/token_halves.h"

// The product as GotoBLAS does it (Goto and van de Geijn 2008): the right operand is packed into
// panels as wide as a register tile, the left one into blocks that stay in the first cache, and the
// micro-kernel runs over both.

namespace calque::kernels {
namespace {

constexpr int64_t kInner = 512;   // of a block: rows of a tile stay in the first cache
constexpr int64_t kTokens = 128;  // of a block, where the inner index is the token (kTN)
constexpr int64_t kCached = int64_t{1} << 17;  // elements of op(a) or op(b) in the second cache

/// Rows of op(a): row r and inner index p are at data + r * row_step + p * inner_step. Where a is
/// transposed the compiler knows that rows are neighbours.
template <class T, bool Transposed>
struct LeftRows {
  const T* data;
  int64_t stride;
  int64_t row_step() const { return Transposed ? 1 : stride; }
  int64_t inner_step() const { return Transposed ? stride : 1; }
  LeftRows from_row(int64_t row) const { return {data + row * row_step(), stride}; }
};

/// One tile of `rows` <= Rows rows of c, at `c`, `cols` columns wide: the rows of op(a) times a
/// panel.
template <int Rows, class T, bool Transposed>
void multiply_rows(int64_t rows, int64_t cols, int64_t k, LeftRows<T, Transposed> left,
                   const T* panel, Addend<T> addend, T* c, int64_t c_stride) {
  if constexpr (Rows > 1) {
    if (rows < Rows) {
      return multiply_rows<Rows - 1>(rows, cols, k, left, panel, addend, c, c_stride);
    }
  }
  if (addend.stride != 0) {
    for (int r = 0; r < Rows; ++r) {
      for (int v = 0; v < kTileVectors; ++v) {
        __builtin_prefetch(addend.data + r * addend.stride + v * simd::kLanes<T>);
      }
    }
  }
  simd::Vec<T> sums[Rows][kTileVectors];
  multiply_tile<Rows, kTileVectors, false, Transposed>(
      k, left.data, left.row_step(), left.inner_step(), panel, kTileCols<T>, kTileCols<T>, sums);
  if (cols == kTileCols<T>) [[likely]] {
    store_tile<Rows, kTileVectors, false>(sums, addend, c, c_stride, cols);
  } else {
    store_tile<Rows, kTileVectors, true>(sums, addend, c, c_stride, cols);
  }
}

/// c = the rows of op(a) times neighbouring panels, `panel_step` apart, + addend.
template <class T, bool Transposed>
void multiply_block(int64_t k, LeftRows<T, Transposed> left, const T* panels, int64_t panel_step,
                    Addend<T> addend, MatrixView<T> c) {
  for (int64_t row = 0; row < c.rows; row += kTileRows) {
    const int64_t rows = std::min<int64_t>(kTileRows, c.rows - row);
    for (int64_t col = 0; col < c.cols; col += kTileCols<T>) {
      multiply_rows<kTileRows>(rows, std::min(kTileCols<T>, c.cols - col), k, left.from_row(row),
                               panels + col / kTileCols<T> * panel_step, addend.from(row, col),
                               c.row(row) + col, c.stride);
    }
  }
}

/// The columns of b as panels `panel_step` apart, the last filled up with zeros.
template <class T>
void pack_columns(ConstMatrixView<T> b, T* panels, int64_t panel_step) {
  constexpr int64_t kCols = kTileCols<T>;
  for (int64_t p = 0; p < b.rows; ++p) {
    const T* from = b.row(p);
    T* to = panels + p * kCols;
    int64_t left = b.cols;
    for (; left >= kCols; left -= kCols, from += kCols, to += panel_step) {
      std::memcpy(to, from, kCols * sizeof(T));
    }
    if (left > 0) std::fill(std::copy_n(from, left, to), to + kCols, T(0));
  }
}

/// The panel of b^T that holds b's rows [row, row + kTileCols), those behind the last as zeros.
template <class T>
void pack_transposed_panel(ConstMatrixView<T> b, int64_t row, T* panel) {
  constexpr int64_t kLanes = simd::kLanes<T>;
  constexpr int64_t kCols = kTileCols<T>;
  for (int64_t j = 0; j < kCols; j += kLanes) {
    const int64_t rows = std::clamp<int64_t>(b.rows - row - j, 0, kLanes);
    const T* const from = b.data + (row + j) * b.stride;
    int64_t p = 0;
    for (; rows == kLanes && p + kLanes <= b.cols; p += kLanes) {
      simd::Vec<T> square[kLanes];
      for (int64_t r = 0; r < kLanes; ++r) square[r] = simd::load(from + r * b.stride + p);
      simd::transpose<T>(square);
      for (int64_t r = 0; r < kLanes; ++r) simd::store<T>(square[r], panel + (p + r) * kCols + j);
    }
    for (; p < b.cols; ++p) {
      T* const to = panel + p * kCols + j;
      for (int64_t r = 0; r < rows; ++r) to[r] = from[r * b.stride + p];
      std::fill(to + rows, to + kLanes, T(0));
    }
  }
}

/// `c` = the rows `a` times panels that are k * kTileCols elements apart, + start.
template <class T>
void multiply_range(ConstMatrixView<T> a, const T* panels, MatrixView<T> c, Addend<T> start,
                    Arena& scratch) {
  const int64_t row_step = std::min(kInner, a.cols) + 16;
  // Rows at a distance of whole pages would fight for the same few lines of the first cache.
  const bool copy = a.stride * static_cast<int64_t>(sizeof(T)) % 2048 == 0;
  Workspace::Scope scope(scratch);
  T* const rows = copy ? scope.allocate<T>(a.rows * row_step) : nullptr;
  for (int64_t inner = 0; inner < a.cols; inner += kInner) {
    const int64_t k = std::min(kInner, a.cols - inner);
    LeftRows<T, false> left{a.data + inner, a.stride};
    if (copy) {
      for (int64_t r = 0; r < a.rows; ++r) std::copy_n(a.row(r) + inner, k, rows + r * row_step);
      left = {rows, row_step};
    }
    multiply_block(k, left, panels + inner * kTileCols<T>, a.cols * kTileCols<T>,
                   inner == 0 ? start : Addend<T>{c.data, c.stride}, c);
  }
}

/// The columns of a, `tile` at a time, as tiles of kTokens x kTileRows: rows of a are read as they
/// lie, where its columns would come from far apart and fight for the same few lines of the caches.
template <class T>
void copy_tiles(ConstMatrixView<T> a, int64_t tile, T* tiles) {
  for (int64_t p = 0; p < a.rows; ++p) {
    T* to = tiles + p * kTileRows;
    int64_t col = 0;
    for (; col + kTileRows <= a.cols; col += tile, to += kTokens * kTileRows) {
      std::memcpy(to, a.row(p) + col, kTileRows * sizeof(T));
    }
    for (; col < a.cols; col += tile, to += kTokens * kTileRows) {
      std::copy_n(a.row(p) + col, std::min(tile, a.cols - col), to);
    }
  }
}

/// `c` = a^T b + start. `panels`: b's, or null to pack them here. `column_sums`: of a, to be added
/// to, or null.
template <class T>
void multiply_range_tn(ConstMatrixView<T> a, ConstMatrixView<T> b, const T* panels, MatrixView<T> c,
                       Addend<T> start, T* column_sums, Arena& scratch) {
  constexpr int64_t kPanelSize = kTokens * kTileCols<T>;
  constexpr int64_t kNearRows = 2304;  // bytes between rows of a that are read where they lie, as
                                       // those of a strip of logits (cross_entropy_chunk.h)
  const bool copy = a.stride * static_cast<int64_t>(sizeof(T)) > kNearRows;
  const int64_t tile = pieces(c.rows, pieces(c.rows, kTileRows));  // even tiles
  Workspace::Scope scope(scratch);
  T* const own =
      panels == nullptr ? scope.allocate<T>(pieces(b.cols, kTileCols<T>) * kPanelSize) : nullptr;
  T* const tiles = copy ? scope.allocate<T>(pieces(c.rows, tile) * kTokens * kTileRows) : nullptr;
  for (int64_t inner = 0; inner < a.rows; inner += kTokens) {
    const int64_t k = std::min(kTokens, a.rows - inner);
    if (column_sums != nullptr) add_columns(a.row_range(inner, k), column_sums);
    if (own != nullptr) pack_columns(b.row_range(inner, k), own, kPanelSize);
    const T* const right = own != nullptr ? own : panels + inner * kTileCols<T>;
    const int64_t panel_step = own != nullptr ? kPanelSize : a.rows * kTileCols<T>;
    if (copy) copy_tiles(a.row_range(inner, k), tile, tiles);
    const Addend<T> addend = inner == 0 ? start : Addend<T>{c.data, c.stride};
    for (int64_t row = 0; row < c.rows; row += tile) {
      const int64_t rows = std::min(tile, c.rows - row);
      const LeftRows<T, true> left =
          copy ? LeftRows<T, true>{tiles + row / tile * kTokens * kTileRows, kTileRows}
               : LeftRows<T, true>{a.row(inner) + row, a.stride};
      multiply_block(k, left, right, panel_step, addend.from(row, 0), c.row_range(row, rows));
    }
  }
}

template <class T>
int64_t panel_count(const RightOperand<T>& right) {
  return pieces(right.form == GemmForm::kNT ? right.b.rows : right.b.cols, kTileCols<T>);
}

template <class T>
int64_t packed_size(const RightOperand<T>& right) {
  const int64_t k = right.form == GemmForm::kNT ? right.b.cols : right.b.rows;
  return panel_count(right) * kTileCols<T> * k;
}

/// Panels [first, last) of op(b).
template <class T>
void pack_panels(const RightOperand<T>& right, int64_t first, int64_t last, T* panels) {
  constexpr int64_t kCols = kTileCols<T>;
  const ConstMatrixView<T>& b = right.b;
  if (right.form == GemmForm::kNT) {
    for (int64_t i = first; i < last; ++i) {
      pack_transposed_panel(b, i * kCols, panels + i * b.cols * kCols);
    }
  } else {
    const int64_t end = std::min(b.cols, last * kCols);
    pack_columns(b.column_range(first * kCols, end - first * kCols),
                 panels + first * b.rows * kCols, b.rows * kCols);
  }
}

/// Op(b) in panels, for every worker of a loop: those that were packed before, or a copy of each
/// worker's own, which stays in its cache.
template <class T>
class WorkerPanels {
 public:
  WorkerPanels(const RightOperand<T>& right, Workspace::Scope& scope)
      : right_(right), memory_(right.panels) {
    if (memory_ != nullptr) return;
    own_ = scope.allocate<T>(threads() * packed_size(right));
    is_packed_ = scope.allocate<bool>(threads());
    std::fill_n(is_packed_, threads(), false);
  }

  const T* of_worker(int worker) const {
    if (memory_ != nullptr) return memory_;
    T* const copy = own_ + worker * packed_size(right_);
    if (!is_packed_[worker]) pack_panels(right_, 0, panel_count(right_), copy);
    is_packed_[worker] = true;
    return copy;
  }

 private:
  const RightOperand<T>& right_;
  const T* memory_;
  T* own_ = nullptr;
  bool* is_packed_ = nullptr;  // [workers]
};

/// c cut into tasks: row tiles times panels. No bit depends on it.
template <class T>
struct Tasks {
  int64_t rows, cols;  // of c
  int64_t row_unit;    // rows of a task are cut at multiples of it
  Ranges row_units, panels;

  /// A range of rows keeps those of a in cache, one of panels theirs. At least `column_ranges` of
  /// panels and `wanted` tasks, where there is enough.
  Tasks(MatrixView<T> c, int64_t inner_block, int64_t wanted, int64_t unit, int64_t column_ranges)
      : rows(c.rows),
        cols(c.cols),
        row_unit(unit),
        row_units{pieces(rows, unit), 1},
        panels{pieces(cols, kTileCols<T>), 1} {
    const auto in_cache = [&](int64_t lines) { return pieces(lines * inner_block, kCached); };
    panels.count = std::max(std::min(panels.size, column_ranges), in_cache(cols));
    row_units.count =
        std::max(std::min(pieces(rows, kTileRows), pieces(wanted, panels.count)), in_cache(rows));
  }
  int64_t count() const { return row_units.count * panels.count; }

  /// The rows and columns of a task.
  struct Block {
    int64_t row, rows, panel, col, cols;
    template <class U>
    MatrixView<U> of(MatrixView<U> c) const {
      return c.row_range(row, rows).column_range(col, cols);
    }
    Addend<T> of(Addend<T> start) const { return start.from(row, col); }
  };
  Block block(int64_t task) const {
    const int64_t range = task % row_units.count;
    Block result{};
    result.row = row_units.begin(range) * row_unit;
    result.rows = std::min(rows, row_units.begin(range + 1) * row_unit) - result.row;
    result.panel = panels.begin(task / row_units.count);
    result.col = result.panel * kTileCols<T>;
    result.cols =
        std::min(cols, panels.begin(task / row_units.count + 1) * kTileCols<T>) - result.col;
    return result;
  }
};

/// What the rows of c are added to.
template <class T>
Addend<T> start_of(MatrixView<T> c, bool accumulate, const T* bias) {
  return accumulate ? Addend<T>{c.data, c.stride} : Addend<T>{bias, 0};
}

/// dweight = dy^T x + start, dbias = or += the sum of dy's rows (null: not wanted), on all threads.
template <class T>
void multiply_tn(ConstMatrixView<T> dy, ConstMatrixView<T> x, MatrixView<T> dweight,
                 Addend<T> start, T* dbias, bool accumulate_bias, Workspace& workspace) {
  Workspace::Scope scope(workspace.shared());
  const TokenHalves<T> halves(dy, x, dweight, dbias, scope);
  // More tasks than threads, as those are not equally fast. Those of a half pack the columns of x
  // that they need; of the whole, columns that several need are packed once.
  const bool whole = halves.count() == 1;
  const Tasks<T> tasks(dweight, std::min(kTokens, dy.rows), whole ? 4 * threads() : threads(),
                       /*unit=*/1,
                       /*column_ranges=*/whole ? 1 : 2);
  const T* const panels = whole && tasks.row_units.count > 1
                              ? packed_panels<T>({GemmForm::kTN, x}, workspace.shared())
                              : nullptr;
  parallel_for(halves.count() * tasks.count(), [&](int64_t task, int worker) {
    const int64_t half = task / tasks.count();
    const auto block = tasks.block(task % tasks.count());
    T* const bias_sums = halves.bias_sums(half);
    multiply_range_tn<T>(
        halves.dy(half).column_range(block.row, block.rows),
        halves.x(half).column_range(block.col, block.cols),
        panels == nullptr ? nullptr : panels + block.panel * dy.rows * kTileCols<T>,
        block.of(halves.target(half)), half == 0 ? block.of(start) : Addend<T>{},
        bias_sums != nullptr && block.col == 0 ? bias_sums + block.row : nullptr,
        workspace.worker(worker));
  });
  halves.finish(accumulate_bias);
}

}  // namespace

template <class T>
const T* packed_panels(const RightOperand<T>& right, Arena& arena) {
  T* const panels = arena.allocate<T>(packed_size(right));
  parallel_for(panel_count(right), [&](int64_t i, int) { pack_panels(right, i, i + 1, panels); });
  return panels;
}

template <class T>
void packed_gemm_in_task(ConstMatrixView<T> a, const RightOperand<T>& right, MatrixView<T> c,
                         bool accumulate, const T* bias, Arena& scratch) {
  const Addend<T> start = start_of(c, accumulate, bias);
  if (right.form == GemmForm::kTN) {
    return multiply_range_tn<T>(a, right.b, right.panels, c, start, nullptr, scratch);
  }
  Workspace::Scope scope(scratch);
  const T* panels = right.panels;
  if (panels == nullptr) {
    T* const own = scope.allocate<T>(packed_size(right));
    pack_panels(right, 0, panel_count(right), own);
    panels = own;
  }
  multiply_range(a, panels, c, start, scratch);
}

template <class T>
void packed_gemm(ConstMatrixView<T> a, const RightOperand<T>& right, MatrixView<T> c,
                 bool accumulate, const T* bias, Workspace& workspace) {
  const Addend<T> start = start_of(c, accumulate, bias);
  if (right.form == GemmForm::kTN) {
    return multiply_tn<T>(a, right.b, c, start, nullptr, false, workspace);
  }
  Workspace::Scope scope(workspace.shared());
  RightOperand<T> operand = right;
  if (operand.panels == nullptr && packed_size(operand) > kCached) {
    operand.panels = packed_panels(operand, workspace.shared());
  }
  const WorkerPanels<T> panels(operand, scope);
  // Small panels stay in cache, whatever the order, and many tasks let the threads end together;
  // large ones should pass by seldom.
  const int64_t per_thread = packed_size(right) <= kCached ? 16 : 1;
  const Tasks<T> tasks(c, std::min(kInner, a.cols), per_thread * threads(), kTileRows,
                       /*column_ranges=*/1);
  parallel_for(tasks.count(), [&](int64_t task, int worker) {
    const auto block = tasks.block(task);
    multiply_range(a.row_range(block.row, block.rows),
                   panels.of_worker(worker) + block.panel * a.cols * kTileCols<T>, block.of(c),
                   block.of(start), workspace.worker(worker));
  });
}

template <class T>
void packed_weight_gradient(ConstMatrixView<T> dy, ConstMatrixView<T> x, MatrixView<T> dweight,
                            bool accumulate_weight, T* dbias, bool accumulate_bias,
                            Workspace& workspace) {
  multiply_tn<T>(dy, x, dweight, start_of<T>(dweight, accumulate_weight, nullptr), dbias,
                 accumulate_bias, workspace);
}

#define CALQUE_INSTANTIATE(T)                                                                  \
  template const T* packed_panels(const RightOperand<T>&, Arena&);                             \
  template void packed_gemm(ConstMatrixView<T>, const RightOperand<T>&, MatrixView<T>, bool,   \
                            const T*, Workspace&);                                             \
  template void packed_weight_gradient(ConstMatrixView<T>, ConstMatrixView<T>, MatrixView<T>,  \
                                       bool, T*, bool, Workspace&);                            \
  template void packed_gemm_in_task(ConstMatrixView<T>, const RightOperand<T>&, MatrixView<T>, \
                                    bool, const T*, Arena&);
CALQUE_INSTANTIATE(float)
CALQUE_INSTANTIATE(double)
#undef CALQUE_INSTANTIATE

}  // namespace calque::kernels
