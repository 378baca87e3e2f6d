#include "base/log.h"

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/stderr_capture.h"
#include "base/temporary_folder.h"
#include "support/catch.h"

using namespace calque;
using calque::test::StderrCapture;
using calque::test::TemporaryFolder;

namespace {

/// Quiet, and no log file, after the test as before it.
struct LogForTest {
  ~LogForTest() {
    log::set_quiet(false);
    log::close_file();
    clear_status_line();
  }
};

}  // namespace

TEST_CASE("log lines go to standard error, bare or marked as warnings", "[base]") {
  const LogForTest restore;
  StderrCapture capture(StderrCapture::Kind::kPipe);
  log::info("{} lines", 3);
  log::warning("{{}} {}", "100 %");
  log::write_to_file("for the file");
  CHECK(capture.take() == "3 lines\nwarning: {} 100 %\n");
}

TEST_CASE("quiet hides information and keeps warnings", "[base]") {
  const LogForTest restore;
  StderrCapture capture(StderrCapture::Kind::kPipe);
  log::set_quiet(true);
  log::info("hidden");
  log::warning("shown");
  CHECK(log::is_quiet());
  CHECK(capture.take() == "warning: shown\n");
}

TEST_CASE("the log file gets every line with its date, quiet or not", "[base]") {
  const LogForTest restore;
  const TemporaryFolder folder;
  const auto path = folder / "log.txt";
  write_file_atomically(path, "a line of before\n");
  StderrCapture capture(StderrCapture::Kind::kPipe);
  log::open_file(path);
  log::info("one");
  log::set_quiet(true);
  log::info("two");
  log::warning("three");
  log::write_to_file("four");
  const auto lines = read_lines(path);  // each line is there at once
  log::close_file();
  log::info("five");
  REQUIRE(lines.size() == 5);
  CHECK(read_lines(path) == lines);
  CHECK(lines[0] == "a line of before");
  const std::string date = "2000-01-01 00:00:00";
  CHECK(lines[1].substr(date.size()) == " info: one");
  CHECK(std::count(lines[1].begin(), lines[1].end(), '-') == 2);
  CHECK(lines[2].substr(date.size()) == " info: two");
  CHECK(lines[3].substr(date.size()) == " warning: three");
  CHECK(lines[4].substr(date.size()) == " info: four");
}

TEST_CASE("a log file that cannot be opened is the user's error", "[base]") {
  const LogForTest restore;
  const TemporaryFolder folder;
  std::string message;
  try {
    log::open_file(folder.path());
  } catch (const UserError& error) {
    message = error.what();
  }
  CHECK(message.find(folder.path().string()) != std::string::npos);
  CHECK(message.find("Is a directory") != std::string::npos);
}

TEST_CASE("threads do not mix their lines", "[base]") {
  const LogForTest restore;
  const TemporaryFolder folder;
  const auto path = folder / "log.txt";
  log::open_file(path);
  log::set_quiet(true);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 200; ++i) log::info("{}", std::string(100, static_cast<char>('a' + t)));
    });
  }
  for (auto& thread : threads) thread.join();
  const auto lines = read_lines(path);
  REQUIRE(lines.size() == 800);
  for (const std::string& line : lines) {
    const std::string text = line.substr(line.find(": ") + 2);
    REQUIRE(text == std::string(100, text[0]));
  }
}

TEST_CASE("a log line erases the live line and shows it again below", "[base]") {
  const LogForTest restore;
  StderrCapture capture(StderrCapture::Kind::kTerminal);
  show_status_line("step 7");
  CHECK(capture.take() == "\r\x1b[Kstep 7");
  log::info("saved");
  CHECK(capture.take() == "\r\x1b[Ksaved\r\nstep 7");
  clear_status_line();
  CHECK(capture.take() == "\r\x1b[K");
  log::info("done");
  CHECK(capture.take() == "done\r\n");
}
