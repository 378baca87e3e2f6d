#include "kernels/gemm_bf16.h"

#include <optional>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/micro_kernel_bf16.h"
#include "kernels/ranges.h"
#include "kernels/token_halves.h"

#ifdef CALQUE_AMX
#include <asm/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace calque::kernels {

#ifdef CALQUE_AVX512_BF16

namespace {

using namespace bf16;

constexpr int64_t kInner = 512;      // of a block
constexpr int64_t kTokens = 128;     // of a block, where the inner index is the token (kTN)
constexpr int64_t kGroup = 256;      // columns of an operand that are packed row by row
constexpr int64_t kRangeTiles = 32;  // row tiles of a task, at most
constexpr int64_t kCached = int64_t{1} << 19;  // elements of op(b)'s block in the second cache

/// Fetches rows that are to be written.
void fetch(MatrixView<float> x) {
  for (int64_t r = 0; r < x.rows; ++r) {
    for (int64_t c = 0; c < x.cols; c += kSquare) __builtin_prefetch(x.row(r) + c, 1);
  }
}

/// Elements of a packed tile with an inner size of k.
template <int Parts>
int64_t tile_size(int64_t k) {
  return pieces(k, kStep) * kStepSize<Parts>;
}

#ifdef CALQUE_AMX
/// Asks Linux, once, for the right to use AMX's registers; it applies to all threads.
bool may_use_amx() {
#ifndef ARCH_REQ_XCOMP_PERM
  constexpr int ARCH_REQ_XCOMP_PERM = 0x1023;
#endif
  constexpr int kTileData = 18;  // the number of that part of a thread's state
  static const bool granted = syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, kTileData) == 0;
  return granted;
}
#endif

/// The unit, for as long as a task multiplies by it.
class UnitInUse {
 public:
  explicit UnitInUse([[maybe_unused]] Bfloat16Unit unit) {
#ifdef CALQUE_AMX
    if (unit == Bfloat16Unit::kAmx) registers_.emplace();
#endif
  }

  /// A tile of c, and the squares of rows that it has.
  template <int Rows, int Parts>
  void multiply(int64_t steps, const Bfloat16* left, const Bfloat16* right, Addend<float> addend,
                float* c, int64_t c_stride) const {
#ifdef CALQUE_AMX
    if (registers_) {
      return multiply_by_squares<Rows, Parts>(steps, left, right, addend, c, c_stride);
    }
#endif
    CALQUE_CHECK(Parts == kRounded, "numbers in parts are for AMX alone");
    if constexpr (Parts == kRounded) {
      multiply_by_vectors<Rows>(steps, left, right, addend, c, c_stride);
    }
  }

 private:
#ifdef CALQUE_AMX
  std::optional<AmxRegisters> registers_;
#endif
};

void copy_rows(Addend<float> from, MatrixView<float> to) {
  for (int64_t r = 0; r < to.rows; ++r) {
    std::copy_n(from.data + r * from.stride, to.cols, to.row(r));
  }
}

/// c = addend + a tile of op(a) times one of op(b). c may be smaller than a tile: `whole` is room
/// for one then.
template <int Parts>
void multiply_tiles(const UnitInUse& unit, int64_t steps, const Bfloat16* left,
                    const Bfloat16* right, Addend<float> addend, MatrixView<float> c,
                    float* whole) {
  if (c.rows == kTile && c.cols == kTile) [[likely]] {
    return unit.multiply<2, Parts>(steps, left, right, addend, c.data, c.stride);
  }
  Addend<float> start;
  if (addend.data != nullptr) {
    copy_rows(addend, {whole, c.rows, c.cols, kTile});
    start = {whole, kTile};
  }
  if (c.rows > kSquare) {
    unit.multiply<2, Parts>(steps, left, right, start, whole, kTile);
  } else {
    unit.multiply<1, Parts>(steps, left, right, start, whole, kTile);
  }
  copy_rows({whole, kTile}, c);
}

