#include "base/progress.h"

#include <string>

#include "base/log.h"
#include "base/stderr_capture.h"
#include "support/catch.h"

using namespace calque;
using calque::test::StderrCapture;

namespace {

void wait_for(double seconds) {
  const Stopwatch watch;
  while (watch.seconds() < seconds) continue;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("short work without a terminal prints one line at its end", "[base]") {
  StderrCapture capture(StderrCapture::Kind::kPipe);
  CHECK_FALSE(stderr_is_terminal());
  Progress progress("counting x.en", 2000, "lines");
  for (int i = 0; i <= 1500; ++i) progress.update(i);
  CHECK(capture.take().empty());
  progress.finish();
  progress.finish();
  const std::string text = capture.take();
  CHECK(text.find("counting x.en: 1,500 of 2,000 lines (75 %), ") == 0);
  CHECK(contains(text, " lines/s, "));
  CHECK(text.find('\n') == text.size() - 1);
}

TEST_CASE("a terminal shows a live line with the time left, then the last state", "[base]") {
  StderrCapture capture(StderrCapture::Kind::kTerminal);
  CHECK(stderr_is_terminal());
  Progress progress("counting", 100, "lines");
  wait_for(0.11);
  progress.update(50);
  const std::string live = capture.take();
  CHECK(live.find("\r\x1b[Kcounting: 50 of 100 lines (50 %), ") == 0);
  CHECK(contains(live, " left"));
  CHECK_FALSE(contains(live, "\n"));
  progress.update(51);  // too soon after the line before
  CHECK(capture.take().empty());
  progress.finish();
  CHECK(capture.take().find("\r\x1b[Kcounting: 51 of 100 lines (51 %), ") == 0);
}

TEST_CASE("work of unknown length shows what is done", "[base]") {
  StderrCapture capture(StderrCapture::Kind::kPipe);
  Progress progress("counting", 0, "lines");
  progress.update(12);
  progress.finish();
  CHECK(capture.take().find("counting: 12 lines, ") == 0);
}

TEST_CASE("work that is given up leaves no live line behind", "[base]") {
  StderrCapture capture(StderrCapture::Kind::kTerminal);
  {
    Progress progress("counting", 100, "lines");
    wait_for(0.11);
    progress.update(50);
    capture.take();
  }
  CHECK(capture.take() == "\r\x1b[K");
}

TEST_CASE("quiet, progress prints nothing", "[base]") {
  StderrCapture capture(StderrCapture::Kind::kTerminal);
  log::set_quiet(true);
  Progress progress("counting", 100, "lines");
  wait_for(0.11);
  progress.update(50);
  show_status_line("step");
  progress.finish();
  log::set_quiet(false);
  CHECK(capture.take().empty());
}

TEST_CASE("the live line is cut at the terminal's width, between characters", "[base]") {
  {
    StderrCapture capture(StderrCapture::Kind::kTerminal, 11);
    show_status_line("ääääääääääöö");
    CHECK(capture.take() == "\r\x1b[Kääääääääää");
    clear_status_line();
  }
  StderrCapture pipe(StderrCapture::Kind::kPipe);
  show_status_line("nothing");
  CHECK(pipe.take().empty());
}
