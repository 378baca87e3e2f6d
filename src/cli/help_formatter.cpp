#include "cli/help_formatter.h"

#include <fmt/format.h>

namespace calque {
namespace {

constexpr size_t kColumns = 80;
constexpr size_t kLeftColumn = 28;

std::string in_two_columns(const std::string& name, const std::string& meaning) {
  std::string left = "  " + name;
  std::string text;
  if (left.size() >= kLeftColumn) {
    text = left + "\n";
    left.clear();
  }
  for (const std::string& line : wrap_text(meaning, kColumns - kLeftColumn)) {
    text += fmt::format("{:{}}{}\n", left, kLeftColumn, line);
    left.clear();
  }
  return text;
}

}  // namespace

std::vector<std::string> wrap_text(std::string_view text, size_t width) {
  std::vector<std::string> lines(1);
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '\n') lines.emplace_back();
    if (text[at] == '\n' || text[at] == ' ') {
      ++at;
      continue;
    }
    const std::string_view word = text.substr(at, text.find_first_of(" \n", at) - at);
    if (!lines.back().empty() && lines.back().size() + 1 + word.size() > width) {
      lines.emplace_back();
    }
    if (!lines.back().empty()) lines.back() += ' ';
    lines.back() += word;
    at += word.size();
  }
  return lines;
}

HelpFormatter::HelpFormatter() {
  column_width(kLeftColumn);
  label("Positionals", "Arguments");
  label("OPTIONS", "OPTION...");
  label("SUBCOMMAND", "COMMAND");
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  if (option->get_type_size() == 0) return "";  // a flag
  const std::string type = option->get_type_name();
  return " " + type.substr(0, type.find(':'));  // behind the colon: what checks it
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  std::string left = make_option_name(option, is_positional);
  if (!is_positional) left += make_option_opts(option);
  std::string meaning = make_option_desc(option);
  if (!option->get_default_str().empty()) {
    meaning += fmt::format(" (default: {})", option->get_default_str());
  }
  if (!is_positional && option->get_required()) meaning += " (required)";
  return in_two_columns(left, meaning);
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  return in_two_columns(command->get_name(), command->get_description());
}

}  // namespace calque