/// The inner size, and the tiles of op(b)'s columns.
int64_t inner_size(const RightOperand<float>& right) {
  return right.form == GemmForm::kNT ? right.b.cols : right.b.rows;
}
int64_t tile_count(const RightOperand<float>& right) {
  return pieces(right.form == GemmForm::kNT ? right.b.rows : right.b.cols, kTile);
}

/// Tiles [first, first + count) of op(b), packed.
template <int Parts>
void pack_right_tiles(GemmForm form, ConstMatrixView<float> b, int64_t first, int64_t count,
                      Bfloat16* to) {
  const int64_t begin = first * kTile;
  if (form == GemmForm::kNT) {
    const int64_t rows = std::min(count * kTile, b.rows - begin);
    pack_tiles<Parts, Pairs::kInRows, false>(b.row_range(begin, rows), to);
  } else {
    const int64_t cols = std::min(count * kTile, b.cols - begin);
    pack_tiles<Parts, Pairs::kInColumns, false>(b.column_range(begin, cols), to);
  }
}

/// The inner indices [p, p + k) of an operand that has them in its columns, or in its rows.
ConstMatrixView<float> inner_range(ConstMatrixView<float> x, bool in_columns, int64_t p,
                                   int64_t k) {
  return in_columns ? x.column_range(p, k) : x.row_range(p, k);
}

/// The inner indices [p, p + k) of neighbouring tiles of op(b), packed, `panel_step` elements
/// apart.
struct Block {
  int64_t first_tile, tiles, p, k;
  const Bfloat16* panels = nullptr;
  int64_t panel_step = 0;
  int64_t steps() const { return pieces(k, kStep); }
};

/// A product and how it is cut into tasks: ranges of row tiles, one for each worker at least so
/// that it has the rows in every product, times ranges of column tiles, which stay in the second
/// cache while rows pass by. No bit depends on it.
template <int Parts>
struct Product {
  Bfloat16Unit unit;
  ConstMatrixView<float> a;
  RightOperand<float> right;
  MatrixView<float> c;
  Addend<float> start;
  int64_t inner;        // size
  int64_t inner_block;  // the part of it that is multiplied at a time
  Ranges row_tiles, col_tiles;

  /// With `workers` tasks at least where there is enough.
  Product(Bfloat16Unit u, ConstMatrixView<float> left, const RightOperand<float>& r,
          MatrixView<float> out, bool accumulate, const float* bias, int workers)
      : unit(u),
        a(left),
        right(r),
        c(out),
        start(accumulate ? Addend<float>{c.data, c.stride} : Addend<float>{bias, 0}),
        inner(inner_size(r)),
        inner_block(std::min(inner, r.form == GemmForm::kTN ? kTokens : kInner)),
        row_tiles{pieces(c.rows, kTile), 1},
        col_tiles{pieces(c.cols, kTile), pieces(c.cols * inner_block * Parts, kCached)} {
    row_tiles.count =
        std::max(std::min<int64_t>(row_tiles.size, workers), pieces(row_tiles.size, kRangeTiles));
    const int64_t wanted = pieces(workers, row_tiles.count);
    col_tiles.count = std::max(std::min(col_tiles.size, wanted), col_tiles.count);
  }
  int64_t tasks() const { return row_tiles.count * col_tiles.count; }

