#include "checkpoint/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"

namespace calque {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

using Json = nlohmann::json;

constexpr char kMetadataKey[] = "__metadata__";
constexpr size_t kLengthBytes = 8;
constexpr uint64_t kElementBytes = 4;
constexpr uint64_t kLongestHeader = uint64_t{32} << 20;  // enough for thousands of layers
constexpr uint64_t kMostElements = uint64_t{1} << 48;

/// A name out of a file, fit for a terminal whatever it holds.
std::string quote_name(const std::string& name) {
  std::string text = Json(name).dump(-1, ' ', true);
  constexpr size_t kLongest = 120;
  if (text.size() > kLongest) text.replace(kLongest, std::string::npos, "...\"");
  return text;
}

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& problem) {
  throw UserError(
      fmt::format("{} is not a safetensors file that Calque can read: {}", path.string(), problem));
}

/// A tensor's entry of the header, with its place in the data.
struct Entry {
  StoredTensor tensor;
  uint64_t begin = 0;
  uint64_t end = 0;
};

/// Finds a key that the outermost object of a JSON text has twice. The parser keeps the last of
/// them in silence, and with a callback its time would grow with the square of the text.
class OutermostKeys : public nlohmann::json_sax<Json> {
 public:
  const std::optional<std::string>& twice() const { return twice_; }

  bool key(std::string& key) override {
    if (depth_ == 1 && !keys_.insert(key).second) twice_ = key;
    return true;
  }
  bool start_object(size_t) override { return enter(); }
  bool start_array(size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(int64_t) override { return true; }
  bool number_unsigned(uint64_t) override { return true; }
  bool number_float(double, const std::string&) override { return true; }
  bool string(std::string&) override { return true; }
  bool binary(Json::binary_t&) override { return true; }
  bool parse_error(size_t, const std::string&, const Json::exception&) override { return false; }

 private:
  std::set<std::string> keys_;
  std::optional<std::string> twice_;
  int64_t depth_ = 0;

  bool enter() {
    ++depth_;
    return true;
  }
  bool leave() {
    --depth_;
    return true;
  }
};

/// Reads one header and holds it against the size of the data.
class HeaderReader {
 public:
  explicit HeaderReader(const std::filesystem::path& path) : path_(path) {}

  /// The header as JSON: an object without a key twice.
  Json parse(std::string_view text) const {
    Json header = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
    if (!header.is_object()) refuse(path_, "its header is not a JSON object");
    OutermostKeys keys;
    Json::sax_parse(text.begin(), text.end(), &keys);
    if (const auto& twice = keys.twice()) {
      refuse(path_, fmt::format("its header names {} twice", quote_name(*twice)));
    }
    return header;
  }

  TensorMetadata metadata(const Json& header) const {
    TensorMetadata metadata;
    const auto found = header.find(kMetadataKey);
    if (found == header.end()) return metadata;
    if (!found->is_object()) refuse(path_, "its metadata is not an object");
    for (const auto& [key, value] : found->items()) {
      if (!value.is_string()) refuse(path_, fmt::format("metadata {} is no text", quote_name(key)));
      metadata[key] = value.get<std::string>();
    }
    return metadata;
  }

  /// All tensors in the order of their data, which they cover without gaps or overlaps.
  std::vector<Entry> entries(const Json& header, uint64_t data_bytes) const {
    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items()) {
      if (name != kMetadataKey) entries.push_back(entry(name, value, data_bytes));
    }
    std::ranges::sort(entries, {}, [](const Entry& e) { return std::pair(e.begin, e.end); });
    uint64_t covered = 0;
    for (const Entry& e : entries) {
      if (e.begin != covered) {
        refuse(path_, fmt::format("tensor {} begins at byte {} of the data, where {} was expected",
                                  quote_name(e.tensor.name), e.begin, covered));
      }
      covered = e.end;
    }
    if (covered != data_bytes) {
      refuse(path_, fmt::format("its tensors take {} bytes, but {} follow the header", covered,
                                data_bytes));
    }
    return entries;
  }

 private:
  const std::filesystem::path& path_;

  [[noreturn]] void refuse_tensor(const std::string& name, const std::string& problem) const {
    refuse(path_, fmt::format("tensor {} {}", quote_name(name), problem));
  }

