#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace calque {

/// Why a pair of sentences is not trained on.
enum class DropReason { kEmptySource, kEmptyTarget, kEmptyBoth, kSourceTooLong, kTargetTooLong };
inline constexpr size_t kDropReasons = 5;

/// "an empty source", "too long a target", ...: what such a pair has.
const char* describe(DropReason reason);

/// What the first pass over a corpus kept and what it left out.
struct DropReport {
  struct Count {
    int64_t pairs = 0;
    std::vector<std::string> examples;  // "train.en:17", the first kExamples
  };
  static constexpr size_t kExamples = 3;

  int64_t read = 0;  // pairs of lines
  std::array<Count, kDropReasons> dropped;

  void add(DropReason reason, const std::string& place);
  const Count& of(DropReason reason) const { return dropped[static_cast<size_t>(reason)]; }
  int64_t dropped_pairs() const;
  int64_t kept() const { return read - dropped_pairs(); }
  /// For the log: one line for what was kept, one for each reason that occurred. `name`: "train".
  std::vector<std::string> lines(const std::string& name) const;
};

/// "12 with an empty source (train.en:17, train.en:80, train.en:81, ...)".
std::string describe(DropReason reason, const DropReport::Count& count);

}  // namespace calque