  /// `column_sums`, of a product of form kTN: of a, to be added to, or null.
  void run_task(int64_t task, Arena& scratch, float* column_sums = nullptr) const {
    const int64_t range = task / col_tiles.count;
    const int64_t end_row = std::min(c.rows, row_tiles.begin(range + 1) * kTile);
    const int64_t first_tile = col_tiles.begin(task % col_tiles.count);
    const int64_t tiles = col_tiles.begin(task % col_tiles.count + 1) - first_tile;
    Workspace::Scope scope(scratch);
    const int64_t largest = tile_size<Parts>(inner_block);
    const int64_t group = right.form == GemmForm::kTN ? kGroup : kTile;
    Bfloat16* const left = scope.allocate<Bfloat16>(group / kTile * largest);
    float* const whole = scope.allocate<float>(kTile * kTile);
    Bfloat16* const own =
        right.bf16_panels == nullptr ? scope.allocate<Bfloat16>(tiles * largest) : nullptr;
    const UnitInUse unit_in_use(unit);
    for (int64_t p = 0; p < inner; p += inner_block) {
      const Block block =
          packed_block({first_tile, tiles, p, std::min(inner_block, inner - p)}, own);
      for (int64_t row = row_tiles.begin(range) * kTile; row < end_row; row += group) {
        const int64_t rows = std::min(group, end_row - row);
        if (column_sums != nullptr && first_tile == 0) {
          add_columns(a.row_range(block.p, block.k).column_range(row, rows), column_sums + row);
        }
        pack_rows(row, rows, block, left);
        for (int64_t r = 0; r < rows; r += kTile) {
          multiply_rows(unit_in_use, row + r, std::min(kTile, rows - r),
                        left + r / kTile * tile_size<Parts>(block.k), block, whole);
        }
      }
    }
  }

 private:
  /// With the panels that were packed before, or by now into `own`.
  Block packed_block(Block block, Bfloat16* own) const {
    if (own == nullptr) {
      block.panel_step = tile_size<Parts>(inner);
      block.panels =
          right.bf16_panels + block.first_tile * block.panel_step + tile_size<Parts>(block.p);
    } else {
      block.panel_step = tile_size<Parts>(block.k);
      block.panels = own;
      pack_right_tiles<Parts>(right.form,
                              inner_range(right.b, right.form == GemmForm::kNT, block.p, block.k),
                              block.first_tile, block.tiles, own);
    }
    return block;
  }

  /// The block's part of rows of op(a), packed.
  void pack_rows(int64_t row, int64_t rows, const Block& block, Bfloat16* to) const {
    if (right.form == GemmForm::kTN) {
      pack_tiles<Parts, Pairs::kInColumns, true>(
          a.row_range(block.p, block.k).column_range(row, rows), to);
    } else {
      pack_tiles<Parts, Pairs::kInRows, true>(a.row_range(row, rows).column_range(block.p, block.k),
                                              to);
    }
  }

  /// The block's part of the sums of a tile's rows.
  void multiply_rows(const UnitInUse& unit_in_use, int64_t row, int64_t rows, const Bfloat16* left,
                     const Block& block, float* whole) const {
    for (int64_t tile = 0; tile < block.tiles; ++tile) {
      const int64_t col = (block.first_tile + tile) * kTile;
      const MatrixView<float> out =
          c.row_range(row, rows).column_range(col, std::min(kTile, c.cols - col));
      const bool first = block.p == 0;
      // What is written next is fetched where there is little else to do meanwhile.
      if (Parts == kRounded && tile + 1 < block.tiles) {
        fetch({out.data + kTile, rows, std::min(kTile, c.cols - col - kTile), c.stride});
      }
      multiply_tiles<Parts>(
          unit_in_use, block.steps(), left, block.panels + tile * block.panel_step,
          first ? start.from(row, col) : Addend<float>{out.data, out.stride}, out, whole);
    }
  }
};

/// op(b), packed, in memory of `arena`.
template <int Parts>
const Bfloat16* packed_tiles(const RightOperand<float>& right, Arena& arena) {
  const int64_t size = tile_size<Parts>(inner_size(right));
  const int64_t tiles = tile_count(right);
  Bfloat16* const panels = arena.allocate<Bfloat16>(tiles * size);
  const Ranges ranges{tiles, pieces(tiles, kGroup / kTile)};
  parallel_for(ranges.count, [&](int64_t range, int) {
    const int64_t first = ranges.begin(range);
    pack_right_tiles<Parts>(right.form, right.b, first, ranges.begin(range + 1) - first,
                            panels + first * size);
  });
  return panels;
}

/// Calls body(integral constant) with the parts that the product's precision splits numbers into.
template <class Body>
auto for_parts_of(const RightOperand<float>& right, const Body& body) {
  if (right.precision == Precision::kFloat32) return body(std::integral_constant<int, kSplit>());
  return body(std::integral_constant<int, kRounded>());
}

}  // namespace

