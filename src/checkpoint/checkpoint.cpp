#include "checkpoint/checkpoint.h"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "base/resident_memory.h"

namespace calque {
namespace {

static_assert(std::is_same_v<Real, float>, "checkpoints hold float32");

/// No honest `state.json` comes near this size.
constexpr uintmax_t kLargestState = uintmax_t{16} << 20;

/// Nor a config or a vocabulary near this one.
constexpr size_t kLargestText = size_t{64} << 20;

/// A message lists so many tensors; a model of a dozen layers has no more.
constexpr size_t kMostDifferences = 500;

constexpr std::array<std::string_view, 6> kFiles = {
    kModelFile,           kOptimizerFile, kConfigFile, kSharedVocabularyFile, kSourceVocabularyFile,
    kTargetVocabularyFile};

/// Size of an ordinary file, no link: a folder from a stranger may point to nothing outside itself.
uintmax_t ordinary_file_size(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::symlink_status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    throw UserError(fmt::format("{} is missing", path.string()));
  }
  if (status.type() != std::filesystem::file_type::regular) {
    throw UserError(fmt::format("{} should be an ordinary file", path.string()));
  }
  const uintmax_t size = std::filesystem::file_size(path, error);
  if (error) throw UserError(fmt::format("cannot read {}: {}", path.string(), error.message()));
  return size;
}

/// Notes every difference between the tensors of a file and those wanted.
std::vector<std::string> differences(const SafetensorsFile& file,
                                     std::span<const TensorToWrite> wanted) {
  std::vector<std::string> lines;
  std::map<std::string_view, const TensorToWrite*> known;
  for (const TensorToWrite& tensor : wanted) {
    known[tensor.name] = &tensor;
    const StoredTensor* const found = file.find(tensor.name);
    if (found == nullptr) {
      lines.push_back(fmt::format("{} is missing", tensor.name));
    } else if (found->type != StoredType::kF32) {
      lines.push_back(fmt::format("{} should hold F32", tensor.name));
    } else if (found->shape != tensor.shape) {
      lines.push_back(fmt::format("{} should be {} but is {}", tensor.name,
                                  tensor.shape.to_string(), found->shape.to_string()));
    }
  }
  for (const StoredTensor& tensor : file.tensors()) {
    if (!known.contains(tensor.name)) {
      lines.push_back(fmt::format("{} is not known to the model", tensor.name));
    }
  }
  return lines;
}

/// Throws unless the file holds the tensors wanted and nothing else.
void check_fits(const SafetensorsFile& file, std::span<const TensorToWrite> wanted) {
  std::vector<std::string> lines = differences(file, wanted);
  if (lines.empty()) return;
  if (lines.size() > kMostDifferences) {
    const size_t more = lines.size() - kMostDifferences;
    lines.resize(kMostDifferences);
    lines.push_back(fmt::format("and {} more", more));
  }
  throw UserError(fmt::format("{} does not fit the model of this configuration:\n  {}",
                              file.path().string(), fmt::join(lines, "\n  ")));
}

/// `file` is mapped: what was copied from it takes no memory any more.
void load_blocks(const SafetensorsFile& file, const ParameterStore& layout,
                 std::span<const NamedBlock> blocks) {
  std::vector<TensorToWrite> wanted;
  for (const NamedBlock& block : blocks) append_tensors(layout, block.prefix, wanted);
  check_fits(file, wanted);
  size_t next = 0;
  for (const NamedBlock& block : blocks) {
    CALQUE_CHECK(std::ssize(block.values) == layout.count(), "{} values for {} elements",
                 block.values.size(), layout.count());
    for (const Parameter& parameter : layout.parameters()) {
      const std::string& name = wanted[next++].name;
      copy_finite_values(file, name,
                         block.values.subspan(static_cast<size_t>(parameter.offset),
                                              static_cast<size_t>(parameter.shape.count())));
      drop_pages(file.find(name)->bytes);
    }
  }
}

}  // namespace

