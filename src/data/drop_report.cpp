#include "data/drop_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/stopwatch.h"

namespace calque {
namespace {

using nlohmann::ordered_json;

/// What a policy does, in front of what it is done to.
const char* verb(FaultPolicy policy) {
  switch (policy) {
    case FaultPolicy::kError:
      return "refused";
    case FaultPolicy::kSkip:
      return "left out";
    case FaultPolicy::kReplace:
      return "mended";
    case FaultPolicy::kTruncate:
      return "cut";
    case FaultPolicy::kKeep:
      return "noted";
  }
  return "";
}

/// "1 line with a zero byte", "2 with an empty source".
std::string counted(Fault fault, int64_t count) {
  const bool of_a_line = number(fault) < kLineFaults;
  return fmt::format("{} {}", of_a_line ? format_count(count, "line") : format_count(count),
                     words(fault).which);
}

/// ", or set data.empty: skip": what else to do than to refuse.
std::string other_policies(Fault fault) {
  const bool of_a_line = number(fault) < kLineFaults;
  const bool too_long = fault == Fault::kSourceTooLong || fault == Fault::kTargetTooLong;
  return fmt::format(", or set data.{}: skip{}", words(fault).key,
                     of_a_line ? " (or replace)" : (too_long ? " (or truncate)" : ""));
}

ordered_json to_json(const TextPlace& place) {
  return {{"file", place.file}, {"line", place.line}};
}

TextPlace place_from_json(const ordered_json& json) {
  return {json.at("file").get<std::string>(), count_from_json(json.at("line"))};
}

ordered_json to_json(const FaultExample& example) {
  ordered_json json = to_json(example.place);
  if (example.byte > 0) json["byte"] = example.byte;
  if (example.like) json["like"] = to_json(*example.like);
  return json;
}

FaultExample example_from_json(const ordered_json& json) {
  FaultExample example{
      place_from_json(json), json.contains("byte") ? count_from_json(json.at("byte")) : 0, {}};
  if (json.contains("like")) example.like = place_from_json(json.at("like"));
  return example;
}

int64_t shift_from_json(const ordered_json& json) {
  if (json.is_number_unsigned()) return count_from_json(json);
  if (!json.is_number_integer()) throw std::out_of_range("a shift is no whole number");
  return json.get<int64_t>();
}

}  // namespace

std::string FaultExample::to_string() const {
  std::string text = place.to_string();
  if (byte > 0) text += fmt::format(" byte {}", byte);
  if (like) text += fmt::format(" like {}", like->to_string());
  return text;
}

void DropReport::add(Fault fault, FaultExample example, size_t most_examples) {
  Count& of_fault = faults[number(fault)];
  ++of_fault.count;
  if (of_fault.examples.size() < most_examples) of_fault.examples.push_back(std::move(example));
}

std::vector<std::string> DropReport::lines(const std::string& name,
                                           const DataOptions& options) const {
  std::vector<std::string> result = {
      fmt::format("{}: {} of {} pairs kept", name, format_count(kept()), format_count(read))};
  for (size_t i = 0; i < kFaults; ++i) {
    if (faults[i].count == 0) continue;
    result.push_back(fmt::format("{}: {}: {}", name, verb(options.policy(fault(i))),
                                 describe(fault(i), faults[i])));
  }
  for (const Drift& drift : drifts) {
    result.push_back(fmt::format("{}: {}", name, drift.to_string()));
  }
  return result;
}

std::string DropReport::summary(const DataOptions& options) const {
  std::string text = fmt::format("{} of {} pairs", format_count(kept()), format_count(read));
  for (size_t i = 0; i < kFaults; ++i) {
    if (faults[i].count == 0) continue;
    text +=
        fmt::format("; {}: {}", verb(options.policy(fault(i))), counted(fault(i), faults[i].count));
  }
  return text;
}

std::vector<std::string> DropReport::refusals(const std::string& name,
                                              const DataOptions& options) const {
  std::vector<std::string> result;
  for (size_t i = 0; i < kFaults; ++i) {
    if (faults[i].count == 0 || options.policy(fault(i)) != FaultPolicy::kError) continue;
    result.push_back(fmt::format("pairs of data.{} cannot be used: {}; {}{}", name,
                                 describe(fault(i), faults[i]), words(fault(i)).mend,
                                 other_policies(fault(i))));
  }
  const auto all_lines = [&] { return fmt::format("{}", fmt::join(lines(name, options), "\n  ")); };
  if (kept() == 0) {
    result.push_back(fmt::format("no sentence pair is left in data.{}:\n  {}", name, all_lines()));
    return result;
  }
  const double share = static_cast<double>(left_out) / static_cast<double>(read);
  if (share > options.max_dropped) {
    result.push_back(fmt::format(
        "{:.2f} % of the pairs of data.{} would be left out, more than data.max_dropped ({:.2f} %) "
        "allows; mend the text, or raise data.max_length or data.max_dropped:\n  {}",
        100 * share, name, 100 * options.max_dropped, all_lines()));
  }
  return result;
}

std::string describe(Fault fault, const DropReport::Count& count) {
  const bool more = count.count > std::ssize(count.examples);
  std::vector<std::string> examples;
  for (const FaultExample& example : count.examples) examples.push_back(example.to_string());
  return fmt::format("{} ({}{})", counted(fault, count.count), fmt::join(examples, ", "),
                     more ? ", ..." : "");
}

int64_t count_from_json(const ordered_json& json) {
  constexpr uint64_t kMost = uint64_t{1} << 53;
  if (!json.is_number_unsigned() || json.get<uint64_t>() > kMost) {
    throw std::out_of_range("a count is no whole number");
  }
  return json.get<int64_t>();
}

ordered_json to_json(const DropReport& report) {
  ordered_json json = {{"read", report.read}, {"kept", report.kept()}};
  json["faults"] = ordered_json::object();
  for (size_t i = 0; i < kFaults; ++i) {
    const DropReport::Count& count = report.faults[i];
    ordered_json& entry = json["faults"][words(fault(i)).name];
    entry = {{"count", count.count}, {"examples", ordered_json::array()}};
    for (const FaultExample& example : count.examples) {
      entry["examples"].push_back(to_json(example));
    }
  }
  json["drifts"] = ordered_json::array();
  for (const Drift& drift : report.drifts) {
    json["drifts"].push_back({{"source", to_json(drift.source)},
                              {"target", to_json(drift.target)},
                              {"pairs", drift.pairs},
                              {"shift", drift.shift}});
  }
  return json;
}

DropReport report_from_json(const ordered_json& json) {
  DropReport report;
  report.read = count_from_json(json.at("read"));
  report.left_out = report.read - count_from_json(json.at("kept"));
  if (report.left_out < 0) throw std::out_of_range("more pairs are kept than were read");
  for (size_t i = 0; i < kFaults; ++i) {
    const ordered_json& entry = json.at("faults").at(words(fault(i)).name);
    report.faults[i].count = count_from_json(entry.at("count"));
    for (const ordered_json& example : entry.at("examples")) {
      report.faults[i].examples.push_back(example_from_json(example));
    }
  }
  for (const ordered_json& drift : json.at("drifts")) {
    report.drifts.push_back(
        {place_from_json(drift.at("source")), place_from_json(drift.at("target")),
         count_from_json(drift.at("pairs")), shift_from_json(drift.at("shift"))});
  }
  return report;
}

}  // namespace calque
