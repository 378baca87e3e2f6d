#include "checkpoint/save.h"

#include <fcntl.h>
#include <stdio.h>

#include <cerrno>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/file_descriptor.h"
#include "base/scratch_folder.h"
#include "checkpoint/run_checkpoints.h"

namespace calque {
namespace {

namespace fs = std::filesystem;

/// Folders of this beginning belong to a save that is under way or was killed.
constexpr char kTemporary[] = ".tmp_";

/// Room for `state.json`, for the folder itself, and for `latest`.
constexpr uintmax_t kSmallFiles = uintmax_t{1} << 20;

/// What other tools ask for before they load a file.
TensorMetadata metadata() { return {{"format", "pt"}}; }

fs::path temporary_path(const fs::path& folder) {
  return folder.parent_path() / (kTemporary + folder.filename().string());
}

std::vector<TensorToWrite> model_tensors(const CheckpointContents& contents) {
  std::vector<TensorToWrite> tensors;
  append_tensors(contents.layout, "", tensors);
  return tensors;
}

std::vector<TensorToWrite> optimizer_tensors(const CheckpointContents& contents) {
  std::vector<TensorToWrite> tensors;
  for (const NamedBlock& block : contents.optimizer) {
    append_tensors(contents.layout, block.prefix, tensors);
  }
  return tensors;
}

/// Throws when the file system has no room for the checkpoint.
void check_free_space(const fs::path& folder, const CheckpointContents& contents) {
  uintmax_t needed = kSmallFiles +
                     SafetensorsWriter::file_size(model_tensors(contents), metadata()) +
                     SafetensorsWriter::file_size(optimizer_tensors(contents), metadata());
  for (const auto& [name, text] : contents.texts) needed += text.size();
  std::error_code error;
  const fs::space_info space = fs::space(folder.parent_path(), error);
  if (error) throw_file_error("ask for the free space of", folder.parent_path(), error.value());
  if (space.available >= needed) return;
  constexpr double kMegabyte = 1e6;
  throw UserError(fmt::format(
      "cannot write {}: it takes {:.1f} MB, but its file system has {:.1f} MB left. Make room, or "
      "keep fewer checkpoints (train.keep_last)",
      folder.string(), static_cast<double>(needed) / kMegabyte,
      static_cast<double>(space.available) / kMegabyte));
}

/// Writes all files into `folder`; `state.json`, which knows the others, comes last.
void write_files(const fs::path& folder, const CheckpointContents& contents) {
  CheckpointState state = contents.state;
  state.files.clear();
  const auto record = [&](const std::string& name) {
    const MappedFile file(folder / name);
    state.files[name] = {std::ssize(file.bytes()), hash_bytes(file.bytes())};
  };

  SafetensorsWriter model(folder / kModelFile, model_tensors(contents), metadata());
  model.write(contents.model);
  model.finish();
  record(kModelFile);
  if (!contents.optimizer.empty()) {
    SafetensorsWriter optimizer(folder / kOptimizerFile, optimizer_tensors(contents), metadata());
    for (const NamedBlock& block : contents.optimizer) optimizer.write(block.values);
    optimizer.finish();
    record(kOptimizerFile);
  }
  for (const auto& [name, text] : contents.texts) {
    CALQUE_CHECK(is_checkpoint_file(name), "{} does not belong to a checkpoint", name);
    FileWriter file(folder / name);
    file.write(text);
    file.finish();
    record(name);
  }
  FileWriter file(folder / kStateFile);
  file.write(to_json(state));
  file.finish();
  sync_folder(folder);
}

void rename_folder(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) throw_file_error("create", to, errno);
}

/// Gives `fresh` the name `folder`. A folder of that name trades places with it, in one step where
/// the file system can do so.
void put_in_place(const fs::path& fresh, const fs::path& folder) {
  std::error_code ignored;
  if (!fs::exists(folder, ignored)) {
    rename_folder(fresh, folder);
  } else if (renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, folder.c_str(), RENAME_EXCHANGE) != 0) {
    if (errno != EINVAL && errno != ENOSYS) throw_file_error("replace", folder, errno);
    const ScratchFolder aside(fresh.string() + "_old");
    rename_folder(folder, aside.path() / folder.filename());
    rename_folder(fresh, folder);
  }
  sync_folder(folder.parent_path());
}

/// Removes what killed saves have left behind.
void remove_leftovers(const fs::path& run_folder, const fs::path& checkpoints) {
  std::error_code ignored;
  const auto remove_all = [&](const fs::path& folder, std::string_view beginning) {
    std::vector<fs::path> leftovers;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
      if (entry.path().filename().string().starts_with(beginning)) leftovers.push_back(entry);
    }
    for (const fs::path& leftover : leftovers) fs::remove_all(leftover, ignored);
  };
  remove_all(checkpoints, kTemporary);
  remove_all(run_folder, std::string(kLatestFile) + ".tmp");
  remove_all(run_folder, std::string(kBestFile) + ".tmp");
}

}  // namespace

void write_checkpoint_folder(const fs::path& folder, const CheckpointContents& contents) {
  CALQUE_CHECK(std::ssize(contents.model) == contents.layout.count(), "{} values for {} elements",
               contents.model.size(), contents.layout.count());
  const fs::path absolute = fs::absolute(folder).lexically_normal();
  make_folders(absolute.parent_path());
  check_free_space(absolute, contents);
  const ScratchFolder fresh(temporary_path(absolute));
  write_files(fresh.path(), contents);
  put_in_place(fresh.path(), absolute);
}

fs::path save_checkpoint(const fs::path& run_folder, const CheckpointContents& contents) {
  const fs::path checkpoints = run_folder / kCheckpointsFolder;
  remove_leftovers(run_folder, checkpoints);
  const fs::path folder = checkpoints / checkpoint_name(contents.state.step);
  write_checkpoint_folder(folder, contents);
  mark_latest(run_folder, contents.state.step);
  return folder;
}

}  // namespace calque
