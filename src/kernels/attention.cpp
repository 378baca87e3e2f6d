#include "kernels/attention.h"

#include <limits>

#include "kernels/attention_distance.h"
#include "kernels/attention_tasks.h"
#include "kernels/elementwise.h"

namespace calque::kernels {
namespace {

using simd::kLanes;
using simd::Vec;

template <class T>
struct Forward {
  const AttentionShape& shape;
  const DistanceTerms<T>& distances;
  ConstMatrixView<T> query, key, value;
  MatrixView<T> output;
  T* log_sums;
  T* probabilities;
  const int64_t* probability_begins;  // [sentences], where each one's weights begin

  /// A block of queries, and what is known from the keys seen so far: the running softmax (Milakov
  /// and Gimelshein 2018; Dao et al. 2022), whose sums are those of exp(score - highest).
  struct Queries {
    Range range;
    T* packed;              // [head, kBlock]
    T* highest;             // [kBlock], of the scores
    T* sums;                // [kBlock], of the weights
    MatrixView<T> outputs;  // [queries, head], sums of weights times values
  };

  struct Scratch {
    T* weights;  // a block
    T* factors;  // a band of a block
    T* fade;     // [kBlock], what a higher maximum makes of the sums so far
    T* distances;
    Scratch(const DistanceTerms<T>& distances, Workspace::Scope& scope)
        : weights(scope.allocate<T>(kBlock * kBlock)),
          factors(scope.allocate<T>(kBand * kBlock)),
          fade(scope.allocate<T>(kBlock)),
          distances(distance_scratch(distances, scope)) {}
  };

  void run_chunk(const AttentionHead& head, Range queries, Arena& arena) const {
    Workspace::Scope scope(arena);
    const Scratch scratch(distances, scope);
    Queries blocks[kChunkBlocks];
    const int64_t count = pieces(queries.count, kBlock);
    for (int64_t i = 0; i < count; ++i) blocks[i] = begin(head, queries.part(i, kBlock), scope);
    for (int64_t i = 0; i < pieces(head.keys, kBlock); ++i) {
      const Range keys = Range{0, head.keys}.part(i, kBlock);
      if (shape.causal && keys.begin >= queries.begin + queries.count) break;
      Workspace::Scope near(arena);
      const KeyRows<T> rows(head, keys, key, value, near);
      for (int64_t j = 0; j < count; ++j) {
        for_key_blocks(blocks[j].range, keys, shape.causal, [&](const Block& block) {
          add_block(head, block, rows, blocks[j], scratch);
        });
      }
    }
    for (int64_t i = 0; i < count; ++i) finish(head, blocks[i], scratch);
  }

  Queries begin(const AttentionHead& head, Range range, Workspace::Scope& scope) const {
    const Queries queries{range,
                          scope.allocate<T>(head.width * kBlock),
                          scope.allocate<T>(kBlock),
                          scope.allocate<T>(kBlock),
                          {scope.allocate<T>(range.count * head.width), range.count, head.width}};
    pack_transposed<T>(range.of(head.query_rows(query)),
                       score_scale<T>(shape.options.score, head.width), queries.packed);
    std::fill_n(queries.highest, kBlock, -std::numeric_limits<T>::infinity());
    std::fill_n(queries.sums, kBlock, T(0));
    if (head.keys == 0) zero_rows(queries.outputs);
    return queries;
  }

  void add_block(const AttentionHead& head, const Block& block, const KeyRows<T>& rows,
                 const Queries& queries, const Scratch& scratch) const {
    score_block(shape, distances, head, block, rows.keys_of(block), queries.packed,
                scratch.distances, scratch.weights);
    weigh(block, queries, scratch);
    const bool first = block.keys.begin == 0;
    if (!first) scale_rows(queries.outputs, scratch.fade, queries.outputs);
    if (shape.dropout.active()) drop(head, block, scratch);
    sum_over_keys(block, scratch.weights, rows.values_of(block), queries.outputs, !first);
    if (distances.values.data != nullptr) {
      sum_by_distance(block, scratch.weights, distances.values.rows, scratch.distances);
      add_table_rows<T>(block, scratch.distances, distances.values, queries.outputs);
    }
  }

