#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "tensor/shape.h"

namespace calque {

/// Element types that Calque reads; both have four bytes, little-endian.
enum class StoredType { kF32, kI32 };

/// One tensor of a safetensors file.
struct StoredTensor {
  std::string name;
  StoredType type = StoredType::kF32;
  Shape shape;
  std::span<const std::byte> bytes;  // row-major, anywhere in the file: maybe not aligned
};

/// Text beside the tensors: the format's `__metadata__`.
using TensorMetadata = std::map<std::string, std::string>;

/// A file in the safetensors layout: 8 bytes with the header's length, a JSON header naming each
/// tensor's type, shape and place, then the numbers. Mapped, and believed only where it agrees with
/// itself and with the file's size: every length, offset, type and shape is checked before anything
/// is handed out, and the tensors must cover the data without gaps or overlaps.
class SafetensorsFile {
 public:
  /// Throws UserError naming the file and what is wrong with it.
  explicit SafetensorsFile(const std::filesystem::path& path);
  /// The same over a file mapped before. `path` is for messages.
  SafetensorsFile(MappedFile file, std::filesystem::path path);
  /// The same over a file's bytes, which must outlive it.
  SafetensorsFile(std::span<const std::byte> bytes, std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  /// In the order of their data.
  const std::vector<StoredTensor>& tensors() const { return tensors_; }
  const TensorMetadata& metadata() const { return metadata_; }

  /// Null when there is none of that name.
  const StoredTensor* find(std::string_view name) const;
  /// The values of a tensor. Throw UserError when there is none of that name and type.
  std::vector<float> floats(std::string_view name) const;
  std::vector<int32_t> integers(std::string_view name) const;

 private:
  std::filesystem::path path_;
  MappedFile file_;
  std::vector<StoredTensor> tensors_;
  TensorMetadata metadata_;
  std::map<std::string, size_t, std::less<>> index_;

  void parse(std::span<const std::byte> bytes);
  const StoredTensor& require(std::string_view name, StoredType type) const;
};

/// Copies the values of a float tensor; `values` has its number of elements.
void copy_values(const StoredTensor& tensor, std::span<float> values);

/// The same for the tensor `name` of a file, which must hold finite numbers alone. Throws UserError
/// naming file and tensor when it holds a NaN or an infinity: no training that went well wrote it.
void copy_finite_values(const SafetensorsFile& file, std::string_view name,
                        std::span<float> values);

/// A tensor that is going to be written: float, [shape].
struct TensorToWrite {
  std::string name;
  Shape shape;
};

/// Writes float tensors to a new safetensors file, streaming: first the header, then the values in
/// the order given. Removed again unless `finish` was reached.
class SafetensorsWriter {
 public:
  /// Writes the header. Throws UserError naming path and reason.
  SafetensorsWriter(const std::filesystem::path& path, std::span<const TensorToWrite> tensors,
                    const TensorMetadata& metadata);

  /// The next values; a call may hold a part of a tensor or several.
  void write(std::span<const float> values);
  /// Syncs the file to the disk. All values must have been written.
  void finish();

  /// Size in bytes that such a file will have.
  static uint64_t file_size(std::span<const TensorToWrite> tensors, const TensorMetadata& metadata);

 private:
  FileWriter file_;
  int64_t values_left_;
};

}  // namespace calque
