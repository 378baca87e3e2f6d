#include "base/scratch_folder.h"

#include <stdlib.h>

#include <cerrno>
#include <string>

#include "base/file_descriptor.h"

namespace calque {

ScratchFolder::ScratchFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "calque-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw_file_error("create", name, errno);
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace calque
