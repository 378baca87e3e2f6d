#pragma once

#include "data/corpus.h"

namespace calque {

/// Pairs of random sentences, for measuring without text: ids by Zipf's law over the pieces of the
/// vocabularies (id r as often as 1 / r), source lengths log-normal with a median of 14 tokens,
/// target lengths within about a third of the source's; both within 5 and 40 tokens, end included,
/// and `longest` at most. The cache of the pairs is written into `folder` and has to stay there.
/// The same arguments give the same pairs.
ParallelCorpus make_random_corpus(const std::filesystem::path& folder, int64_t pairs,
                                  int64_t longest, int64_t source_vocab, int64_t target_vocab,
                                  uint64_t seed);

}  // namespace calque
