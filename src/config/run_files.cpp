#include "config/run_files.h"

#include "base/log.h"
#include "base/stop_signal.h"
#include "checkpoint/run_checkpoints.h"

namespace calque {
namespace {

/// Logs the changes of keys that a run may go on with, and notes the others in `refused`.
void compare_keys(const RunConfig& old_config, const RunConfig& new_config,
                  std::vector<std::string>& refused) {
  for (const ConfigChange& change : compare_configs(old_config, new_config)) {
    const std::string line =
        fmt::format("{}: was {}, is {} now", change.key, change.old_text, change.new_text);
    switch (change.severity) {
      case AtResume::kHarmless:
        log::info("{}", line);
        break;
      case AtResume::kWarn:
        log::warning("{}", line);
        break;
      case AtResume::kRefuse:
        refused.push_back(line);
        break;
    }
  }
}

/// Notes the files of `key` whose content is not what the run was started with.
void compare_text(const char* key, const std::vector<std::string>& files,
                  const Checkpoint& checkpoint, std::vector<std::string>& refused) {
  const auto& records = checkpoint.state().corpus.files;
  for (const std::string& file : files) {
    const auto old = records.find(file);
    if (old == records.end()) continue;  // the key itself has changed
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) {
      refused.push_back(fmt::format("{}: {} is missing", key, file));
      continue;
    }
    const FileRecord now = record_file(file, [](int64_t) { throw_if_stopped(); });
    if (now == old->second) continue;
    refused.push_back(now.bytes == old->second.bytes
                          ? fmt::format("{}: {} has as many bytes, but others", key, file)
                          : fmt::format("{}: {} had {} bytes, has {} now", key, file,
                                        old->second.bytes, now.bytes));
  }
}

/// Notes the vocabulary files that are there and not the ones that the checkpoint carries.
void compare_vocabulary(const Checkpoint& checkpoint, const VocabularyPaths& paths,
                        std::vector<std::string>& refused) {
  const auto compare = [&](const std::filesystem::path& path, const char* file) {
    std::error_code ignored;
    if (!checkpoint.has(file) || !std::filesystem::exists(path, ignored)) return;
    if (read_file(path) == checkpoint.text(file)) return;
    refused.push_back(
        fmt::format("vocabulary.path: {} is not the vocabulary of the run, which is {}",
                    path.string(), (checkpoint.folder() / file).string()));
  };
  if (paths.source == paths.target) return compare(paths.source, kSharedVocabularyFile);
  compare(paths.source, kSourceVocabularyFile);
  compare(paths.target, kTargetVocabularyFile);
}

/// Removes a key of a block that older checkpoints have, with its value.
void remove_key(const std::string& key, std::string& yaml) {
  const size_t begin = yaml.find("\n  " + key + ":");
  if (begin != std::string::npos) yaml.erase(begin, yaml.find('\n', begin + 1) - begin);
}

/// A run whose batches were taken in another order would not be the same run.
void check_order_of_batches(const Checkpoint& checkpoint, const std::filesystem::path& run_folder) {
  const CheckpointState& state = checkpoint.state();
  if (state.has_this_order()) return;
  throw UserError(fmt::format(
      "{} holds a run of an older Calque ({}), which sorted its batches by length. This one does "
      "not, so going on would not be the same run. Its model can be used as before, also as "
      "train.initial_model. Go on with the older Calque, choose another folder with --run, or "
      "start over with --fresh (the old folder is put aside, not deleted)",
      run_folder.string(), state.calque_version));
}

}  // namespace

TokenizerPair load_tokenizers(const Checkpoint& checkpoint) {
  const auto load = [&](const char* file) {
    return Tokenizer(checkpoint.text(file), (checkpoint.folder() / file).string());
  };
  if (checkpoint.has(kSharedVocabularyFile)) return TokenizerPair(load(kSharedVocabularyFile));
  return {load(kSourceVocabularyFile), load(kTargetVocabularyFile)};
}

RunConfig load_config(const Checkpoint& checkpoint) {
  std::string text = checkpoint.text(kConfigFile);
  remove_key("window_batches", text);
  return parse_config(text, checkpoint.folder() / kConfigFile);
}

std::map<std::string, std::string> checkpoint_texts(const RunConfig& config,
                                                    const TokenizerPair& tokenizers) {
  std::map<std::string, std::string> texts{{kConfigFile, to_yaml(config)}};
  if (tokenizers.shared()) {
    texts[kSharedVocabularyFile] = tokenizers.source().serialized();
  } else {
    texts[kSourceVocabularyFile] = tokenizers.source().serialized();
    texts[kTargetVocabularyFile] = tokenizers.target().serialized();
  }
  return texts;
}

OpenedModel open_model(const std::filesystem::path& path) {
  const Checkpoint checkpoint(resolve_model_folder(path));
  OpenedModel opened{checkpoint.folder(), load_config(checkpoint), load_tokenizers(checkpoint),
                     nullptr};
  opened.model = std::make_unique<Transformer>(
      opened.config.model, opened.tokenizers.source().size(), opened.tokenizers.target().size(),
      /*inference=*/true, [&](const ParameterStore& layout) { checkpoint.check_model(layout); });
  ParameterStore& parameters = opened.model->parameters();
  checkpoint.load_model(parameters, parameters.values());
  return opened;
}

void load_initial_model(const Checkpoint& checkpoint, const RunConfig& config,
                        const TokenizerPair& tokenizers, Transformer& model) {
  const TokenizerPair theirs = load_tokenizers(checkpoint);
  if (theirs.source().serialized() != tokenizers.source().serialized() ||
      theirs.target().serialized() != tokenizers.target().serialized()) {
    throw UserError(fmt::format(
        "train.initial_model: {} was trained with another vocabulary than this run uses. Give "
        "vocabulary.path the vocabulary file of that checkpoint",
        checkpoint.folder().string()));
  }
  checkpoint.load_model(model.parameters(), model.parameters().values());
  for (const ConfigChange& change : refused_changes(load_config(checkpoint), config)) {
    if (!change.key.starts_with("model.")) continue;
    log::warning("train.initial_model: {} was {} where its weights were trained, is {} here",
                 change.key, change.old_text, change.new_text);
  }
}

std::vector<ConfigChange> refused_changes(const RunConfig& old_config,
                                          const RunConfig& new_config) {
  std::vector<ConfigChange> changes = compare_configs(old_config, new_config);
  std::erase_if(changes,
                [](const ConfigChange& change) { return change.severity != AtResume::kRefuse; });
  return changes;
}

void check_resumable(const Checkpoint& checkpoint, const RunConfig& config,
                     const ParallelFiles& text, const std::filesystem::path& run_folder) {
  check_order_of_batches(checkpoint, run_folder);
  std::vector<std::string> refused;
  compare_keys(load_config(checkpoint), config, refused);
  compare_text("data.train.source", text.source, checkpoint, refused);
  compare_text("data.train.target", text.target, checkpoint, refused);
  compare_vocabulary(checkpoint, vocabulary_paths(config.vocabulary, run_folder), refused);
  if (refused.empty()) return;
  throw UserError(fmt::format(
      "{} holds a run that was started with other settings or text; going on would not be the same "
      "run:\n  {}\n"
      "Give the old ones back, choose another folder with --run, or start over with --fresh (the "
      "old folder is put aside, not deleted)",
      run_folder.string(), fmt::join(refused, "\n  ")));
}

}  // namespace calque
