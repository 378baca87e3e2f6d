#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/stopwatch.h"

namespace calque {

/// Progress of long work on standard error: a live line on a terminal, plain lines otherwise (at
/// most one every ten seconds). Silent when log::set_quiet.
class Progress {
 public:
  /// `what`: "tokenising train.en"; `total` in `unit`, 0 when unknown; `begun`: what was done
  /// before, and says nothing about the rate.
  Progress(std::string what, int64_t total, std::string unit, int64_t begun = 0);
  ~Progress();
  /// Sets the amount done; prints when it is time, with rate and ETA.
  void update(int64_t done);
  /// The same for work that has nothing to save: throws StoppedBySignal once a StopSignal that
  /// lives has noted a signal.
  void update_or_stop(int64_t done);
  /// Prints the last state and ends the line.
  void finish();

 private:
  std::string what_;
  std::string unit_;
  int64_t total_;
  int64_t begun_;
  int64_t done_;
  double last_print_ = 0;
  bool finished_ = false;
  Stopwatch watch_;
  void print();
};

/// True when standard error is a terminal.
bool stderr_is_terminal();

/// Whether `show_status_line` shows anything: on a terminal, unless log::set_quiet.
bool shows_status_line();

/// The live line at the bottom of a terminal: replaces the one before. Log lines printed meanwhile
/// erase it first. Where it is not shown, it does nothing. Longer text is cut at the terminal's
/// width.
void show_status_line(std::string_view text);
void clear_status_line();

/// One line of text and its end to standard error, above the live line when there is one. Whole
/// lines: threads do not mix theirs.
void print_line(std::string_view text);

}  // namespace calque
