#include "kernels/work.h"

namespace calque::kernels::work {

double visible_pairs(const AttentionShape& shape) {
  double pairs = 0;
  for (int64_t s = 0; s < shape.queries.sentences(); ++s) {
    const auto at = static_cast<size_t>(s);
    const double queries = shape.queries.lengths[at];
    const double keys = shape.keys.lengths[at];
    pairs += shape.causal ? queries * (queries + 1) / 2 : queries * keys;
  }
  return pairs;
}

}  // namespace calque::kernels::work
