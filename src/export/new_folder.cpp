#include "export/new_folder.h"

#include <stdio.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/file_descriptor.h"
#include "base/scratch_folder.h"
#include "base/stop_signal.h"

namespace calque {
namespace {

namespace fs = std::filesystem;

/// Where a folder is made: beside, under a name of its own, so that two at a time do not mix.
/// Folders of such names belong to an export that is under way or was killed.
fs::path beside(const fs::path& folder) {
  return folder.parent_path() / fmt::format(".tmp{}_{}", getpid(), folder.filename().string());
}

/// `path` as a name in a folder: links followed, no "." and no slash at the end.
fs::path resolved(const fs::path& path) {
  if (path.empty()) throw UserError("expected the name of a folder to make, found an empty one");
  std::error_code error;
  fs::path absolute = fs::absolute(path, error);
  if (!error) absolute = fs::weakly_canonical(absolute, error);
  if (error) throw_file_error("find", path, error.value());
  return absolute.has_filename() ? absolute : absolute.parent_path();
}

void check_is_free(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_symlink(path, ignored)) {  // else it would have been followed
    throw UserError(fmt::format("{} is a link to {}, which is not there; name a new folder",
                                path.string(), fs::read_symlink(path, ignored).string()));
  }
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
  const ScratchFolder scratch(beside(folder));
  fill(scratch.path());
  sync_folder(scratch.path());
  throw_if_stopped();
  // An empty folder of that name is replaced; one that has been filled meanwhile is an error.
  if (::rename(scratch.path().c_str(), folder.c_str()) != 0) {
    throw_file_error("create", folder, errno);
  }
  sync_folder(folder.parent_path());
}

void write_synced(const fs::path& path, std::string_view text) {
  FileWriter file(path);
  file.write(text);
  file.finish();
}

}  // namespace calque
