#include "cli/n_best_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "base/error.h"
#include "base/stopwatch.h"

namespace calque {
namespace {

/// Takes what stands before the next separator, whose last space may be missing at the line's end.
std::string_view take_field(std::string_view& line) {
  const std::string_view at_end = kFieldSeparator.substr(0, kFieldSeparator.size() - 1);
  size_t end = line.find(kFieldSeparator);
  if (end == std::string_view::npos) {
    end = line.ends_with(at_end) ? line.size() - at_end.size() : line.size();
  }
  const std::string_view field = line.substr(0, end);
  line.remove_prefix(std::min(end + kFieldSeparator.size(), line.size()));
  return field;
}

}  // namespace

NBestLine read_n_best_line(std::string_view line, const std::string& place, size_t sources) {
  NBestLine result;
  const std::string_view index = take_field(line);
  const auto read = std::from_chars(index.data(), index.data() + index.size(), result.index);
  if (index.empty() || read.ec != std::errc() || read.ptr != index.data() + index.size()) {
    throw UserError(fmt::format("{}: expected INDEX ||| TEXT ||| ..., found no number: {}", place,
                                index.substr(0, 40)));
  }
  if (result.index >= sources) {
    throw UserError(
        fmt::format("{}: the index {} is beyond the source, which has {}; it counts from 0", place,
                    result.index, format_count(static_cast<int64_t>(sources), "line")));
  }
  result.text = take_field(line);
  result.features = take_field(line);
  result.rest = line;
  return result;
}

std::string to_string(const NBestLine& line) {
  return fmt::format("{}{}{}{}{}{}{}", line.index, kFieldSeparator, line.text, kFieldSeparator,
                     line.features, line.rest.empty() ? "" : kFieldSeparator, line.rest);
}

void check_feature_name(const std::string& option, const std::string& name) {
  const auto unfit = [](unsigned char c) { return c <= ' ' || c == '=' || c == '|' || c == 0x7f; };
  if (!name.empty() && std::ranges::none_of(name, unfit)) return;
  throw UserError(fmt::format("{}: expected a name without spaces, = and |, found {}", option,
                              name.empty() ? "nothing" : name));
}

bool has_feature(const NBestLine& line, const std::string& name) {
  std::istringstream words(line.features);
  for (std::string word; words >> word;) {
    if (word == name + "=") return true;
  }
  return false;
}

void add_feature(NBestLine& line, const std::string& name, double value) {
  if (!line.features.empty()) line.features += ' ';
  line.features += fmt::format("{}= {:.6f}", name, value);
}

}  // namespace calque