  /// Scores become exp(score - highest), in place; what was summed up so far fades.
  void weigh(const Block& block, const Queries& queries, const Scratch& scratch) const {
    for_query_vectors<T>(
        block, {0, block.keys.count}, [&](int64_t query, Range keys, const auto& visible) {
          constexpr T kLowest = -std::numeric_limits<T>::infinity();
          T* const weights = scratch.weights + query;
          const Vec<T> before = simd::load(queries.highest + query);
          Vec<T> highest = before;
          for (int64_t key = 0; key < keys.count; ++key) {
            highest =
                simd::max<T>(highest, visible(key, simd::load(weights + key * kBlock), kLowest));
          }
          Vec<T> sum{};
          for (int64_t key = 0; key < keys.count; ++key) {
            T* const at = weights + key * kBlock;
            const Vec<T> weight = visible(key, simd::exp(simd::load(at) - highest), T(0));
            sum += weight;
            simd::store<T>(weight, at);
          }
          const Vec<T> fade = simd::exp(before - highest);
          simd::store<T>(fade, scratch.fade + query);
          simd::store<T>(highest, queries.highest + query);
          simd::store<T>(simd::load(queries.sums + query) * fade + sum, queries.sums + query);
        });
  }

  void drop(const AttentionHead& head, const Block& block, const Scratch& scratch) const {
    for_bands(block.keys.count, [&](Range band) {
      weight_factors(shape.dropout, head, block, band, scratch.factors);
      T* const weights = scratch.weights + band.begin * kBlock;
      for_query_vectors<T>(block, band, [&](int64_t query, Range keys, const auto&) {
        for (int64_t at = query; at < keys.count * kBlock; at += kBlock) {
          simd::store<T>(simd::load(weights + at) * simd::load(scratch.factors + at), weights + at);
        }
      });
    });
  }

  /// to[r] = factors[r] from[r].
  static void scale_rows(ConstMatrixView<T> from, const T* factors, MatrixView<T> to) {
    for (int64_t r = 0; r < from.rows; ++r) {
      const T* const row = from.row(r);
      T* const scaled = to.row(r);
      for (int64_t c = 0; c < from.cols; ++c) scaled[c] = factors[r] * row[c];
    }
  }

  /// The sums become outputs, and logs for backward.
  void finish(const AttentionHead& head, const Queries& queries, const Scratch& scratch) const {
    T* const inverses = scratch.fade;
    for (int64_t query = 0; query < queries.range.count; query += kLanes<T>) {
      const Vec<T> sum = simd::load(queries.sums + query);
      const Vec<T> log_sum = simd::load(queries.highest + query) + simd::log(sum);
      simd::store<T>(T(1) / sum, inverses + query);
      simd::store<T>(log_sum, queries.highest + query);
    }
    if (head.keys == 0) std::fill_n(inverses, kBlock, T(1));
    scale_rows(queries.outputs, inverses, queries.range.of(head.query_rows(output)));
    if (log_sums != nullptr) {
      T* const to = log_sums + (head.query_begin + queries.range.begin) * shape.heads + head.index;
      for (int64_t r = 0; r < queries.range.count; ++r) to[r * shape.heads] = queries.highest[r];
    }
    if (probabilities != nullptr) save_probabilities(head, queries, scratch);
  }

