#pragma once

#include <filesystem>

#include "config/run_files.h"

namespace calque {

/// Positions that an exported model with sinusoids or none has: as many tokens as CTranslate2 reads
/// of a source unless its `max_input_length` says otherwise.
inline constexpr int64_t kExportedPositions = 1024;

/// Writes the model as a folder that CTranslate2 opens: `model.bin` in its binary version 6 (all
/// weights as float32), `config.json`, and the files of write_vocabulary_files. docs/export.md has
/// the map of the names.
///
/// Throws UserError listing everything that CTranslate2 cannot hold; otherwise as write_new_folder.
void export_to_ctranslate2(const OpenedModel& opened, const std::filesystem::path& output);

}  // namespace calque
