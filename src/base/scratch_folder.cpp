#include "base/scratch_folder.h"

#include <stdlib.h>

#include <cerrno>
#include <string>
#include <utility>

#include "base/file.h"
#include "base/file_descriptor.h"

namespace calque {
namespace {

void remove_folder(const std::filesystem::path& path) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

}  // namespace

ScratchFolder::ScratchFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "calque-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw_file_error("create", name, errno);
  path_ = name;
}

ScratchFolder::ScratchFolder(std::filesystem::path path) : path_(std::move(path)) {
  remove_folder(path_);
  make_folders(path_);
}

ScratchFolder::~ScratchFolder() { remove_folder(path_); }

}  // namespace calque
