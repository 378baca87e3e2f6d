#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "config/run_config.h"
#include "model/transformer.h"
#include "text/tokenizer.h"

namespace calque {

/// A trained model with all that is needed to translate.
struct OpenedModel {
  std::filesystem::path checkpoint;  // the folder that it came from
  RunConfig config;
  TokenizerPair tokenizers;
  std::unique_ptr<Transformer> model;  // inference only: no gradients
};

/// Opens a checkpoint folder, or a run folder (then its `best` checkpoint, else its `latest`).
/// Every file is checked before it is used. Throws UserError naming the file and what is wrong with
/// it.
OpenedModel open_model(const std::filesystem::path& path);

/// The vocabulary that a checkpoint carries.
TokenizerPair load_tokenizers(const Checkpoint& checkpoint);

/// The config that a checkpoint carries.
RunConfig load_config(const Checkpoint& checkpoint);

/// What a checkpoint carries beside numbers: effective config and vocabulary, by file name.
std::map<std::string, std::string> checkpoint_texts(const RunConfig& config,
                                                    const TokenizerPair& tokenizers);

/// Copies the weights of another run's checkpoint (`train.initial_model`) into the model of
/// `config`. What its model did otherwise with weights of the same shapes (heads, activation, ...)
/// is a warning. Throws UserError when the vocabularies or any parameters differ.
void load_initial_model(const Checkpoint& checkpoint, const RunConfig& config,
                        const TokenizerPair& tokenizers, Transformer& model);

/// The keys at which two configs are not of the same run: those of AtResume::kRefuse.
std::vector<ConfigChange> refused_changes(const RunConfig& old_config, const RunConfig& new_config);

/// Compares a run as its checkpoint knows it with what it is to go on with: the order of batches,
/// the config key by key, the files of `text`, which it learns from, by size and checksum, and the
/// files of the vocabulary, where they still are. Logs a line for each changed key that matters,
/// and throws one UserError that names everything that would make it another run. Throws
/// StoppedBySignal once a StopSignal that lives has noted a signal.
void check_resumable(const Checkpoint& checkpoint, const RunConfig& config,
                     const ParallelFiles& text, const std::filesystem::path& run_folder);

}  // namespace calque