  /// The weights once more, now that their sums are known.
  void save_probabilities(const AttentionHead& head, const Queries& queries,
                          const Scratch& scratch) const {
    const MatrixView<T> saved(probabilities + probability_begins[head.sentence] +
                                  (head.index * head.queries + queries.range.begin) * head.keys,
                              queries.range.count, head.keys);
    zero_rows(saved);
    for_key_blocks(queries.range, {0, head.keys}, shape.causal, [&](const Block& block) {
      score_block<T>(shape, distances, head, block, block.keys.of(head.key_rows(key)),
                     queries.packed, scratch.distances, scratch.weights);
      for_query_vectors<T>(
          block, {0, block.keys.count}, [&](int64_t query, Range keys, const auto& visible) {
            const Vec<T> log_sum = simd::load(queries.highest + query);
            for (int64_t key = 0; key < keys.count; ++key) {
              const Vec<T> score = simd::load(scratch.weights + key * kBlock + query);
              const Vec<T> weight = visible(key, simd::exp(score - log_sum), T(0));
              for (int64_t r = query; r < std::min(query + kLanes<T>, queries.range.count); ++r) {
                saved.row(r)[block.keys.begin + key] = weight[r - query];
              }
            }
          });
    });
  }
};

/// Of every sentence and head of keys one task for each pair of a chunk of its queries and a chunk
/// of its keys. The pairs are worked on in rounds, in which no chunk occurs twice, so that tasks
/// can add to the gradients of their rows: query chunk i meets key chunk (round - i) modulo their
/// number.
template <class T>
struct Backward {
  const AttentionShape& shape;
  const DistanceTerms<T>& distances;
  const DistanceSums<T>& sums;
  ConstMatrixView<T> query, key, value, output;
  const T* log_sums;
  ConstMatrixView<T> doutput;
  MatrixView<T> dquery, dkey, dvalue;
  bool accumulate_query, accumulate_key, accumulate_value;

  struct Scratch {
    T* queries;    // [head, kBlock], packed
    T* rows[2];    // [kBlock, head], queries, gradients of the output
    T* gradients;  // [head, kBlock], of the output, packed, over sqrt(head)
    T* weights;    // a block
    T* dscores;    // a block
    T* factors;    // a band of a block
    T* log_sums;   // [kBlock]
    T* means;      // [kBlock], rowsum(P dP) / sqrt(head)
    T* distances;
    Scratch(const DistanceTerms<T>& distances, Workspace::Scope& scope, int64_t width)
        : queries(scope.allocate<T>(width * kBlock)),
          rows{scope.allocate<T>(width * kBlock), scope.allocate<T>(width * kBlock)},
          gradients(scope.allocate<T>(width * kBlock)),
          weights(scope.allocate<T>(kBlock * kBlock)),
          dscores(scope.allocate<T>(kBlock * kBlock)),
          factors(scope.allocate<T>(kBand * kBlock)),
          log_sums(scope.allocate<T>(kBlock)),
          means(scope.allocate<T>(kBlock)),
          distances(distance_scratch(distances, scope)) {}
  };

  static int64_t rounds(const AttentionHead& head) {
    return std::max({pieces(head.queries, kChunk), pieces(head.keys, kChunk), int64_t{1}});
  }

  void run_chunk(const AttentionHead& head, int64_t round, int64_t chunk, Arena& arena) const {
    const int64_t count = rounds(head);
    if (round >= count || chunk >= count) return;
    const Range queries = Range{0, head.queries}.part(chunk, kChunk);
    const Range keys = Range{0, head.keys}.part((round + count - chunk) % count, kChunk);
    if (round == 0 && !is_one_block(head)) {  // every chunk occurs once
      if (starts(dquery, accumulate_query)) zero_rows(queries.of(head.query_rows(dquery)));
      const bool first = head.index % head.group == 0;  // of those that add to them
      if (first && starts(dkey, accumulate_key)) zero_rows(keys.of(head.key_rows(dkey)));
      if (first && starts(dvalue, accumulate_value)) zero_rows(keys.of(head.key_rows(dvalue)));
    }
    if (keys.count == 0 || (shape.causal && keys.begin > queries.begin)) return;
    Workspace::Scope scope(arena);
    const KeyRows<T> rows(head, keys, key, value, scope);
    for (int64_t i = 0; i < pieces(queries.count, kBlock); ++i) {
      run_block(head, queries.part(i, kBlock), rows, arena);
    }
  }

