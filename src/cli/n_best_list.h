#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace calque {

/// What stands between the fields of a line of an n-best list, and in front of an alignment.
inline constexpr std::string_view kFieldSeparator = " ||| ";

/// A line of an n-best list in the layout of Moses: "INDEX ||| TEXT ||| FEATURES ||| SCORE".
struct NBestLine {
  size_t index = 0;  // the source's line, from 0
  std::string text;
  std::string features;  // "log_probability= -3.2 length= 7"
  std::string rest;      // the score and what is behind it; may be missing
};

/// Reads a line without its '\n'. What is behind the text may be missing. Throws UserError naming
/// `place` when the line has no index, or one beyond the source's lines.
NBestLine read_n_best_line(std::string_view line, const std::string& place, size_t sources);

/// The line without '\n'.
std::string to_string(const NBestLine& line);

/// Throws UserError unless a feature may have this name. `option` is what gives it.
void check_feature_name(const std::string& option, const std::string& name);
bool has_feature(const NBestLine& line, const std::string& name);
void add_feature(NBestLine& line, const std::string& name, double value);

}  // namespace calque
