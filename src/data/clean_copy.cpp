#include "data/clean_copy.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <set>

#include "base/error.h"
#include "base/file_descriptor.h"

namespace calque {
namespace {

void check_is_new(const std::filesystem::path& path) {
  std::error_code none;
  if (!std::filesystem::exists(std::filesystem::symlink_status(path, none))) return;
  throw UserError(
      fmt::format("{} is there already and is not overwritten; move it away, or name another "
                  "folder with --write-clean",
                  path.string()));
}

std::string name_of_copy(const std::filesystem::path& file) {
  return (file.extension() == ".gz" ? file.stem() : file.filename()).string();
}

}  // namespace

CleanCopy::CleanCopy(const std::filesystem::path& folder, const std::vector<TextCheck>& texts)
    : folder_(folder) {
  std::set<std::string> names;
  for (const TextCheck& text : texts) {
    for (const auto* side : {&text.files.source, &text.files.target}) {
      for (const std::string& file : *side) {
        const std::string name = name_of_copy(file);
        if (!names.insert(name).second) {
          throw UserError(fmt::format(
              "--write-clean: two files would be written as {}, one of them from {}; give them "
              "different names, or clean them one at a time",
              (folder / name).string(), file));
        }
        check_is_new(folder / name);
        copies_[file].path = folder / name;
      }
    }
  }
  scratch_.emplace(folder / fmt::format(".clean.tmp{}", getpid()));
  for (auto& [file, copy] : copies_) {
    copy.written_path = scratch_->path() / copy.path.filename();
    copy.writer = std::make_unique<FileWriter>(copy.written_path);
  }
}

void CleanCopy::add(const TextPair& pair) {
  write(pair.source_place.file, pair.source_line);
  write(pair.target_place.file, pair.target_line);
}

void CleanCopy::write(const std::string& file, const std::string& line) {
  FileWriter& writer = *copies_.at(file).writer;
  writer.write(line);
  writer.write("\n");
}

std::vector<std::filesystem::path> CleanCopy::finish() {
  std::vector<std::filesystem::path> paths;
  for (auto& [file, copy] : copies_) copy.writer->finish();
  for (auto& [file, copy] : copies_) {
    check_is_new(copy.path);
    if (std::rename(copy.written_path.c_str(), copy.path.c_str()) != 0) {
      throw_file_error("create", copy.path, errno);
    }
    paths.push_back(copy.path);
  }
  sync_folder(folder_);
  scratch_.reset();
  return paths;
}

}  // namespace calque
