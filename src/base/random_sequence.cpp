#include "base/random_sequence.h"

namespace calque {

double RandomSequence::uniform() {
  const uint32_t index = drawn_ % 4;
  if (index == 0) words_ = random_words(key_, row_, drawn_ / 4);
  ++drawn_;
  return words_[index] * 0x1p-32;
}

}  // namespace calque
