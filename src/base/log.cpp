#include "base/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/dist_sink.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "base/printable.h"
#include "base/progress.h"

namespace calque::log {
namespace {

std::atomic<bool> quiet_{false};

/// Standard error: the bare text, above the live status line when there is one.
class TerminalSink : public spdlog::sinks::base_sink<std::mutex> {
 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string_view text(message.payload.data(), message.payload.size());
    if (message.level >= spdlog::level::warn) {
      print_line(fmt::format("warning: {}", text));
    } else if (!quiet_) {
      print_line(text);
    }
  }
  void flush_() override {}
};

/// The sinks lock themselves, so lines may come from any thread.
struct Loggers {
  std::shared_ptr<spdlog::sinks::dist_sink_mt> files =
      std::make_shared<spdlog::sinks::dist_sink_mt>();
  spdlog::logger everywhere{"calque", {std::make_shared<TerminalSink>(), files}};
  spdlog::logger file_only{"file", files};

  Loggers() {
    everywhere.flush_on(spdlog::level::info);
    file_only.flush_on(spdlog::level::info);
  }
};

Loggers& loggers() {
  static Loggers instance;
  return instance;
}

/// Messages may quote files.
void write(spdlog::logger& logger, spdlog::level::level_enum level, std::string_view text) {
  logger.log(level, spdlog::string_view_t(printable(text)));
}

}  // namespace

void set_quiet(bool quiet) { quiet_ = quiet; }

bool is_quiet() { return quiet_; }

void open_file(const std::string& path) {
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
    sink->set_pattern("%Y-%m-%d %H:%M:%S %l: %v");
    loggers().files->set_sinks({std::move(sink)});
  } catch (const spdlog::spdlog_ex& error) {
    throw UserError(fmt::format("cannot open the log file {}: {}", path, error.what()));
  }
}

void close_file() { loggers().files->set_sinks({}); }

void write_info(std::string_view text) { write(loggers().everywhere, spdlog::level::info, text); }

void write_warning(std::string_view text) {
  write(loggers().everywhere, spdlog::level::warn, text);
}

void write_to_file(std::string_view text) { write(loggers().file_only, spdlog::level::info, text); }

}  // namespace calque::log
