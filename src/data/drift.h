#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "text/text_files.h"

namespace calque {

/// A stretch of pairs whose sides do not belong together: their lengths fit much better when one
/// side is shifted.
struct Drift {
  TextPlace source;  // the first pair, within some lines
  TextPlace target;
  int64_t pairs = 0;  // until they go together again, or the end
  int64_t shift = 0;  // line n of the source goes with line n + shift of the target

  std::string to_string() const;
};

/// Finds where the lines of two texts drift apart, as when a line is missing on one side: from
/// there on the length of a line says nothing about that of the line across, but much about that of
/// a line nearby.
///
/// With d(n, k) the difference of log-lengths of source line n and target line n + k, beyond what
/// the languages differ in (Gale & Church 1993, "A Program for Aligning Sentences"), a pair speaks
/// for a shift by k with d(n, 0) - 1.5 d(n, k) - 0.05. A stretch in which that adds up to more than
/// 8 is a drift: about 80 lines of ordinary text. For a shift up to kMostShift lines. Lines without
/// any relation reach 6 or 7 in some thousand lines by chance.
class DriftDetector {
 public:
  static constexpr int64_t kMostShift = 10;

  /// The next pair: the bytes of its sides, and where they stand.
  void add(size_t source_bytes, size_t target_bytes, const TextPlace& source,
           const TextPlace& target);
  /// Behind the last pair: the stretches found, in order, at most kMostDrifts.
  std::vector<Drift> finish();

 private:
  static constexpr int64_t kWindow = 2 * kMostShift + 1;
  static constexpr size_t kMostDrifts = 100;
  static constexpr double kEnough = 8;

  struct Pair {
    double source = 0;  // logarithm of the length
    double target = 0;
    double offset = 0;  // by how much a source's is greater, of all pairs up to here
    TextPlace source_place;
    TextPlace target_place;
  };
  /// The best stretch for one shift that ends at the pair judged last.
  struct Run {
    int64_t begin = 0;
    int64_t pairs = 0;  // up to where the sum was greatest
    double sum = 0;     // 0: there is none
    double most = 0;
    TextPlace source;
    TextPlace target;
  };
  struct Found {
    int64_t begin;
    int64_t end;
    double most;
    Drift drift;
  };

  int64_t added_ = 0;
  int64_t judged_ = 0;
  std::array<Pair, kWindow> pairs_;  // pair n is pairs_[n % kWindow]
  double source_bytes_ = 1;
  double target_bytes_ = 1;
  std::array<Run, kWindow> runs_;  // for the shifts from -kMostShift
  std::vector<Found> found_;

  Pair& pair(int64_t n) { return pairs_[static_cast<size_t>(n % kWindow)]; }
  void judge_next();
  void close(Run& run, int64_t shift);
};

}  // namespace calque
