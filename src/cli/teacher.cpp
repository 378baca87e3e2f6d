#include "cli/teacher.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/stop_signal.h"
#include "checkpoint/run_checkpoints.h"
#include "cli/training_run.h"
#include "cli/translation.h"
#include "text/text_files.h"

namespace calque {
namespace {

namespace fs = std::filesystem;

/// Lines that are sorted by length, translated and written together.
constexpr size_t kChunkLines = 2000;

/// Where the teacher's things lie.
struct TeacherFolder {
  fs::path path;

  explicit TeacherFolder(const fs::path& run_path) : path(run_path / "teacher") {}
  /// Translations of the text's files: of those of the source, and of the target.
  std::vector<std::string> forward(const ParallelFiles& text) const {
    return files("forward", text.source.size());
  }
  std::vector<std::string> backward(const ParallelFiles& text) const {
    return files("backward", text.target.size());
  }
  /// For how many updates the teacher was trained that translates, and how fast it does.
  fs::path record() const { return path / "translations.json"; }

 private:
  std::vector<std::string> files(const char* direction, size_t count) const {
    std::vector<std::string> files;
    for (size_t i = 1; i <= count; ++i) {
      files.push_back((path / fmt::format("{}_{}.txt", direction, i)).string());
    }
    return files;
  }
};

std::string part_of(const std::string& file) { return file + ".part"; }

/// More than there will be.
constexpr int64_t kAllEpochs = 1'000'000'000;

RunConfig teacher_config(const RunConfig& config, const RunFolder& folder) {
  RunConfig teacher = config;
  teacher.name += ", its teacher";
  teacher.data.bidirectional_epochs = kAllEpochs;
  teacher.train.max_steps = std::exchange(teacher.train.teacher_steps, 0);
  if (config.vocabulary.path.empty()) {
    teacher.vocabulary.path = vocabulary_paths(config.vocabulary, folder.path()).source.string();
  }
  return teacher;
}

/// Null where no teacher has begun to translate.
nlohmann::json read_record(const TeacherFolder& teacher) {
  if (!fs::exists(teacher.record())) return nullptr;
  auto record = nlohmann::json::parse(read_file(teacher.record()), nullptr,
                                      /*allow_exceptions=*/false);
  if (!record.is_object()) {
    throw UserError(fmt::format("{} is damaged; remove it, and the translations are made again",
                                teacher.record().string()));
  }
  return record;
}

void write_record(const TeacherFolder& teacher, const nlohmann::json& record) {
  write_file_atomically(teacher.record(), record.dump(2) + "\n");
}

/// What a teacher of fewer updates has translated is of no use.
void begin_translations(const TeacherFolder& teacher, const RunConfig& config) {
  const ParallelFiles& text = config.data.train;
  for (const auto& files : {teacher.forward(text), teacher.backward(text)}) {
    for (const std::string& file : files) {
      fs::remove(file);
      fs::remove(part_of(file));
    }
  }
  write_record(teacher, {{"teacher_steps", config.train.teacher_steps}});
}

/// The lines of a part that a stopped call has left: whole chunks of them; the rest is removed.
int64_t keep_whole_chunks(const fs::path& part) {
  if (!fs::exists(part)) return 0;
  const std::string text = read_file(part);
  size_t lines = 0;
  size_t whole = 0;  // bytes
  for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', end + 1)) {
    if (++lines % kChunkLines == 0) whole = end + 1;
  }
  fs::resize_file(part, whole);
  return static_cast<int64_t>(lines - lines % kChunkLines);
}

/// Replaces `lines` by the next ones of a text. False at its end.
bool read_chunk(TextFiles& text, std::vector<std::string>& lines) {
  lines.clear();
  for (std::string line; lines.size() < kChunkLines && text.next(line);) lines.push_back(line);
  return !lines.empty();
}

/// What translates the text, for so long.
class TeacherAtWork {
 public:
  TeacherAtWork(const RunConfig& config, const TeacherFolder& teacher, const Stopwatch& watch)
      : config_(config), teacher_(teacher), watch_(watch), session_(arguments()) {}

  /// Writes the translation of each file, line by line, unless it is there. False when the time is
  /// over before.
  bool translate(const std::vector<std::string>& files, const std::vector<std::string>& outputs) {
    for (size_t i = 0; i < files.size(); ++i) {
      if (!fs::exists(outputs[i]) && !translate(files[i], outputs[i])) return false;
    }
    return true;
  }

 private:
  const RunConfig& config_;
  const TeacherFolder& teacher_;
  const Stopwatch& watch_;
  TranslationSession session_;
  int64_t translated_ = 0;  // lines of the files before