bool is_checkpoint_file(std::string_view name) {
  return std::ranges::find(kFiles, name) != kFiles.end();
}

void append_tensors(const ParameterStore& layout, const std::string& prefix,
                    std::vector<TensorToWrite>& tensors) {
  for (const Parameter& parameter : layout.parameters()) {
    tensors.push_back(
        {prefix.empty() ? parameter.name : prefix + "." + parameter.name, parameter.shape});
  }
}

Checkpoint::Checkpoint(std::filesystem::path folder) : folder_(std::move(folder)) {
  const std::filesystem::path path = folder_ / kStateFile;
  const uintmax_t size = ordinary_file_size(path);
  if (size > kLargestState) {
    throw UserError(fmt::format("{} is damaged: it has {} bytes", path.string(), size));
  }
  state_ = state_from_json(read_file(path), path);
  if (!has(kModelFile)) throw UserError(fmt::format("{} names no {}", path.string(), kModelFile));
  for (const auto& [name, record] : state_.files) {
    if (!is_checkpoint_file(name)) {
      throw UserError(
          fmt::format("{} names a file that does not belong to a checkpoint", path.string()));
    }
    if (name != kOptimizerFile) check_size(name);
  }
}

void Checkpoint::check_size(const std::string& file) const {
  const auto record = state_.files.find(file);
  if (record == state_.files.end()) {
    throw UserError(fmt::format("the checkpoint {} has no {}", folder_.string(), file));
  }
  const uintmax_t found = ordinary_file_size(folder_ / file);
  if (found != static_cast<uintmax_t>(record->second.bytes)) {
    throw UserError(fmt::format("{} is damaged: it has {} bytes where {} says {}",
                                (folder_ / file).string(), found, kStateFile,
                                record->second.bytes));
  }
}

MappedFile Checkpoint::checked_file(const std::string& file) const {
  check_size(file);
  MappedFile mapped(folder_ / file);
  const FileRecord& record = state_.files.at(file);
  if (std::ssize(mapped.bytes()) != record.bytes || hash_bytes(mapped.bytes()) != record.hash) {
    throw UserError(fmt::format("{} is damaged: its checksum is not the one in {}",
                                (folder_ / file).string(), kStateFile));
  }
  drop_pages(mapped.bytes());  // read from end to end, and next piece by piece
  return mapped;
}

std::string Checkpoint::text(const std::string& file) const {
  const MappedFile mapped = checked_file(file);
  const std::span<const std::byte> bytes = mapped.bytes();
  if (bytes.size() > kLargestText) {
    throw UserError(fmt::format("{} has {} bytes; expected {} at most", (folder_ / file).string(),
                                bytes.size(), kLargestText));
  }
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::map<std::string, std::string> Checkpoint::texts() const {
  std::map<std::string, std::string> texts;
  for (const auto& [name, record] : state_.files) {
    if (name != kModelFile && name != kOptimizerFile) texts[name] = text(name);
  }
  return texts;
}

SafetensorsFile Checkpoint::tensors(const std::string& file) const {
  return {checked_file(file), folder_ / file};
}

void Checkpoint::check_model(const ParameterStore& layout) const {
  std::vector<TensorToWrite> wanted;
  append_tensors(layout, "", wanted);
  check_fits(tensors(kModelFile), wanted);
}

void Checkpoint::load_model(const ParameterStore& layout, std::span<Real> values) const {
  const NamedBlock block{"", values};
  load_blocks(tensors(kModelFile), layout, {&block, 1});
}

void Checkpoint::load_optimizer(const ParameterStore& layout,
                                std::span<const NamedBlock> blocks) const {
  load_blocks(tensors(kOptimizerFile), layout, blocks);
}

void Checkpoint::verify(bool training) const {
  for (const auto& [name, record] : state_.files) {
    if (training || name != kOptimizerFile) checked_file(name);
  }
}

}  // namespace calque
