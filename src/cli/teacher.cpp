#include "cli/teacher.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/run_checkpoints.h"
#include "cli/teacher_folder.h"
#include "cli/training_run.h"
#include "cli/translation.h"
#include "config/run_files.h"
#include "text/text_files.h"

namespace calque {
namespace {

namespace fs = std::filesystem;

/// More than there will be.
constexpr int64_t kAllEpochs = 1'000'000'000;

std::string part_of(const std::string& file) { return file + ".part"; }

bool is_there(const std::string& file) {
  std::error_code error;
  return fs::exists(file, error);
}

/// The lines of a part that a stopped call has left: whole chunks of them; the rest is removed.
int64_t keep_whole_chunks(const std::string& part) {
  append_to_file(part, "");
  const std::string text = read_file(part);
  size_t lines = 0;
  size_t whole = 0;  // bytes
  for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', end + 1)) {
    if (++lines % kChunkLines == 0) whole = end + 1;
  }
  if (whole < text.size()) write_file_atomically(part, text.substr(0, whole));
  return static_cast<int64_t>(lines - lines % kChunkLines);
}

/// A teacher that has learned, at its second task.
class TranslatingTeacher {
 public:
  TranslatingTeacher(const RunConfig& config, const TeacherFolder& folder,
                     const fs::path& checkpoint, const Stopwatch& watch)
      : config_(config),
        folder_(folder),
        checkpoint_(checkpoint),
        watch_(watch),
        record_(folder.read_record()) {
    const std::string name = checkpoint.filename().string();
    const uint64_t model = Checkpoint(checkpoint).state().files.at(kModelFile).hash;
    if (record_.checkpoint != name || record_.model != model) {
      folder.remove_record();
      for (const std::string& file : folder.translations(config.data.train)) {
        remove_file(file);
        remove_file(part_of(file));
      }
      record_ = {name, model, 0, {}};
    }
    record_.teacher_steps = config.train.teacher_steps;
    folder.write_record(record_);
  }

  /// Writes the translation of each file, line by line, unless it is there. False when the time is
  /// over before.
  bool translate(const std::vector<std::string>& files, const std::vector<std::string>& outputs) {
    for (size_t i = 0; i < files.size(); ++i) {
      if (!is_there(outputs[i]) && !translate(files[i], outputs[i])) return false;
    }
    return true;
  }

 private:
  const RunConfig& config_;
  const TeacherFolder& folder_;
  const fs::path& checkpoint_;
  const Stopwatch& watch_;
  TeacherRecord record_;
  double chunk_seconds_ = 0;  // that the last chunk took

  bool translate(const std::string& file, const std::string& output) {
    const std::string part = part_of(output);
    const int64_t all = survey_text({file}, config_.data.lines).all_lines;
    const int64_t begun = keep_whole_chunks(part);
    TextFiles text({file}, config_.data.lines);
    std::string line;
    for (int64_t i = 0; i < begun; ++i) text.next(line);
    TranslationSession session(arguments(file));
    Progress progress("the teacher translates " + file, all, "sentences", begun);
    TeacherRecord::Work& work = record_.work[fs::path(output).stem().string()];
    if (begun == 0) work = {};
    for (std::vector<std::string> lines; next_lines(text, kChunkLines, lines);) {
      if (is_time_over(config_.train, watch_.seconds(), chunk_seconds_)) return false;
      const Stopwatch clock;
      std::string chunk;
      for (const std::string& translation :
           session.translate(lines, [&](int64_t done) { progress.update(begun + done); })) {
        chunk += translation + '\n';
      }
      append_to_file(part, chunk);
      chunk_seconds_ = clock.seconds();
      work.sentences += std::ssize(lines);
      work.seconds += chunk_seconds_;
      folder_.write_record(record_);
    }
    progress.finish();
    finish(part, output);
    return true;
  }

  /// The part becomes the translation, durably.
  static void finish(const std::string& part, const std::string& output) {
    write_file_atomically(output, read_file(part));
    remove_file(part);
  }