  /// Whether all that the rows of gradients get comes from one block.
  static bool is_one_block(const AttentionHead& head) {
    return head.queries > 0 && head.queries <= kBlock && head.keys > 0 && head.keys <= kBlock &&
           head.group == 1;
  }
  static bool starts(MatrixView<T> target, bool accumulate) {
    return target.data != nullptr && !accumulate;
  }

  void run_block(const AttentionHead& head, Range queries, const KeyRows<T>& rows,
                 Arena& arena) const {
    Workspace::Scope scope(arena);
    const Scratch scratch(distances, scope, head.width);
    const ConstMatrixView<T> q = near_rows(queries.of(head.query_rows(query)), scratch.rows[0]);
    const ConstMatrixView<T> dout =
        near_rows(queries.of(head.query_rows(doutput)), scratch.rows[1]);
    const T scale = score_scale<T>(shape.options.score, head.width);
    pack_transposed(q, scale, scratch.queries);
    pack_transposed(dout, scale, scratch.gradients);
    multiply_rows(dout, queries.of(head.query_rows(ConstMatrixView<T>(output))), scale,
                  scratch.means);
    const T* const logs = log_sums + (head.query_begin + queries.begin) * shape.heads + head.index;
    std::fill_n(scratch.log_sums, kBlock, T(0));
    for (int64_t r = 0; r < queries.count; ++r) scratch.log_sums[r] = logs[r * shape.heads];
    const bool adds = !is_one_block(head);
    for_key_blocks(queries, rows.range, shape.causal, [&](const Block& block) {
      const ConstMatrixView<T> k = rows.keys_of(block);
      const ConstMatrixView<T> v = rows.values_of(block);
      score_block(shape, distances, head, block, k, scratch.queries, scratch.distances,
                  scratch.weights);
      multiply_keys(block, v, scratch.gradients, scratch.dscores);
      if (distances.values.data != nullptr) {
        add_table_products(block, distances.values, scratch.gradients, scratch.distances,
                           scratch.dscores);
      }
      for_bands(block.keys.count, [&](Range band) {
        if (shape.dropout.active()) {
          weight_factors(shape.dropout, head, block, band, scratch.factors);
          differentiate<true>(block, band, scratch);
        } else {
          differentiate<false>(block, band, scratch);
        }
      });
      if (dquery.data != nullptr) {
        sum_over_keys<T>(block, scratch.dscores, k, queries.of(head.query_rows(dquery)),
                         adds || accumulate_query);
      }
      if (dkey.data != nullptr) {
        sum_over_queries<T>(block, scratch.dscores, q, block.keys.of(head.key_rows(dkey)),
                            adds || accumulate_key);
      }
      if (dvalue.data != nullptr) {
        sum_over_queries<T>(block, scratch.weights, dout, block.keys.of(head.key_rows(dvalue)),
                            adds || accumulate_value);
      }
      if (distances.keys.data != nullptr) differentiate_tables(head, block, scratch);
    });
  }

  /// What the block adds to the gradients of the tables, and the table of keys to those of queries.
  void differentiate_tables(const AttentionHead& head, const Block& block,
                            const Scratch& scratch) const {
    sum_by_distance(block, scratch.dscores, distances.keys.rows, scratch.distances);
    sums.add_to_keys(head, block, scratch.distances);
    if (dquery.data != nullptr) {
      add_table_rows<T>(block, scratch.distances, distances.keys,
                        block.queries.of(head.query_rows(dquery)));
    }
    sum_by_distance(block, scratch.weights, distances.values.rows, scratch.distances);
    sums.add_to_values(head, block, scratch.distances);
  }

