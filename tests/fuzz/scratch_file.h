#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/scratch_folder.h"

namespace calque::fuzz {

/// A file for readers that map files or read them piece by piece, in a folder that goes when the
/// program ends. Written without the syncing that the program's own writers do.
inline std::filesystem::path scratch_file(const std::string& name, std::string_view content) {
  static const ScratchFolder folder;
  std::filesystem::path path = folder.path() / name;
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

}  // namespace calque::fuzz
