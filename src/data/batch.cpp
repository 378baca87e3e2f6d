#include "data/batch.h"

#include "text/special_ids.h"

namespace calque {

namespace {

/// Makes a pair of the pieces that `source_ids` and `target_output_ids` have more than the layouts.
void end_pair(Batch& batch, int64_t pair) {
  batch.pairs.push_back(pair);
  batch.source_ids.push_back(kEndId);
  batch.source_layout.append(batch.source_tokens() - batch.source_layout.view().tokens);
  const auto target = batch.target_output_ids.begin() + batch.target_layout.view().tokens;
  batch.target_input_ids.push_back(kBeginId);
  batch.target_input_ids.insert(batch.target_input_ids.end(), target,
                                batch.target_output_ids.end());
  batch.target_output_ids.push_back(kEndId);
  batch.target_layout.append(batch.target_tokens() - batch.target_layout.view().tokens);
}

}  // namespace

void Batch::reserve(int64_t tokens) {
  for (auto* ids : {&source_ids, &target_input_ids, &target_output_ids}) {
    ids->reserve(static_cast<size_t>(tokens));
  }
  const int64_t sentences = most_sentences(tokens);
  pairs.reserve(static_cast<size_t>(sentences));
  source_layout.reserve(sentences);
  target_layout.reserve(sentences);
}

void Batch::clear() {
  position = {};
  pairs.clear();
  source_ids.clear();
  source_layout.clear();
  target_input_ids.clear();
  target_output_ids.clear();
  target_layout.clear();
}

void Batch::append(const ParallelCorpus& corpus, int64_t pair) {
  corpus.append_source(pair, source_ids);
  corpus.append_target(pair, target_output_ids);
  end_pair(*this, pair);
}

void Batch::append(int64_t pair, std::span<const int32_t> source, std::span<const int32_t> target) {
  source_ids.insert(source_ids.end(), source.begin(), source.end());
  target_output_ids.insert(target_output_ids.end(), target.begin(), target.end());
  end_pair(*this, pair);
}

}  // namespace calque
