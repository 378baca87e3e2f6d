#pragma once

#include <filesystem>

#include "text/vocabulary.h"

namespace calque {

/// For a command that looks at a run without writing to it: makes `options` name a vocabulary that
/// may be loaded, or trained, in the folder `scratch` with what a training would load or train. The
/// vocabulary of the run, with its record, is copied there; `run_folder` is empty where there is to
/// be none. One that lies at vocabulary.path already stays where it is.
void borrow_vocabulary(VocabularyOptions& options, const std::filesystem::path& run_folder,
                       const std::filesystem::path& scratch);

}  // namespace calque
