#include "base/random_sequence.h"

#include <cmath>

#include "support/catch.h"

namespace calque {
namespace {

TEST_CASE("a sequence of random numbers is the words at its row, uniform", "[base]") {
  const RandomKey key{5, 2, 9};
  RandomSequence sequence(key, 7);
  double sum = 0;
  for (uint32_t column = 0; column < 1000; ++column) {
    for (const uint32_t word : random_words(key, 7, column)) {
      const double drawn = sequence.uniform();
      CHECK(drawn == word / 4294967296.0);
      sum += drawn;
    }
  }
  CHECK(std::abs(sum / 4000 - 0.5) < 0.02);
  CHECK(RandomSequence(key, 8).uniform() != RandomSequence(key, 7).uniform());
}

}  // namespace
}  // namespace calque
