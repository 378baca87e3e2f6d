#pragma once

#include <filesystem>

#include "data/batcher.h"

namespace calque {

/// Writes the next `count` batches for other programs to train on: a line each, a JSON object with
/// the ids of every sentence, its end id included, begin ids and padding not:
///   {"source": [[17, 5, 2], [9, 2]], "target": [[4, 2], [31, 8, 2]]}
/// Throws UserError naming file and reason.
void export_batches(Batcher batcher, int64_t count, const std::filesystem::path& file);

}  // namespace calque
