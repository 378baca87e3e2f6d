#include "export/new_folder.h"

#include <stdio.h>

#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/file_descriptor.h"
#include "base/scratch_folder.h"
#include "base/stop_signal.h"

namespace calque {
namespace {

namespace fs = std::filesystem;

/// Folders of this beginning belong to an export that is under way or was killed.
constexpr char kTemporary[] = ".tmp_";

/// `path` as a name in a folder: links followed, no "." and no slash at the end.
fs::path resolved(const fs::path& path) {
  std::error_code error;
  fs::path absolute = fs::absolute(path, error);
  if (!error) absolute = fs::weakly_canonical(absolute, error);
  if (error) throw_file_error("find", path, error.value());
  return absolute.has_filename() ? absolute : absolute.parent_path();
}

void check_is_free(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return;
  if (fs::is_directory(path, ignored) && fs::is_empty(path, ignored)) return;
  throw UserError(
      fmt::format("{} exists already; name a new folder, or an empty one", path.string()));
}

}  // namespace

void write_new_folder(const fs::path& path, const std::function<void(const fs::path&)>& fill) {
  const fs::path folder = resolved(path);
  check_is_free(folder);
  make_folders(folder.parent_path());
  const StopSignal stop;
  const ScratchFolder beside(folder.parent_path() / (kTemporary + folder.filename().string()));
  fill(beside.path());
  sync_folder(beside.path());
  throw_if_stopped();
  // An empty folder of that name is replaced; one that has been filled meanwhile is an error.
  if (::rename(beside.path().c_str(), folder.c_str()) != 0) {
    throw_file_error("create", folder, errno);
  }
  sync_folder(folder.parent_path());
}

}  // namespace calque
