#pragma once

#include <filesystem>
#include <string>

#include "base/scratch_folder.h"

namespace calque::test {

/// A new empty folder, removed with all its content by the destructor.
class TemporaryFolder : public ScratchFolder {
 public:
  std::filesystem::path operator/(const std::string& name) const { return path() / name; }
};

}  // namespace calque::test