  TranslationArguments arguments(const std::string& file) const {
    TranslationArguments arguments;
    arguments.models = {checkpoint_.string()};
    arguments.threads = threads();
    arguments.long_line_advice = fmt::format(
        "it stands in {}; raise validation.max_length and start over with --fresh", file);
    return arguments;
  }
};

void warn_of_empty_lines(const std::string& translation, double most) {
  const std::vector<std::string> lines = read_lines(translation);
  const auto empty = std::ranges::count(lines, "");
  if (static_cast<double>(empty) <= most * static_cast<double>(lines.size())) return;
  log::warning(
      "{} of {} in {} are empty: the teacher has learned too little; raise train.teacher_steps",
      format_count(empty), format_count(std::ssize(lines), "translation"), translation);
}

/// False when the time is over before the teacher has learned.
bool train_teacher(const RunConfig& config, const RunFolder& folder, const fs::path& path,
                   const Stopwatch& watch, const StopSignal& stop) {
  log::info("first a teacher of both directions, {} (train.teacher_steps), in {}",
            format_count(config.train.teacher_steps, "update"), path.string());
  // The run's vocabulary is the teacher's too.
  load_or_train_vocabulary(config.vocabulary, folder.path(), config.data.train.source,
                           config.data.train.target, config.seed, config.data.lines);
  const RunConfig kept = teacher_config(config);
  RunConfig effective = kept;
  effective.vocabulary.path = vocabulary_paths(config.vocabulary, folder.path()).source.string();
  spend_minutes(effective.train, watch);
  const StopReason reason = train_in(RunFolder(path), kept, effective, stop);
  if (stop.received() != 0) throw StoppedBySignal{stop.received()};
  return reason != StopReason::kMaxMinutes;
}

}  // namespace

RunConfig teacher_config(const RunConfig& config) {
  RunConfig teacher = config;
  teacher.name += ", its teacher";
  teacher.data.bidirectional_epochs = kAllEpochs;
  teacher.train.max_steps = std::exchange(teacher.train.teacher_steps, 0);
  return teacher;
}

std::optional<fs::path> find_teacher(const RunConfig& config, const fs::path& run_path) {
  const fs::path path = teacher_path(run_path);
  const std::optional<fs::path> last = find_resumable_checkpoint(path);
  if (!last) return std::nullopt;
  const Checkpoint checkpoint(*last);
  const RunConfig kept = teacher_config(config);
  check_resumable(checkpoint, kept, config.data.train, path);
  const int64_t steps = checkpoint.state().step;
  if (steps > kept.train.max_steps) {
    throw UserError(fmt::format(
        "the teacher in {} has made {} already, and train.teacher_steps is {}; give it {} or more, "
        "choose another folder with --run, or start over with --fresh",
        path.string(), format_count(steps, "update"), kept.train.max_steps, steps));
  }
  const bool learned =
      steps == kept.train.max_steps || is_patience_over(checkpoint.state(), kept.train);
  return learned ? last : std::nullopt;
}

bool teacher_is_done(const RunConfig& config, const fs::path& run_path) {
  if (!list_checkpoints(run_path).empty()) return true;
  const TeacherFolder folder(run_path);
  return folder.read_record().teacher_steps == config.train.teacher_steps &&
         std::ranges::all_of(folder.translations(config.data.train), is_there);
}

void check_without_teacher(const fs::path& run_path) {
  if (!list_checkpoints(run_path).empty() || list_checkpoints(teacher_path(run_path)).empty()) {
    return;
  }
  throw UserError(fmt::format(
      "{} holds a teacher, of a run with train.teacher_steps; give that again, choose another "
      "folder with --run, or start over with --fresh",
      run_path.string()));
}

bool prepare_with_teacher(const RunConfig& config, const RunFolder& folder, const Stopwatch& watch,
                          const StopSignal& stop) {
  if (!list_checkpoints(folder.path()).empty()) return true;  // the run itself has begun
  const TeacherFolder teacher(folder.path());
  try {
    std::optional<fs::path> learned = find_teacher(config, folder.path());
    if (!learned) {
      if (!train_teacher(config, folder, teacher.path(), watch, stop)) return false;
      learned = find_teacher(config, folder.path());
    }
    TranslatingTeacher translating(config, teacher, learned.value(), watch);
    const ParallelFiles& text = config.data.train;
    if (translating.translate(text.source, teacher.forward(text)) &&
        translating.translate(text.target, teacher.backward(text))) {
      for (const std::string& file : teacher.translations(text)) {
        warn_of_empty_lines(file, config.data.max_dropped);
      }
      throw_if_stopped();
      return true;
    }
  } catch (const StoppedBySignal&) {
    log::info("stopped by a signal before the run itself; the same command goes on from there");
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
  config.train.initial_model =
      (teacher.path() / kCheckpointsFolder / teacher.read_record().checkpoint).string();
  return config;
}

}  // namespace calque