  bool translate(const std::string& file, const std::string& output) {
    const int64_t all = survey_text({file}, config_.data.lines).all_lines;
    const int64_t begun = keep_whole_chunks(part_of(output));
    TextFiles text({file}, config_.data.lines);
    std::string line;
    for (int64_t i = 0; i < begun; ++i) text.next(line);
    Progress progress("the teacher translates " + file, all, "sentences", begun);
    const int64_t before = std::exchange(translated_, translated_ + all - begun);
    int64_t empty = 0;
    const Stopwatch clock;
    for (std::vector<std::string> lines; read_chunk(text, lines);) {
      if (is_time_over(config_.train, watch_.seconds(), 0)) return false;
      std::string chunk;
      for (const std::string& translation : session_.translate(
               lines, [&](int64_t done) { progress.update(begun + done - before); })) {
        chunk += translation + '\n';
        if (translation.empty()) ++empty;
      }
      append_to_file(part_of(output), chunk);
    }
    progress.finish();
    if (static_cast<double>(empty) > config_.data.max_dropped * static_cast<double>(all)) {
      log::warning(
          "{} of {} of {} are empty: the teacher has learned too little; raise train.teacher_steps",
          format_count(empty), format_count(all, "translation"), file);
    }
    nlohmann::json record = read_record(teacher_);
    record["translations"][fs::path(output).stem().string()] = {
        {"sentences", all},
        {"sentences_per_second", static_cast<double>(all - begun) / clock.seconds()}};
    write_record(teacher_, record);
    fs::rename(part_of(output), output);
    sync_folder(teacher_.path);
    return true;
  }

  TranslationArguments arguments() const {
    TranslationArguments arguments;
    arguments.models = {teacher_.path.string()};
    arguments.threads = threads();
    return arguments;
  }
};

/// False when the time is over before the teacher has learned.
bool train_teacher(const RunConfig& config, const RunFolder& folder, const TeacherFolder& teacher) {
  log::info("a teacher of both directions comes first: {} (train.teacher_steps), in {}",
            format_count(config.train.teacher_steps, "update"), teacher.path.string());
  const RunConfig its_config = teacher_config(config, folder);
  if (train_in(RunFolder(teacher.path), its_config, its_config) == StopReason::kMaxMinutes) {
    return false;
  }
  begin_translations(teacher, config);
  return true;
}

}  // namespace

bool has_translations(const RunConfig& config, const fs::path& run_path) {
  const TeacherFolder teacher(run_path);
  const auto are_there = [](const std::vector<std::string>& files) {
    return std::ranges::all_of(files, [](const std::string& file) { return fs::exists(file); });
  };
  return are_there(teacher.forward(config.data.train)) &&
         are_there(teacher.backward(config.data.train));
}

bool prepare_with_teacher(const RunConfig& config, const RunFolder& folder,
                          const Stopwatch& watch) {
  if (!list_checkpoints(folder.path()).empty()) return true;  // the run is past it
  const TeacherFolder teacher(folder.path());
  const nlohmann::json record = read_record(teacher);
  const bool learned =
      record.is_object() && record.value("teacher_steps", 0) == config.train.teacher_steps;
  if (!learned && !train_teacher(config, folder, teacher)) return false;
  if (has_translations(config, folder.path())) return true;
  const StopSignal stop;
  try {
    TeacherAtWork at_work(config, teacher, watch);
    const ParallelFiles& text = config.data.train;
    if (at_work.translate(text.source, teacher.forward(text)) &&
        at_work.translate(text.target, teacher.backward(text))) {
      return true;
    }
  } catch (const StoppedBySignal&) {
    log::info(
        "stopped by a signal while the teacher translates; the same command goes on from "
        "there");
    throw;
  }
  log::info(
      "the {:g} minutes of this call (train.max_minutes) are over while the teacher translates; "
      "the same command goes on from there for as long again",
      config.train.max_minutes);
  return false;
}

RunConfig with_teacher(RunConfig config, const fs::path& run_path) {
  const TeacherFolder teacher(run_path);
  const ParallelFiles text = config.data.train;
  const auto append = [](std::vector<std::string>& all, const std::vector<std::string>& files) {
    all.insert(all.end(), files.begin(), files.end());
  };
  config.data = config.data.without_errors();
  append(config.data.train.source, text.source);
  append(config.data.train.target, teacher.forward(text));
  append(config.data.train.source, teacher.backward(text));
  append(config.data.train.target, text.target);
  config.train.initial_model = teacher.path.string();
  return config;
}

}  // namespace calque
