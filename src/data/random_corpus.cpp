#include "data/random_corpus.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "text/special_ids.h"

namespace calque {
namespace {

constexpr int64_t kShortest = 5;
constexpr int64_t kLongest = 40;
constexpr double kMedian = 14;
constexpr double kSpread = 0.45;      // of the logarithm of a source's length
constexpr double kSideSpread = 0.15;  // of the logarithm of target length / source length

/// One random number behind the other.
class RandomStream {
 public:
  explicit RandomStream(uint64_t seed) : key_{seed, 0, streams::kRandomCorpus} {}
  double uniform() { return random_uniform(key_, next_++); }
  double normal() { return random_normal(key_, next_++); }

 private:
  RandomKey key_;
  uint64_t next_ = 0;
};

/// A piece of the vocabulary: rank^-1, which is a uniform logarithm.
int32_t random_piece(RandomStream& random, int64_t vocab) {
  constexpr int32_t kFirst = kEndId + 1;
  const int64_t pieces = std::max<int64_t>(vocab - kFirst, 1);
  const double rank = std::pow(static_cast<double>(pieces) + 1, random.uniform());
  return kFirst + static_cast<int32_t>(std::min<int64_t>(static_cast<int64_t>(rank), pieces) - 1);
}

/// Pieces of a sentence of about `tokens` tokens, its end included.
int64_t pieces_of(double tokens, int64_t longest) {
  const int64_t most = std::min(longest, kLongest);
  return std::clamp(static_cast<int64_t>(std::lround(tokens)), std::min(kShortest, most), most) - 1;
}

}  // namespace

ParallelCorpus make_random_corpus(const std::filesystem::path& folder, int64_t pairs,
                                  int64_t longest, int64_t source_vocab, int64_t target_vocab,
                                  uint64_t seed) {
  CALQUE_CHECK(pairs > 0 && longest >= 2 && source_vocab > kEndId + 1 && target_vocab > kEndId + 1,
               "{} random pairs of up to {} tokens, vocabularies of {} and {}", pairs, longest,
               source_vocab, target_vocab);
  const std::filesystem::path stem = folder / "random";
  TokenCacheWriter writer(stem, seed, source_vocab, target_vocab);
  RandomStream random(seed);
  std::vector<int32_t> source;
  std::vector<int32_t> target;
  const auto fill = [&](std::vector<int32_t>& ids, double tokens, int64_t vocab) {
    ids.resize(static_cast<size_t>(pieces_of(tokens, longest)));
    for (int32_t& id : ids) id = random_piece(random, vocab);
  };
  for (int64_t pair = 1; pair <= pairs; ++pair) {
    const double tokens = kMedian * std::exp(kSpread * random.normal());
    fill(source, tokens, source_vocab);
    fill(target, tokens * std::exp(kSideSpread * random.normal()), target_vocab);
    writer.add(pair, source, target);
  }
  DropReport report;
  report.read = pairs;
  writer.finish(report);
  return {"random", TokenCache(stem, seed, source_vocab, target_vocab)};
}

}  // namespace calque
