#pragma once

#include <filesystem>
#include <span>

namespace calque {

/// Averages the models of several checkpoints, element by element in double, into a new checkpoint
/// folder `output`, which translates, and which `train.initial_model` may start from, but in which
/// training does not go on (it has no optimizer state). It carries the first one's configuration;
/// whether the others' fit is for the caller to see. Throws UserError when there are none, when one
/// is named twice, when their parameters or vocabulary differ (naming the two folders), or when
/// `output` exists.
void average_checkpoints(std::span<const std::filesystem::path> folders,
                         const std::filesystem::path& output);

}  // namespace calque
