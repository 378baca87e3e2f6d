#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/safetensors.h"
#include "checkpoint/state.h"
#include "nn/parameter.h"

namespace calque {

/// The files of a checkpoint folder. `model.safetensors` is what translates: the weights, or their
/// moving average. `optimizer.safetensors` is what only training needs.
inline constexpr const char kModelFile[] = "model.safetensors";
inline constexpr const char kOptimizerFile[] = "optimizer.safetensors";
inline constexpr const char kStateFile[] = "state.json";
inline constexpr const char kConfigFile[] = "config.yaml";
inline constexpr const char kSharedVocabularyFile[] = "vocab.model";
inline constexpr const char kSourceVocabularyFile[] = "source.vocab.model";
inline constexpr const char kTargetVocabularyFile[] = "target.vocab.model";

/// One flat block of numbers laid out as the values of a ParameterStore. In a file, the part of
/// parameter `p` is the tensor `<prefix>.<p>`.
struct NamedBlock {
  std::string prefix;  // "adam.first_moment", "adam.second_moment", "weights"
  std::span<Real> values;
};

/// Whether a checkpoint may hold a file of this name beside `state.json`.
bool is_checkpoint_file(std::string_view name);

/// Appends the tensors that a block of this prefix is made of. An empty prefix: the parameters'
/// own names.
void append_tensors(const ParameterStore& layout, const std::string& prefix,
                    std::vector<TensorToWrite>& tensors);

/// A checkpoint folder that was opened for reading. Nothing is believed before it is checked:
/// opening checks `state.json` and that every file it names is there, an ordinary file and of the
/// recorded size (but for the optimizer's, which may have been taken away to hand the model on);
/// each file's checksum is compared when it is read. All functions throw UserError naming the file
/// and what is wrong.
class Checkpoint {
 public:
  explicit Checkpoint(std::filesystem::path folder);

  const std::filesystem::path& folder() const { return folder_; }
  const CheckpointState& state() const { return state_; }
  bool has(const std::string& file) const { return state_.files.contains(file); }
  /// It was saved with all that training goes on from.
  bool is_resumable() const { return has(kOptimizerFile); }

  /// The bytes of the configuration or of a vocabulary.
  std::string text(const std::string& file) const;
  /// All text files: name and bytes.
  std::map<std::string, std::string> texts() const;
  /// The tensors of `model.safetensors` or `optimizer.safetensors`.
  SafetensorsFile tensors(const std::string& file) const;

  /// Throws unless the tensors of `model.safetensors` are the store's, with the same shapes; all
  /// differences are listed at once. The store needs no memory yet.
  void check_model(const ParameterStore& layout) const;
  /// Copies `model.safetensors`, checked so, into `values`, [count], laid out as `layout`.
  void load_model(const ParameterStore& layout, std::span<Real> values) const;
  /// Copies `optimizer.safetensors` into the blocks; it must hold these and nothing else.
  void load_optimizer(const ParameterStore& layout, std::span<const NamedBlock> blocks) const;

  /// Compares the checksums of all files; without the optimizer's unless `training`.
  void verify(bool training) const;

 private:
  std::filesystem::path folder_;
  CheckpointState state_;

  /// Throws unless the file is there, ordinary, and of the recorded size.
  void check_size(const std::string& file) const;
  /// A file whose size and checksum are the recorded ones.
  MappedFile checked_file(const std::string& file) const;
};

}  // namespace calque
