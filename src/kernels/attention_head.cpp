#include "kernels/attention_head.h"

#include "base/error.h"

namespace calque::kernels {
namespace {

void check_inside(const SequenceLayout& layout, int64_t rows, const char* what) {
  CALQUE_CHECK(layout.lengths.size() == layout.begins.size(), "{}: {} begins, {} lengths", what,
               layout.begins.size(), layout.lengths.size());
  for (size_t s = 0; s < layout.begins.size(); ++s) {
    const int64_t begin = layout.begins[s];
    const int64_t length = layout.lengths[s];
    CALQUE_CHECK(begin >= 0 && length >= 0 && begin + length <= rows,
                 "{}: sentence {} is rows [{}, {}) of {}", what, s, begin, begin + length, rows);
  }
}

}  // namespace

void check_attention(const AttentionShape& shape, int64_t query_rows, int64_t key_rows,
                     int64_t model, int64_t key_model) {
  CALQUE_CHECK(shape.heads > 0 && model % shape.heads == 0, "model {} in {} heads", model,
               shape.heads);
  CALQUE_CHECK(key_model > 0 && key_model % (model / shape.heads) == 0 && model % key_model == 0,
               "keys of width {} for {} heads of {}", key_model, shape.heads, model / shape.heads);
  CALQUE_CHECK(shape.queries.sentences() == shape.keys.sentences(),
               "{} sentences of queries, {} of keys", shape.queries.sentences(),
               shape.keys.sentences());
  check_inside(shape.queries, query_rows, "queries");
  check_inside(shape.keys, key_rows, "keys");
  for (size_t s = 0; s < shape.keys.lengths.size(); ++s) {
    CALQUE_CHECK(!shape.causal || shape.keys.lengths[s] == shape.queries.lengths[s],
                 "causal attention of sentence {}: {} queries, {} keys", s,
                 shape.queries.lengths[s], shape.keys.lengths[s]);
    CALQUE_CHECK(!shape.dropout.active() || shape.queries.lengths[s] <= kColumnsPerHead,
                 "attention dropout reaches {} queries at most, sentence {} has {}",
                 kColumnsPerHead, s, shape.queries.lengths[s]);
  }
}

void place_probabilities(const AttentionShape& shape, int64_t* begins) {
  int64_t begin = 0;
  for (int64_t s = 0; s < shape.queries.sentences(); ++s) {
    begins[s] = begin;
    begin += shape.heads * shape.queries.lengths[s] * shape.keys.lengths[s];
  }
}

int64_t check_steps(int64_t rows, int64_t model, int64_t key_model, int64_t heads,
                    std::span<const int32_t> slots, int64_t slot_stride,
                    std::span<const int32_t> lengths) {
  const int64_t longest = *std::ranges::max_element(lengths);
  CALQUE_CHECK(heads > 0 && model % heads == 0, "model {} in {} heads", model, heads);
  CALQUE_CHECK(key_model > 0 && model % key_model == 0 && heads % (model / key_model) == 0,
               "keys of width {} for {} heads of model {}", key_model, heads, model);
  CALQUE_CHECK(std::ssize(lengths) == rows && longest <= slot_stride &&
                   std::ssize(slots) >= (rows - 1) * slot_stride + lengths.back(),
               "{} slots and {} lengths for {} hypotheses of length {}, {} apart", slots.size(),
               lengths.size(), rows, longest, slot_stride);
  return longest;
}

template <class T>
void pack_transposed(ConstMatrixView<T> x, T scale, T* to) {
  constexpr int64_t kLanes = simd::kLanes<T>;
  for (int64_t row = 0; row < x.rows; row += kLanes) {
    const int64_t rows = std::min(kLanes, x.rows - row);
    int64_t c = 0;
    for (; c + kLanes <= x.cols; c += kLanes) {
      simd::Vec<T> square[kLanes];
      for (int64_t r = 0; r < kLanes; ++r) {
        square[r] = r < rows ? simd::load(x.row(row + r) + c) * scale : simd::Vec<T>{};
      }
      simd::transpose<T>(square);
      for (int64_t r = 0; r < kLanes; ++r) simd::store<T>(square[r], to + (c + r) * kBlock + row);
    }
    for (; c < x.cols; ++c) {
      T* const column = to + c * kBlock + row;
      for (int64_t r = 0; r < rows; ++r) column[r] = x.row(row + r)[c] * scale;
      std::fill(column + rows, column + kLanes, T(0));
    }
  }
}

template <class T>
void multiply_rows(ConstMatrixView<T> a, ConstMatrixView<T> b, T scale, T* sums) {
  constexpr int64_t kLanes = simd::kLanes<T>;
  for (int64_t row = 0; row < a.rows; row += kLanes) {
    simd::Vec<T> square[kLanes]{};
    for (int64_t r = 0; r < std::min(kLanes, a.rows - row); ++r) {
      const T* const left = a.row(row + r);
      const T* const right = b.row(row + r);
      int64_t c = 0;
      for (; c + kLanes <= a.cols; c += kLanes) {
        square[r] += simd::load(left + c) * simd::load(right + c);
      }
      if (c < a.cols) {
        square[r] += simd::load_part(left + c, a.cols - c, T(0)) *
                     simd::load_part(right + c, a.cols - c, T(0));
      }
    }
    simd::transpose<T>(square);
    simd::Vec<T> sum = square[0];
    for (int64_t c = 1; c < kLanes; ++c) sum += square[c];
    simd::store<T>(sum * scale, sums + row);
  }
}

template <class T>
void multiply_keys(const Block& block, ConstMatrixView<T> keys, const T* packed, T* scores) {
  const int64_t width = simd::padded<T>(block.queries.count);
  block.for_rows(block.keys.count, [&](Range rows) {
    const int64_t first = block.first_query(rows);
    small_gemm<T>(rows.count, width - first, keys.cols, {keys.row(rows.begin), keys.stride, 1},
                  packed + first, kBlock, scores + rows.begin * kBlock + first, kBlock, false);
  });
}

template <class T>
void sum_over_keys(const Block& block, const T* weights, ConstMatrixView<T> keys,
                   MatrixView<T> sums, bool accumulate) {
  block.for_rows(block.queries.count, [&](Range rows) {
    small_gemm<T>(rows.count, keys.cols, block.visible_keys(rows),
                  {weights + rows.begin, 1, kBlock}, keys.data, keys.stride, sums.row(rows.begin),
                  sums.stride, accumulate);
  });
}

template <class T>
void sum_over_queries(const Block& block, const T* weights, ConstMatrixView<T> queries,
                      MatrixView<T> sums, bool accumulate) {
  block.for_rows(block.keys.count, [&](Range rows) {
    const int64_t first = block.first_query(rows);
    small_gemm<T>(rows.count, queries.cols, queries.rows - first,
                  {weights + rows.begin * kBlock + first, kBlock, 1}, queries.row(first),
                  queries.stride, sums.row(rows.begin), sums.stride, accumulate);
  });
}

template <class T>
void weight_factors(const Dropout& dropout, const AttentionHead& head, const Block& block,
                    Range band, T* factors) {
  dropout_tile(dropout, static_cast<uint32_t>(head.key_begin + block.keys.begin + band.begin),
               static_cast<uint32_t>(head.index * kColumnsPerHead + block.queries.begin),
               band.count, block.queries.count, factors, kBlock);
}

#define CALQUE_INSTANTIATE(T)                                                                      \
  template void pack_transposed(ConstMatrixView<T>, T, T*);                                        \
  template void multiply_rows(ConstMatrixView<T>, ConstMatrixView<T>, T, T*);                      \
  template void multiply_keys(const Block&, ConstMatrixView<T>, const T*, T*);                     \
  template void sum_over_keys(const Block&, const T*, ConstMatrixView<T>, MatrixView<T>, bool);    \
  template void sum_over_queries(const Block&, const T*, ConstMatrixView<T>, MatrixView<T>, bool); \
  template void weight_factors(const Dropout&, const AttentionHead&, const Block&, Range, T*);
CALQUE_INSTANTIATE(float)
CALQUE_INSTANTIATE(double)
#undef CALQUE_INSTANTIATE

}  // namespace calque::kernels
