#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace calque {

/// All that goes into a checkpoint. Views; nothing is owned but text.
struct CheckpointContents {
  const ParameterStore& layout;  // names and shapes
  std::span<const Real> model;   // [count] what translates
  /// What training needs beside it: the moments, and the weights when `model` is their average.
  std::vector<NamedBlock> optimizer;
  /// Configuration and vocabulary: file names from the list above, and their bytes.
  std::map<std::string, std::string> texts;
  CheckpointState state;  // its `files` are ignored
};

/// Writes `<run_folder>/checkpoints/step_<8 digits>` and then the file
/// `<run_folder>/latest`, which names it. The folder is written beside, every file synced and
/// checksummed, and put in its place by one rename, so that at every moment either all of it or
/// nothing of it is there; a checkpoint of the same step is replaced as safely. Leftovers of a
/// killed save are removed first. Returns the folder.
///
/// Throws UserError with path and reason (too little free space, disk full, permission); then
/// `latest` and all earlier checkpoints are as they were.
std::filesystem::path save_checkpoint(const std::filesystem::path& run_folder,
                                      const CheckpointContents& contents);

/// Puts a folder of such files in the place of `folder`, as `save_checkpoint` does, without a run
/// folder around it.
void write_checkpoint_folder(const std::filesystem::path& folder,
                             const CheckpointContents& contents);

}  // namespace calque
