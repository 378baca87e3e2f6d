#include "config/run_files.h"

#include "base/log.h"
#include "checkpoint/run_checkpoints.h"

namespace calque {

TokenizerPair load_tokenizers(const Checkpoint& checkpoint) {
  const auto load = [&](const char* file) {
    return Tokenizer(checkpoint.text(file), (checkpoint.folder() / file).string());
  };
  if (checkpoint.has(kSharedVocabularyFile)) return TokenizerPair(load(kSharedVocabularyFile));
  return {load(kSourceVocabularyFile), load(kTargetVocabularyFile)};
}

RunConfig load_config(const Checkpoint& checkpoint) {
  return parse_config(checkpoint.text(kConfigFile), checkpoint.folder() / kConfigFile);
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

void check_resumable(const RunConfig& old_config, const RunConfig& new_config,
                     const std::filesystem::path& run_folder) {
  std::string refused;
  for (const ConfigChange& change : compare_configs(old_config, new_config)) {
    const std::string line =
        fmt::format("{}: was {}, is {} now", change.key, change.old_text, change.new_text);
    if (change.severity == AtResume::kRefuse) {
      refused += "\n  " + line;
    } else if (change.severity == AtResume::kWarn) {
      log::warning("{}", line);
    } else {
      log::info("{}", line);
    }
  }
  if (refused.empty()) return;
  throw UserError(fmt::format(
      "{} holds a run with another configuration; going on would not be the same run:{}\n"
      "Give the old values back, choose another folder with --run, or start over with --fresh "
      "(the old folder is put aside, not deleted)",
      run_folder.string(), refused));
}

}  // namespace calque