std::vector<Bfloat16Unit> bfloat16_hardware() {
#ifdef CALQUE_AMX
  if (may_use_amx()) return {Bfloat16Unit::kAmx, Bfloat16Unit::kAvx512};
#endif
  return {Bfloat16Unit::kAvx512};
}

const Bfloat16* bf16_panels(const RightOperand<float>& right, Arena& arena) {
  return for_parts_of(right, [&](auto parts) { return packed_tiles<parts>(right, arena); });
}

void bf16_gemm(Bfloat16Unit unit, ConstMatrixView<float> a, const RightOperand<float>& right,
               MatrixView<float> c, bool accumulate, const float* bias, Workspace& workspace) {
  for_parts_of(right, [&](auto parts) {
    const Product<parts> product(unit, a, right, c, accumulate, bias, threads());
    parallel_for(product.tasks(), [&](int64_t task, int worker) {
      product.run_task(task, workspace.worker(worker));
    });
  });
}

void bf16_weight_gradient(Bfloat16Unit unit, Precision precision, ConstMatrixView<float> dy,
                          ConstMatrixView<float> x, MatrixView<float> dweight,
                          bool accumulate_weight, float* dbias, bool accumulate_bias,
                          Workspace& workspace) {
  Workspace::Scope scope(workspace.shared());
  const TokenHalves<float> halves(dy, x, dweight, dbias, scope);
  const auto right = [&](int64_t half) {
    return RightOperand<float>{GemmForm::kTN, halves.x(half), precision};
  };
  for_parts_of(right(0), [&](auto parts) {
    const auto product = [&](int64_t half) {
      return Product<parts>(unit, halves.dy(half), right(half), halves.target(half),
                            half == 0 && accumulate_weight, nullptr,
                            static_cast<int>(pieces(threads(), halves.count())));
    };
    const Product<parts> products[] = {product(0), product(halves.count() - 1)};
    const int64_t first_tasks = products[0].tasks();
    const int64_t tasks = halves.count() == 1 ? first_tasks : first_tasks + products[1].tasks();
    parallel_for(tasks, [&](int64_t task, int worker) {
      const int64_t half = task < first_tasks ? 0 : 1;
      products[half].run_task(task - half * first_tasks, workspace.worker(worker),
                              halves.bias_sums(half));
    });
  });
  halves.finish(accumulate_bias);
}

void bf16_gemm_in_task(Bfloat16Unit unit, ConstMatrixView<float> a,
                       const RightOperand<float>& right, MatrixView<float> c, bool accumulate,
                       const float* bias, Arena& scratch) {
  for_parts_of(right, [&](auto parts) {
    const Product<parts> product(unit, a, right, c, accumulate, bias, 1);
    for (int64_t task = 0; task < product.tasks(); ++task) product.run_task(task, scratch);
  });
}

#else  // the compiler may use no such instructions

std::vector<Bfloat16Unit> bfloat16_hardware() { return {}; }

const Bfloat16* bf16_panels(const RightOperand<float>&, Arena&) { return nullptr; }

void bf16_gemm(Bfloat16Unit, ConstMatrixView<float>, const RightOperand<float>&, MatrixView<float>,
               bool, const float*, Workspace&) {
  CALQUE_CHECK(false, "this binary was built without instructions for bfloat16");
}

void bf16_weight_gradient(Bfloat16Unit, Precision, ConstMatrixView<float>, ConstMatrixView<float>,
                          MatrixView<float>, bool, float*, bool, Workspace&) {
  CALQUE_CHECK(false, "this binary was built without instructions for bfloat16");
}

void bf16_gemm_in_task(Bfloat16Unit, ConstMatrixView<float>, const RightOperand<float>&,
                       MatrixView<float>, bool, const float*, Arena&) {
  CALQUE_CHECK(false, "this binary was built without instructions for bfloat16");
}

#endif

}  // namespace calque::kernels
