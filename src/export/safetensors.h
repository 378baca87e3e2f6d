#pragma once

#include <filesystem>

#include "config/run_files.h"

namespace calque {

/// Writes the model as a folder for programs that build it themselves: `model.safetensors` with all
/// parameters under the names of docs/export.md, a tied matrix once; `config.json` with the sizes
/// and kinds that its layers need; and the files of write_vocabulary_files. Throws as
/// write_new_folder.
void export_to_safetensors(const OpenedModel& opened, const std::filesystem::path& output);

}  // namespace calque
