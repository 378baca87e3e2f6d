#include "train/micro_batch.h"

#include <algorithm>

namespace calque {
namespace {

/// Lays sentences [first, last) of `whole` out from row 0; returns the row that they begin at.
int64_t lay_out(const SequenceLayout& whole, int64_t first, int64_t last,
                SequenceLayoutBuffer& part) {
  part.clear();
  for (int64_t s = first; s < last; ++s) part.append(whole.lengths[static_cast<size_t>(s)]);
  return whole.begins[static_cast<size_t>(first)];
}

/// The first sentence of part `index` of `count`: parts of about as many tokens, each of a sentence
/// at least. `count` is the one behind the last.
int64_t first_sentence(const SequenceLayout& layout, int64_t index, int64_t count) {
  int64_t first = 0;
  for (int64_t part = 1; part <= index; ++part) {
    const int64_t tokens_before = layout.tokens * part / count;
    const int64_t wanted =
        std::ranges::lower_bound(layout.begins, tokens_before) - layout.begins.begin();
    const int64_t most = layout.sentences() - (count - part);
    first = std::clamp(wanted, first + 1, most);
  }
  return first;
}

Ids rows(const std::vector<int32_t>& ids, int64_t begin, const SequenceLayout& layout) {
  return Ids(ids).subspan(static_cast<size_t>(begin), static_cast<size_t>(layout.tokens));
}

}  // namespace

TrainingExample training_example(const Batch& batch) {
  return {batch.source_ids, batch.source_layout.view(), batch.target_input_ids,
          batch.target_output_ids, batch.target_layout.view()};
}

MicroBatch::MicroBatch(int64_t batch_tokens) {
  const int64_t sentences = Batch::most_sentences(batch_tokens);
  source_layout_.reserve(sentences);
  target_layout_.reserve(sentences);
}

int64_t MicroBatch::count(const Batch& batch, int64_t tokens) {
  const int64_t longer_side = std::max(batch.source_tokens(), batch.target_tokens());
  return std::clamp<int64_t>((longer_side + tokens - 1) / tokens, 1, batch.sentences());
}

void MicroBatch::cut(const Batch& batch, int64_t index, int64_t count) {
  const SequenceLayout all_sources = batch.source_layout.view();
  const SequenceLayout all_targets = batch.target_layout.view();
  const SequenceLayout& longer =
      all_sources.tokens > all_targets.tokens ? all_sources : all_targets;
  const int64_t first = first_sentence(longer, index, count);
  const int64_t last = first_sentence(longer, index + 1, count);
  const int64_t source = lay_out(all_sources, first, last, source_layout_);
  const int64_t target = lay_out(all_targets, first, last, target_layout_);
  example_.source_layout = source_layout_.view();
  example_.target_layout = target_layout_.view();
  example_.source = rows(batch.source_ids, source, example_.source_layout);
  example_.target_input = rows(batch.target_input_ids, target, example_.target_layout);
  example_.target_output = rows(batch.target_output_ids, target, example_.target_layout);
}

}  // namespace calque
