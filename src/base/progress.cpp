#include "base/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <mutex>
#include <utility>

#include "base/log.h"
#include "base/stop_signal.h"

namespace calque {
namespace {

constexpr double kTerminalInterval = 0.1;  // seconds between two live lines
constexpr double kPlainInterval = 10;      // seconds between two plain lines
constexpr std::string_view kEraseLine = "\r\x1b[K";

std::mutex terminal_mutex;
bool line_shown = false;  // guarded by terminal_mutex
std::string shown_line;   // guarded by terminal_mutex

void write_to_stderr(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, bytes.data(), bytes.size());
    if (written <= 0) return;  // a closed standard error is nobody's reason to stop
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

/// The longest prefix of UTF-8 `text` with at most `columns` code points.
std::string_view cut_to_columns(std::string_view text, size_t columns) {
  size_t seen = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool starts = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (starts && seen++ == columns) return text.substr(0, i);
  }
  return text;
}

size_t terminal_columns() {
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  return known ? size.ws_col - 1u : 79u;
}

}  // namespace

bool stderr_is_terminal() { return isatty(STDERR_FILENO) == 1; }

bool shows_status_line() { return !log::is_quiet() && stderr_is_terminal(); }

void show_status_line(std::string_view text) {
  if (!shows_status_line()) return;
  const std::lock_guard lock(terminal_mutex);
  shown_line = cut_to_columns(text, terminal_columns());
  line_shown = true;
  write_to_stderr(fmt::format("{}{}", kEraseLine, shown_line));
}

void clear_status_line() {
  const std::lock_guard lock(terminal_mutex);
  if (!line_shown) return;
  line_shown = false;
  write_to_stderr(kEraseLine);
}

void print_line(std::string_view text) {
  const std::lock_guard lock(terminal_mutex);
  if (line_shown) {
    write_to_stderr(fmt::format("{}{}\n{}", kEraseLine, text, shown_line));
  } else {
    write_to_stderr(fmt::format("{}\n", text));
  }
}

Progress::Progress(std::string what, int64_t total, std::string unit, int64_t begun)
    : what_(std::move(what)), unit_(std::move(unit)), total_(total), begun_(begun), done_(begun) {}

Progress::~Progress() {
  if (!finished_) clear_status_line();
}

void Progress::update(int64_t done) {
  done_ = done;
  const double now = watch_.seconds();
  if (now - last_print_ < kTerminalInterval) return;
  const bool live = stderr_is_terminal();
  if (!live && now - last_print_ < kPlainInterval) return;
  last_print_ = now;
  print();
}

void Progress::update_or_stop(int64_t done) {
  throw_if_stopped();
  update(done);
}

void Progress::finish() {
  if (finished_) return;
  finished_ = true;
  clear_status_line();
  print();
}

void Progress::print() {
  if (log::is_quiet()) return;
  const double seconds = watch_.seconds();
  const double rate = seconds > 0 ? static_cast<double>(done_ - begun_) / seconds : 0;
  std::string line = fmt::format("{}: {}", what_, format_count(done_));
  if (total_ > 0) {
    line += fmt::format(" of {} {} ({:.0f} %)", format_count(total_), unit_,
                        100.0 * static_cast<double>(done_) / static_cast<double>(total_));
  } else {
    line += fmt::format(" {}", unit_);
  }
  line += fmt::format(", {} {}/s", format_count(static_cast<long long>(rate)), unit_);
  if (finished_) {
    line += fmt::format(", {}", format_duration(seconds));
  } else if (total_ > done_ && rate > 0) {
    line += fmt::format(", {} left", format_duration(static_cast<double>(total_ - done_) / rate));
  }
  if (!finished_ && stderr_is_terminal()) {
    show_status_line(line);
  } else {
    print_line(line);
  }
}

}  // namespace calque