  /// In place, for a band of the block's keys: scores become the weights after dropout; the
  /// gradients of those, the gradients of the raw scores.
  template <bool Dropped>
  void differentiate(const Block& block, Range band, const Scratch& scratch) const {
    for_query_vectors<T>(block, band, [&](int64_t query, Range keys, const auto& visible) {
      const Vec<T> log_sum = simd::load(scratch.log_sums + query);
      const Vec<T> mean = simd::load(scratch.means + query);
      for (int64_t key = keys.begin; key < keys.begin + keys.count; ++key) {
        const int64_t at = key * kBlock + query;
        const Vec<T> weight =
            visible(key, simd::exp(simd::load(scratch.weights + at) - log_sum), T(0));
        Vec<T> kept = weight;
        if constexpr (Dropped) kept *= simd::load(scratch.factors + at - keys.begin * kBlock);
        simd::store<T>(kept * simd::load(scratch.dscores + at) - weight * mean,
                       scratch.dscores + at);
        simd::store<T>(kept, scratch.weights + at);
      }
    });
  }
};

}  // namespace

template <class T>
void attention_forward(const AttentionShape& shape, ConstMatrixView<T> query,
                       ConstMatrixView<T> key, ConstMatrixView<T> value, MatrixView<T> output,
                       T* log_sums, T* probabilities, Workspace& workspace,
                       const DistanceTerms<T>& distances) {
  check_attention(shape, query.rows, key.rows, query.cols, key.cols);
  Workspace::Scope scope(workspace.shared());
  int64_t* const begins = scope.allocate<int64_t>(shape.queries.sentences());
  place_probabilities(shape, begins);
  const Forward<T> pass{shape,  distances, query,         key,   value,
                        output, log_sums,  probabilities, begins};
  for_pieces(shape, query.cols, key.cols, most_parts(shape.queries, kChunk), 1, workspace,
             [&](const AttentionHead& head, int64_t piece, Arena& arena) {
               const Range queries = Range{0, head.queries}.part(piece, kChunk);
               if (queries.count > 0) pass.run_chunk(head, queries, arena);
             });
}

template <class T>
void attention_backward(const AttentionShape& shape, ConstMatrixView<T> query,
                        ConstMatrixView<T> key, ConstMatrixView<T> value, ConstMatrixView<T> output,
                        const T* log_sums, ConstMatrixView<T> doutput, MatrixView<T> dquery,
                        bool accumulate_query, MatrixView<T> dkey, bool accumulate_key,
                        MatrixView<T> dvalue, bool accumulate_value, Workspace& workspace,
                        const DistanceTerms<T>& distances, const DistanceGradients<T>& ddistances) {
  check_attention(shape, query.rows, key.rows, query.cols, key.cols);
  Workspace::Scope scope(workspace.shared());
  const DistanceSums<T> sums(shape, distances, ddistances, query.rows, scope);
  const Backward<T> pass{shape,
                         distances,
                         sums,
                         query,
                         key,
                         value,
                         output,
                         log_sums,
                         doutput,
                         dquery,
                         dkey,
                         dvalue,
                         accumulate_query,
                         accumulate_key,
                         accumulate_value};
  const int64_t chunks =
      std::max(most_parts(shape.queries, kChunk), most_parts(shape.keys, kChunk));
  for (int64_t round = 0; round < chunks; ++round) {
    for_pieces(shape, query.cols, key.cols, chunks, query.cols / key.cols, workspace,
               [&](const AttentionHead& head, int64_t chunk, Arena& arena) {
                 pass.run_chunk(head, round, chunk, arena);
               });
  }
  sums.finish(query, doutput, ddistances, workspace);
}

#define CALQUE_INSTANTIATE(T)                                                                     \
  template void attention_forward(const AttentionShape&, ConstMatrixView<T>, ConstMatrixView<T>,  \
                                  ConstMatrixView<T>, MatrixView<T>, T*, T*, Workspace&,          \
                                  const DistanceTerms<T>&);                                       \
  template void attention_backward(                                                               \
      const AttentionShape&, ConstMatrixView<T>, ConstMatrixView<T>, ConstMatrixView<T>,          \
      ConstMatrixView<T>, const T*, ConstMatrixView<T>, MatrixView<T>, bool, MatrixView<T>, bool, \
      MatrixView<T>, bool, Workspace&, const DistanceTerms<T>&, const DistanceGradients<T>&);
CALQUE_INSTANTIATE(float)
CALQUE_INSTANTIATE(double)
#undef CALQUE_INSTANTIATE

}  // namespace calque::kernels
