#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "data/data_options.h"
#include "data/drift.h"
#include "text/text_files.h"

namespace calque {

/// Where a fault was seen.
struct FaultExample {
  TextPlace place;
  int64_t byte = 0;               // of the line, 1-based; 0: the line as a whole
  std::optional<TextPlace> like;  // of a repeated pair: where the same pair stands too

  /// "train.en:17", "train.en:17 byte 5", "train.en:17 like train.en:3".
  std::string to_string() const;
};

/// What a pass over parallel text found: what it kept, mended and left out. A pair may have several
/// faults, and counts for each.
struct DropReport {
  struct Count {
    int64_t count = 0;                   // lines, for the faults of a line by itself; else pairs
    std::vector<FaultExample> examples;  // the first ones
  };
  static constexpr size_t kExamples = 3;

  int64_t read = 0;      // pairs of lines
  int64_t left_out = 0;  // of these
  std::array<Count, kFaults> faults;
  std::vector<Drift> drifts;

  const Count& of(Fault fault) const { return faults[number(fault)]; }
  void add(Fault fault, FaultExample example, size_t most_examples = kExamples);
  int64_t kept() const { return read - left_out; }

  /// One line for what was kept, one for each fault that occurred with what `options` do about it,
  /// and one for each stretch where the sides drift apart. `name`: "train".
  std::vector<std::string> lines(const std::string& name, const DataOptions& options) const;
  /// The same in short: "300 of 303 pairs; left out: 2 with an empty source".
  std::string summary(const DataOptions& options) const;
  /// What a training with these options has against text of which this is the report, each with how
  /// to mend it: faults that are errors, too much left out, nothing left. Empty: it would start.
  std::vector<std::string> refusals(const std::string& name, const DataOptions& options) const;
};

/// "2 with an empty source (a.en:3, a.en:9)".
std::string describe(Fault fault, const DropReport::Count& count);

/// A number of things: whole, not negative, and small enough that sums of them stay numbers. Throws
/// std::out_of_range for any other value.
int64_t count_from_json(const nlohmann::ordered_json& json);

nlohmann::ordered_json to_json(const DropReport& report);
/// Throws some std::exception where it is no such report.
DropReport report_from_json(const nlohmann::ordered_json& json);

}  // namespace calque
