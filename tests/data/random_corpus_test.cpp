#include "data/random_corpus.h"

#include <algorithm>
#include <map>

#include "base/temporary_folder.h"
#include "support/catch.h"
#include "text/special_ids.h"

using namespace calque;
using calque::test::TemporaryFolder;

namespace {

std::vector<int32_t> source_of(const ParallelCorpus& corpus, int64_t pair) {
  std::vector<int32_t> ids;
  corpus.append_source(pair, ids);
  return ids;
}

}  // namespace

TEST_CASE("random sentences have the lengths and frequencies of text", "[data]") {
  const TemporaryFolder folder;
  constexpr int64_t kPairs = 4000;
  const ParallelCorpus corpus = make_random_corpus(folder.path(), kPairs, 100, 1000, 500, 3);
  REQUIRE(corpus.size() == kPairs);
  std::map<int64_t, int64_t> lengths;
  std::map<int32_t, int64_t> counts;
  int64_t of_other_length = 0;
  for (int64_t pair = 0; pair < kPairs; ++pair) {
    const int64_t tokens = corpus.source_length(pair) + 1;
    REQUIRE((tokens >= 5 && tokens <= 40));
    REQUIRE((corpus.target_length(pair) + 1 >= 5 && corpus.target_length(pair) + 1 <= 40));
    of_other_length += corpus.target_length(pair) != corpus.source_length(pair) ? 1 : 0;
    ++lengths[tokens];
    for (const int32_t id : source_of(corpus, pair)) ++counts[id];
  }
  const double mean = 1 + static_cast<double>(corpus.source_pieces()) / kPairs;
  CHECK((mean > 13 && mean < 18));
  CHECK(lengths.size() > 30);
  CHECK(of_other_length > kPairs / 2);
  CHECK(counts.begin()->first == kEndId + 1);
  CHECK(counts.rbegin()->first < 1000);
  // Zipf: the first piece is twice as frequent as the second.
  const double ratio = static_cast<double>(counts[kEndId + 1]) / counts[kEndId + 2];
  CHECK((ratio > 1.5 && ratio < 2));  // integer parts of a uniform logarithm: ln 2 / ln 1.5
}

TEST_CASE("random sentences respect a bound, and depend on the seed alone", "[data]") {
  const TemporaryFolder folder;
  const ParallelCorpus first = make_random_corpus(folder.path() / "a", 50, 4, 20, 20, 1);
  const ParallelCorpus same = make_random_corpus(folder.path() / "b", 50, 4, 20, 20, 1);
  const ParallelCorpus other = make_random_corpus(folder.path() / "c", 50, 4, 20, 20, 2);
  CHECK(first.longest_source() == 3);
  CHECK(first.longest_target() == 3);
  bool differs = false;
  for (int64_t pair = 0; pair < 50; ++pair) {
    REQUIRE(source_of(first, pair) == source_of(same, pair));
    differs = differs || source_of(first, pair) != source_of(other, pair);
  }
  CHECK(differs);
}