  Entry entry(const std::string& name, const Json& value, uint64_t data_bytes) const {
    if (!value.is_object()) refuse_tensor(name, "is not described by an object");
    Entry entry;
    entry.tensor.name = name;
    entry.tensor.type = type(name, value);
    entry.tensor.shape = shape(name, value);
    const std::vector<uint64_t> offsets = numbers(name, value, "data_offsets");
    if (offsets.size() != 2) refuse_tensor(name, "needs two data_offsets, begin and end");
    entry.begin = offsets[0];
    entry.end = offsets[1];
    if (entry.begin > entry.end || entry.end > data_bytes) {
      refuse_tensor(name, fmt::format("lies at bytes {} to {}, but the file holds {} bytes of data",
                                      entry.begin, entry.end, data_bytes));
    }
    const uint64_t bytes = static_cast<uint64_t>(entry.tensor.shape.count()) * kElementBytes;
    if (bytes != entry.end - entry.begin) {
      refuse_tensor(name,
                    fmt::format("of shape {} takes {} bytes, but its offsets hold {}",
                                entry.tensor.shape.to_string(), bytes, entry.end - entry.begin));
    }
    return entry;
  }

  StoredType type(const std::string& name, const Json& value) const {
    const auto found = value.find("dtype");
    if (found == value.end() || !found->is_string()) refuse_tensor(name, "has no dtype");
    const auto& text = found->get_ref<const std::string&>();
    if (text == "F32") return StoredType::kF32;
    if (text == "I32") return StoredType::kI32;
    refuse_tensor(name, fmt::format("has dtype {}; F32 and I32 can be read", quote_name(text)));
  }

  Shape shape(const std::string& name, const Json& value) const {
    const std::vector<uint64_t> sizes = numbers(name, value, "shape");
    if (sizes.size() > Shape::kMaxRank) {
      refuse_tensor(name, fmt::format("has {} dimensions; at most {} can be read", sizes.size(),
                                      Shape::kMaxRank));
    }
    std::array<int64_t, Shape::kMaxRank> dims{};
    uint64_t elements = 1;
    for (size_t i = 0; i < sizes.size(); ++i) {
      const uint64_t size = std::max<uint64_t>(sizes[i], 1);
      if (size > kMostElements / elements) refuse_tensor(name, "is impossibly large");
      elements *= size;
      dims[i] = static_cast<int64_t>(sizes[i]);
    }
    switch (sizes.size()) {
      case 0:
        return {};
      case 1:
        return {dims[0]};
      case 2:
        return {dims[0], dims[1]};
      case 3:
        return {dims[0], dims[1], dims[2]};
      default:
        return {dims[0], dims[1], dims[2], dims[3]};
    }
  }

  std::vector<uint64_t> numbers(const std::string& name, const Json& value, const char* key) const {
    const auto found = value.find(key);
    if (found == value.end() || !found->is_array()) {
      refuse_tensor(name, fmt::format("has no list called {}", key));
    }
    std::vector<uint64_t> list;
    for (const Json& number : *found) {
      if (!number.is_number_unsigned()) {
        refuse_tensor(name, fmt::format("has a {} that is not a list of whole numbers", key));
      }
      list.push_back(number.get<uint64_t>());
    }
    return list;
  }
};

/// Length and JSON text of a header; padded, so that the data begins at a multiple of eight.
std::string make_header(std::span<const TensorToWrite> tensors, const TensorMetadata& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header[kMetadataKey] = metadata;
  uint64_t offset = 0;
  for (const TensorToWrite& tensor : tensors) {
    CALQUE_CHECK(!header.contains(tensor.name), "two tensors are called {}", tensor.name);
    auto shape = nlohmann::ordered_json::array();
    for (int i = 0; i < tensor.shape.rank(); ++i) shape.push_back(tensor.shape[i]);
    const uint64_t end = offset + static_cast<uint64_t>(tensor.shape.count()) * kElementBytes;
    header[tensor.name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + kLengthBytes - 1) / kLengthBytes * kLengthBytes, ' ');
  const uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), kLengthBytes) + text;
}

