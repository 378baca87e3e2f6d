#pragma once

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

namespace calque::test {

/// Standard error of this process while it lives: a pseudo terminal, or a pipe. Holds little (some
/// kilobytes), so `take` it before more is written.
class StderrCapture {
 public:
  enum class Kind { kTerminal, kPipe };

  explicit StderrCapture(Kind kind, unsigned short columns = 80) {
    int writer = -1;
    if (kind == Kind::kTerminal) {
      reader_ = posix_openpt(O_RDWR | O_NOCTTY);
      if (reader_ < 0 || grantpt(reader_) != 0 || unlockpt(reader_) != 0) fail();
      writer = open(ptsname(reader_), O_WRONLY | O_NOCTTY);
      const winsize size{24, columns, 0, 0};
      if (writer < 0 || ioctl(writer, TIOCSWINSZ, &size) != 0) fail();
    } else {
      int ends[2];
      if (pipe(ends) != 0) fail();
      reader_ = ends[0];
      writer = ends[1];
    }
    before_ = dup(STDERR_FILENO);
    if (dup2(writer, STDERR_FILENO) < 0) fail();
    close(writer);
  }
  ~StderrCapture() {
    dup2(before_, STDERR_FILENO);
    close(before_);
    close(reader_);
  }
  StderrCapture(const StderrCapture&) = delete;
  StderrCapture& operator=(const StderrCapture&) = delete;

  /// What was written since the last call (a terminal gives "\r\n" for "\n").
  std::string take() {
    std::string text;
    pollfd ready{reader_, POLLIN, 0};
    while (poll(&ready, 1, 20) == 1 && (ready.revents & POLLIN) != 0) {
      char buffer[4096];
      const ssize_t got = read(reader_, buffer, sizeof buffer);
      if (got <= 0) break;
      text.append(buffer, static_cast<size_t>(got));
    }
    return text;
  }

 private:
  [[noreturn]] static void fail() { throw std::runtime_error("cannot capture standard error"); }
  int reader_ = -1;
  int before_ = -1;
};

}  // namespace calque::test
