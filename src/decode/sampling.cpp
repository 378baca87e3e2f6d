#include "decode/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/random.h"
#include "text/special_ids.h"

namespace calque {
namespace {

double uniform(uint64_t seed, const DrawPlace& place) {
  const RandomKey key{seed, static_cast<uint32_t>(place.line), streams::kSampling};
  constexpr int kSampleBit = 32;
  constexpr int kPartBit = 42;  // a line has 1000 samples at most
  return random_uniform(key, static_cast<uint64_t>(place.part) << kPartBit |
                                 static_cast<uint64_t>(place.sample) << kSampleBit |
                                 static_cast<uint64_t>(place.position));
}

}  // namespace

int32_t draw_token(std::span<const Real> logits, const SamplingOptions& options,
                   const DrawPlace& place) {
  const auto logit = [&](int32_t token) { return logits[static_cast<size_t>(token)]; };
  std::vector<int32_t> tokens;  // that may be drawn, in an order that the logits alone determine
  for (int32_t token = 0; token < static_cast<int32_t>(logits.size()); ++token) {
    if (logit(token) > -std::numeric_limits<Real>::infinity()) tokens.push_back(token);
  }
  if (tokens.empty()) return kEndId;  // a model whose numbers are none
  const auto likelier = [&](int32_t a, int32_t b) {
    return logit(a) != logit(b) ? logit(a) > logit(b) : a < b;
  };
  if (options.top_k > 0 && options.top_k < std::ssize(tokens)) {
    std::ranges::partial_sort(tokens, tokens.begin() + options.top_k, likelier);
    tokens.resize(static_cast<size_t>(options.top_k));
  }
  const auto highest = static_cast<double>(*std::ranges::max_element(logits));
  const auto weight = [&](int32_t token) {
    return std::exp((static_cast<double>(logit(token)) - highest) / options.temperature);
  };
  double total = 0;
  for (const int32_t token : tokens) total += weight(token);

  if (options.top_p < 1) {
    const auto less_likely = [&](int32_t a, int32_t b) { return likelier(b, a); };
    std::ranges::make_heap(tokens, less_likely);
    const double enough = options.top_p * total;
    auto rest = tokens.end();  // behind it the likeliest lie, taken from the heap
    total = 0;
    while (rest != tokens.begin() && (total < enough || total == 0)) {
      std::ranges::pop_heap(tokens.begin(), rest, less_likely);
      total += weight(*--rest);
    }
    tokens.erase(tokens.begin(), rest);
  }

  double left = uniform(options.seed, place) * total;
  for (const int32_t token : tokens) {
    left -= weight(token);
    if (left < 0) return token;
  }
  return tokens.back();  // rounding
}

}  // namespace calque
