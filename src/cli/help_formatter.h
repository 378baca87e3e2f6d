#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace calque {

/// Breaks text into lines of at most `width` bytes, between words. A '\n' in it stays a line break;
/// a longer word stands alone.
std::vector<std::string> wrap_text(std::string_view text, size_t width);

/// The help pages: an option or command to the left, what it means to the right, wrapped at 80
/// columns, with its default when it has one.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_subcommand(const CLI::App* command) const override;
};

}  // namespace calque
