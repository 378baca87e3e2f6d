#include "data/drift.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/stopwatch.h"

namespace calque {
namespace {

/// Short lines differ by chance: as if each were this much longer.
constexpr double kPadding = 8;
/// A difference counts for no more than this.
constexpr double kMostDifference = 1;

double log_length(double bytes) { return std::log(bytes + kPadding); }

}  // namespace

std::string Drift::to_string() const {
  return fmt::format(
      "the sides drift apart from about {} and {} on, for {}: line n of the source fits line n {} "
      "{} of the target; look for a line that is missing or too many shortly before",
      source.to_string(), target.to_string(), format_count(pairs, "pair"), shift > 0 ? '+' : '-',
      std::abs(shift));
}

void DriftDetector::add(size_t source_bytes, size_t target_bytes, const TextPlace& source,
                        const TextPlace& target) {
  const auto source_size = static_cast<double>(source_bytes);
  const auto target_size = static_cast<double>(target_bytes);
  source_bytes_ += source_size;
  target_bytes_ += target_size;
  Pair& newest = pair(added_++);
  newest.source = log_length(source_size);
  newest.target = log_length(target_size);
  newest.offset = std::log(source_bytes_ / target_bytes_);
  newest.source_place = source;
  newest.target_place = target;
  if (added_ - judged_ > kMostShift) judge_next();
}

std::vector<Drift> DriftDetector::finish() {
  while (judged_ < added_) judge_next();
  for (int64_t shift = -kMostShift; shift <= kMostShift; ++shift) {
    close(runs_[static_cast<size_t>(shift + kMostShift)], shift);
  }
  std::vector<Drift> drifts;
  std::ranges::sort(found_, {}, &Found::begin);
  for (Found& found : found_) drifts.push_back(std::move(found.drift));
  return drifts;
}

void DriftDetector::judge_next() {
  const int64_t n = judged_++;
  const Pair& here = pair(n);
  const auto difference = [&](int64_t other) {
    return std::min(std::fabs(here.source - pair(other).target - here.offset), kMostDifference);
  };
  const double as_it_stands = difference(n);
  const int64_t first = std::max(n - kMostShift, int64_t{0});
  const int64_t end = std::min(n + kMostShift + 1, added_);
  for (int64_t other = first; other < end; ++other) {
    if (other == n) continue;
    const int64_t shift = other - n;
    Run& run = runs_[static_cast<size_t>(shift + kMostShift)];
    const double speaks_for_it = as_it_stands - 1.5 * difference(other) - 0.05;
    if (run.sum == 0) {
      if (speaks_for_it <= 0) continue;
      run.begin = n;
      run.most = 0;
      run.source = here.source_place;
      run.target = here.target_place;
    }
    run.sum = std::max(run.sum + speaks_for_it, 0.0);
    if (run.sum > run.most) {
      run.most = run.sum;
      run.pairs = n + 1 - run.begin;
    }
    if (run.sum == 0 || run.sum < run.most - kEnough) close(run, shift);
  }
}

void DriftDetector::close(Run& run, int64_t shift) {
  const Found found{
      run.begin, run.begin + run.pairs, run.most, {run.source, run.target, run.pairs, shift}};
  run.sum = 0;
  if (std::exchange(run.most, 0) < kEnough) return;
  // Where texts are shifted by one line, two or three may fit better than none as well.
  const auto is_better_run = [&](const Run& other) {
    return other.sum > 0 && other.most > found.most && other.begin < found.end;
  };
  const auto is_better = [&](const Found& other) {
    return other.most >= found.most && other.begin < found.end && found.begin < other.end;
  };
  if (std::ranges::any_of(runs_, is_better_run) || std::ranges::any_of(found_, is_better)) return;
  std::erase_if(found_, [&](const Found& other) {
    return other.begin < found.end && found.begin < other.end;
  });
  if (found_.size() < kMostDrifts) found_.push_back(found);
}

}  // namespace calque