int64_t count_values(std::span<const TensorToWrite> tensors) {
  int64_t count = 0;
  for (const TensorToWrite& tensor : tensors) count += tensor.shape.count();
  return count;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : SafetensorsFile(MappedFile(path), path) {}

SafetensorsFile::SafetensorsFile(MappedFile file, std::filesystem::path path)
    : path_(std::move(path)), file_(std::move(file)) {
  parse(file_.bytes());
}

SafetensorsFile::SafetensorsFile(std::span<const std::byte> bytes, std::filesystem::path path)
    : path_(std::move(path)) {
  parse(bytes);
}

void SafetensorsFile::parse(std::span<const std::byte> bytes) {
  if (bytes.size() < kLengthBytes) {
    refuse(path_, fmt::format("it has {} bytes, too few for a header", bytes.size()));
  }
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  const uint64_t rest = bytes.size() - kLengthBytes;
  if (length > rest || length > kLongestHeader) {
    refuse(path_, fmt::format("its header should have {} bytes, but {} follow (at most {} allowed)",
                              length, rest, kLongestHeader));
  }
  const std::span<const std::byte> data = bytes.subspan(kLengthBytes + length);
  const HeaderReader reader(path_);
  const Json header =
      reader.parse({reinterpret_cast<const char*>(bytes.data()) + kLengthBytes, length});
  metadata_ = reader.metadata(header);
  for (Entry& entry : reader.entries(header, data.size())) {
    entry.tensor.bytes = data.subspan(entry.begin, entry.end - entry.begin);
    index_[entry.tensor.name] = tensors_.size();
    tensors_.push_back(std::move(entry.tensor));
  }
}

const StoredTensor* SafetensorsFile::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

const StoredTensor& SafetensorsFile::require(std::string_view name, StoredType type) const {
  const StoredTensor* const tensor = find(name);
  if (tensor == nullptr || tensor->type != type) {
    throw UserError(fmt::format("{} holds no tensor {} of type {}", path_.string(), name,
                                type == StoredType::kF32 ? "F32" : "I32"));
  }
  return *tensor;
}

std::vector<float> SafetensorsFile::floats(std::string_view name) const {
  const StoredTensor& tensor = require(name, StoredType::kF32);
  std::vector<float> values(static_cast<size_t>(tensor.shape.count()));
  copy_values(tensor, values);
  return values;
}

std::vector<int32_t> SafetensorsFile::integers(std::string_view name) const {
  const StoredTensor& tensor = require(name, StoredType::kI32);
  std::vector<int32_t> values(static_cast<size_t>(tensor.shape.count()));
  std::ranges::copy(tensor.bytes, std::as_writable_bytes(std::span(values)).begin());
  return values;
}

void copy_values(const StoredTensor& tensor, std::span<float> values) {
  CALQUE_CHECK(tensor.type == StoredType::kF32 && tensor.bytes.size() == values.size_bytes(),
               "tensor {} of {} bytes into {} floats", tensor.name, tensor.bytes.size(),
               values.size());
  std::ranges::copy(tensor.bytes, std::as_writable_bytes(values).begin());
}

void copy_finite_values(const SafetensorsFile& file, std::string_view name,
                        std::span<float> values) {
  copy_values(*file.find(name), values);
  if (std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) return;
  throw UserError(
      fmt::format("{}: tensor {} holds numbers that are not finite (NaN or infinity); take an "
                  "earlier checkpoint",
                  file.path().string(), quote_name(std::string(name))));
}

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& path,
                                     std::span<const TensorToWrite> tensors,
                                     const TensorMetadata& metadata)
    : file_(path), values_left_(count_values(tensors)) {
  file_.write(make_header(tensors, metadata));
}

void SafetensorsWriter::write(std::span<const float> values) {
  values_left_ -= static_cast<int64_t>(values.size());
  CALQUE_CHECK(values_left_ >= 0, "{} values more than the tensors hold", -values_left_);
  file_.write(values.data(), values.size_bytes());
}

void SafetensorsWriter::finish() {
  CALQUE_CHECK(values_left_ == 0, "{} values have not been written", values_left_);
  file_.finish();
}

uint64_t SafetensorsWriter::file_size(std::span<const TensorToWrite> tensors,
                                      const TensorMetadata& metadata) {
  return make_header(tensors, metadata).size() +
         static_cast<uint64_t>(count_values(tensors)) * kElementBytes;
}

}  // namespace calque
