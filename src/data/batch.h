#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/batch_position.h"
#include "data/corpus.h"
#include "tensor/sequence_layout.h"

namespace calque {

/// Sentence pairs as the model takes them: packed, every row a real token. `sentences` pairs have
/// `source_tokens` = pieces + sentences and `target_tokens` = pieces + sentences rows. Cleared and
/// filled again without new memory.
struct Batch {
  BatchPosition position;
  double epochs = 0;                       // taken with this batch, as Batcher::epochs
  std::vector<int64_t> pairs;              // [sentences] numbers in the corpus
  std::vector<int32_t> source_ids;         // [source_tokens] pieces, end
  SequenceLayoutBuffer source_layout;      // [sentences]
  std::vector<int32_t> target_input_ids;   // [target_tokens] begin, pieces: what the decoder reads
  std::vector<int32_t> target_output_ids;  // [target_tokens] pieces, end: what it should say
  SequenceLayoutBuffer target_layout;      // [sentences]

  int64_t sentences() const { return static_cast<int64_t>(pairs.size()); }
  int64_t source_tokens() const { return static_cast<int64_t>(source_ids.size()); }
  int64_t target_tokens() const { return static_cast<int64_t>(target_output_ids.size()); }

  /// Most sentences that batches of `tokens` tokens a side may have: each has a piece and an end.
  static int64_t most_sentences(int64_t tokens) { return tokens / 2; }
  /// Memory for `tokens` tokens a side.
  void reserve(int64_t tokens);
  /// Forgets the sentences and the position.
  void clear();
  /// Adds a pair of the corpus behind the others.
  void append(const ParallelCorpus& corpus, int64_t pair);
  /// The same with other pieces than the corpus has.
  void append(int64_t pair, std::span<const int32_t> source, std::span<const int32_t> target);
};

}  // namespace calque
