#include "data/batch.h"

#include "text/special_ids.h"

namespace calque {

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
  pairs.push_back(pair);
  corpus.append_source(pair, source_ids);
  source_ids.push_back(kEndId);
  source_layout.append(corpus.source_length(pair) + 1);
  target_input_ids.push_back(kBeginId);
  corpus.append_target(pair, target_input_ids);
  corpus.append_target(pair, target_output_ids);
  target_output_ids.push_back(kEndId);
  target_layout.append(corpus.target_length(pair) + 1);
}

void Batch::append(int64_t pair, std::span<const int32_t> source, std::span<const int32_t> target) {
  pairs.push_back(pair);
  source_ids.insert(source_ids.end(), source.begin(), source.end());
  source_ids.push_back(kEndId);
  source_layout.append(std::ssize(source) + 1);
  target_input_ids.push_back(kBeginId);
  target_input_ids.insert(target_input_ids.end(), target.begin(), target.end());
  target_output_ids.insert(target_output_ids.end(), target.begin(), target.end());
  target_output_ids.push_back(kEndId);
  target_layout.append(std::ssize(target) + 1);
}

}  // namespace calque
