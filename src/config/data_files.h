#pragma once

#include "config/run_config.h"

namespace calque {

/// Throws UserError unless every text file that the config names can be opened: with the key that
/// names it, why it cannot, and, for `.../NAME/file` where there is one, the script
/// `scripts/get_NAME.sh` that fetches it.
void check_data_files(const DataOptions& data);

}  // namespace calque
