#include "data/pair_block.h"

#include <algorithm>

#include "base/parallel.h"
#include "text/special_ids.h"

namespace calque {
namespace {

std::vector<ParallelFiles> parts_of(const ParallelFiles& files) {
  if (files.source.size() != files.target.size()) return {files};
  std::vector<ParallelFiles> parts;
  for (size_t i = 0; i < files.source.size(); ++i) {
    parts.push_back({{files.source[i]}, {files.target[i]}});
  }
  return parts;
}

/// One unknown piece for each word.
void count_words(const std::string& line, std::vector<int32_t>& ids) {
  ids.clear();
  bool inside = false;
  for (const char c : line) {
    const bool is_space = c == ' ' || c == '\t';
    if (!is_space && !inside) ids.push_back(kUnknownId);
    inside = !is_space;
  }
}

}  // namespace

PairReader::PairReader(const ParallelFiles& files, const LinePolicies& policies)
    : parts_(parts_of(files)), policies_(policies) {}

bool PairReader::next(TextPair& pair) {
  while (!source_ || !source_->next(pair.source_line) || !target_->next(pair.target_line)) {
    if (next_part_ == parts_.size()) return false;
    const ParallelFiles& part = parts_[next_part_++];
    source_.emplace(part.source, policies_);
    target_.emplace(part.target, policies_);
  }
  pair.source_place = source_->place();
  pair.target_place = target_->place();
  pair.source_faults = source_->faults();
  pair.target_faults = target_->faults();
  return true;
}

bool PairBlock::read(PairReader& reader) {
  size_ = 0;
  while (size_ < kPairs && reader.next(pairs_[size_])) ++size_;
  return size_ > 0;
}

void PairBlock::tokenize(const TokenizerPair& tokenizers) {
  parallel_for(static_cast<int64_t>((size_ + kPairsPerTask - 1) / kPairsPerTask),
               [&](int64_t task, int) {
                 const size_t begin = static_cast<size_t>(task) * kPairsPerTask;
                 for (size_t i = begin; i < std::min(begin + kPairsPerTask, size_); ++i) {
                   tokenizers.source().encode(pairs_[i].source_line, pairs_[i].source);
                   tokenizers.target().encode(pairs_[i].target_line, pairs_[i].target);
                 }
               });
}

void PairBlock::count_words() {
  for (TextPair& pair : pairs()) {
    calque::count_words(pair.source_line, pair.source);
    calque::count_words(pair.target_line, pair.target);
  }
}

}  // namespace calque
