#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace calque {

/// Log lines go to standard error (unless quiet) and to the run's log file when one is open.
/// Standard output is for results alone. Built on spdlog.
namespace log {

/// No information lines on standard error from now on; warnings and errors still show.
void set_quiet(bool quiet);
bool is_quiet();

/// Appends every further line, with date and time, to `path` too. Throws UserError when it cannot
/// be opened. Replaces the file that was open before.
void open_file(const std::string& path);
void close_file();

void write_info(std::string_view text);
void write_warning(std::string_view text);
/// To the log file alone.
void write_to_file(std::string_view text);

template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  write_info(fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write_warning(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace log
}  // namespace calque
