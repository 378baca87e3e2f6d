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
                     int64_t model) {
  CALQUE_CHECK(shape.heads > 0 && model % shape.heads == 0, "model {} in {} heads", model,
               shape.heads);
  CALQUE_CHECK(shape.queries.sentences() == shape.keys.sentences(),
               "{} sentences of queries, {} of keys", shape.queries.sentences(),
               shape.keys.sentences());
  check_inside(shape.queries, query_rows, "queries");
  check_inside(shape.keys, key_rows, "keys");
  for (size_t s = 0; s < shape.keys.lengths.size(); ++s) {
    CALQUE_CHECK(!shape.causal || shape.keys.lengths[s] == shape.queries.lengths[s],
                 "causal attention of sentence {}: {} queries, {} keys", s,
                 shape.queries.lengths[s], shape.keys.lengths[s]);
    CALQUE_CHECK(!shape.dropout.active() || shape.keys.lengths[s] <= kColumnsPerHead,
                 "attention dropout reaches {} keys at most, sentence {} has {}", kColumnsPerHead,
                 s, shape.keys.lengths[s]);
  }
}

}  // namespace calque::kernels
