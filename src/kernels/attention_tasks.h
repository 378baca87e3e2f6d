#pragma once

#include "base/parallel.h"
#include "kernels/attention_head.h"

// How attention is cut into tasks for the threads: by shapes alone.

namespace calque::kernels {

/// Queries, and in backward keys, of a task: what is near then stays in the second cache.
inline constexpr int64_t kChunkBlocks = 6;
inline constexpr int64_t kChunk = kChunkBlocks * kBlock;

/// The most pieces of `size` that a sentence's queries or keys have, at least 1.
inline int64_t most_parts(const SequenceLayout& layout, int64_t size) {
  int64_t most = 1;
  for (const int32_t length : layout.lengths) most = std::max(most, pieces(length, size));
  return most;
}

/// The multiply-adds of the scores of the sentence that has most, over all heads, as if nothing
/// were hidden.
inline int64_t most_products(const AttentionShape& shape, int64_t model) {
  int64_t most = 0;
  for (size_t s = 0; s < shape.queries.lengths.size(); ++s) {
    const int64_t queries = shape.queries.lengths[s];
    most = std::max(most, queries * shape.keys.lengths[s] * model);
  }
  return most;
}

/// Calls `body(head, piece, worker's arena)` for `count` pieces of every sentence and head, on all
/// threads; on one, and in their order, for `together` neighbouring heads. Where all sentences are
/// short, a task is a sentence: its heads are neighbours in memory.
template <class Body>
void for_pieces(const AttentionShape& shape, int64_t model, int64_t key_model, int64_t count,
                int64_t together, Workspace& workspace, const Body& body) {
  constexpr int64_t kMany = 8;
  constexpr int64_t kProductsOfShort = int64_t{1} << 20;
  const int64_t sentences = shape.queries.sentences();
  const bool by_sentence = sentences >= kMany && most_products(shape, model) <= kProductsOfShort;
  const int64_t units = shape.heads / together;
  const int64_t step = by_sentence ? units * count : 1;
  const int64_t tasks = sentences * units * count / step;
  parallel_for(tasks, [&](int64_t task, int worker) {
    for (int64_t i = task * step; i < (task + 1) * step; ++i) {
      const int64_t first = i / count * together;
      for (int64_t head = first; head < first + together; ++head) {
        body(AttentionHead(shape, head, model, key_model), i % count, workspace.worker(worker));
      }
    }
  });
}

}  // namespace calque::kernels
