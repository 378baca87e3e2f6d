#include "cli/text_output.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/progress.h"
#include "base/stop_signal.h"

namespace calque {
namespace {

/// Where the file will lie: behind a symbolic link, what it points to.
std::filesystem::path final_path(const std::filesystem::path& path) {
  std::error_code none;
  const std::filesystem::path real = std::filesystem::canonical(path, none);
  return none ? path : real;
}

}  // namespace

void write_to_stdout(std::string_view text) {
  clear_status_line();
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EPIPE) {
      throw StoppedBySignal{SIGPIPE};
    } else if (errno != EINTR) {
      throw_file_error("write to", "standard output", errno);
    }
  }
}

std::string json_text(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

void check_is_no_input(const std::string& option, const std::filesystem::path& output,
                       const std::filesystem::path& input) {
  if (output == "-") return;
  const std::filesystem::path file = input == "-" ? "/dev/stdin" : input;
  std::error_code none;
  if (!std::filesystem::is_regular_file(output, none)) return;
  if (!std::filesystem::equivalent(output, file, none)) return;
  throw UserError(
      fmt::format("{} {} is also read, as {}: writing would destroy it; name another file", option,
                  output.string(), input == "-" ? "standard input" : input.string()));
}

TextOutput::TextOutput(const std::filesystem::path& path, Writing writing) {
  if (path == "-") return;
  path_ = final_path(path);
  const std::filesystem::path folder = path_.parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder)) {
    throw UserError(
        fmt::format("cannot create {}: there is no folder {}", path_.string(), folder.string()));
  }
  written_path_ = path_;
  std::error_code none;
  const auto status = std::filesystem::status(path_, none);
  const bool is_special =
      std::filesystem::exists(status) && !std::filesystem::is_regular_file(status);
  const bool whole = writing == Writing::kWhole && !is_special;
  if (whole) written_path_ += fmt::format(".tmp{}", getpid());
  using Unfinished = FileWriter::Unfinished;
  file_ =
      std::make_unique<FileWriter>(written_path_, whole ? Unfinished::kRemoved : Unfinished::kKept);
}

void TextOutput::write_line(std::string_view line) {
  if (file_) {
    file_->write(line);
    file_->write("\n");
  } else {
    buffer_ += line;
    buffer_ += '\n';
  }
}

void TextOutput::flush() {
  if (file_) file_->flush();
  write_to_stdout(buffer_);
  buffer_.clear();
}

void TextOutput::finish() {
  flush();
  if (!file_) return;
  file_->finish();
  if (written_path_ != path_ && std::rename(written_path_.c_str(), path_.c_str()) != 0) {
    const int reason = errno;
    unlink(written_path_.c_str());
    throw_file_error("replace", path_, reason);
  }
}

}  // namespace calque
