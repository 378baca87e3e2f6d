#include "checkpoint/state.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/version.h"

namespace calque {
namespace {

using OrderedJson = nlohmann::ordered_json;  // what is written, in that order
using Json = nlohmann::json;  // what is read: finds keys fast, however many a stranger wrote

constexpr std::string_view kChecksumStart = ",\n  \"checksum\": \"";
constexpr std::string_view kChecksumEnd = "\"\n}\n";
constexpr size_t kHashDigits = 16;

std::string hash_text(uint64_t hash) { return fmt::format("{:016x}", hash); }

std::optional<uint64_t> parse_hash(std::string_view text) {
  uint64_t hash = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), hash, 16);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || hash_text(hash) != text) return std::nullopt;
  return hash;
}

OrderedJson files_to_json(const std::map<std::string, FileRecord>& files) {
  OrderedJson object = OrderedJson::object();
  for (const auto& [name, record] : files) {
    object[name] = {{"bytes", record.bytes}, {"xxh3", hash_text(record.hash)}};
  }
  return object;
}

OrderedJson best_to_json(const std::optional<MetricRecord>& best) {
  if (!best) return nullptr;
  CALQUE_CHECK(std::isfinite(best->value), "the best metric is {}", best->value);
  OrderedJson json = {{"step", best->step}, {"value", best->value}};
  if (best->loss) json["loss"] = *best->loss;
  return json;
}

OrderedJson position_to_json(const BatchPosition& position) {
  return {{"epoch", position.epoch}, {"pairs", position.pairs}};
}

OrderedJson passed_over_to_json(const std::optional<PassedOver>& passed_over) {
  if (!passed_over) return nullptr;
  return {{"after", position_to_json(passed_over->after)},
          {"last", position_to_json(passed_over->last)}};
}

/// The text without its checksum, which must be right.
std::string_view checked_body(std::string_view text, const std::filesystem::path& path) {
  const size_t tail = kChecksumStart.size() + kHashDigits + kChecksumEnd.size();
  if (text.size() > tail && text.ends_with(kChecksumEnd)) {
    const std::string_view body = text.substr(0, text.size() - tail);
    const std::string_view hash = text.substr(body.size() + kChecksumStart.size(), kHashDigits);
    if (text.substr(body.size()).starts_with(kChecksumStart) && hash == hash_text(hash_bytes(body)))
      return body;
  }
  throw UserError(fmt::format(
      "{} is damaged or was edited: it should end with the checksum of its text", path.string()));
}

/// Whether a value is a whole number that an int64_t can hold.
bool is_integer(const Json& value, int64_t least) {
  if (!value.is_number_integer()) return false;
  constexpr auto kMost = uint64_t{std::numeric_limits<int64_t>::max()};
  if (value.is_number_unsigned() && value.get<uint64_t>() > kMost) return false;
  return value.get<int64_t>() >= least;
}

/// Takes typed entries out of a JSON object and notes what is missing or wrong.
class ObjectReader {
 public:
  ObjectReader(const Json& object, std::string prefix, std::vector<std::string>& problems)
      : object_(object), prefix_(std::move(prefix)), problems_(problems) {}

  int64_t integer(const std::string& key, int64_t least = 0) const {
    const Json* const value = find(
        key, [&](const Json& v) { return is_integer(v, least); },
        fmt::format("a whole number of at least {}", least));
    return value == nullptr ? 0 : value->get<int64_t>();
  }

  double number(const std::string& key) const {
    const Json* const value = find(
        key, [](const Json& v) { return v.is_number(); }, "a number");
    return value == nullptr ? 0 : value->get<double>();
  }

  bool flag(const std::string& key) const {
    const Json* const value = find(
        key, [](const Json& v) { return v.is_boolean(); }, "true or false");
    return value != nullptr && value->get<bool>();
  }

  std::string text(const std::string& key) const {
    const Json* const value = find(
        key, [](const Json& v) { return v.is_string(); }, "text");
    return value == nullptr ? std::string() : value->get<std::string>();
  }

  uint64_t hash(const std::string& key) const {
    const Json* const value = find(
        key,
        [](const Json& v) {
          return v.is_string() && parse_hash(v.get_ref<const std::string&>()).has_value();
        },
        "16 hexadecimal digits");
    return value == nullptr ? 0 : *parse_hash(value->get_ref<const std::string&>());
  }

  std::vector<int64_t> integers(const std::string& key) const {
    std::vector<int64_t> list;
    const Json* const value = find(
        key,
        [](const Json& v) {
          return v.is_array() &&
                 std::all_of(v.begin(), v.end(), [](const Json& e) { return is_integer(e, 0); });
        },
        "a list of whole numbers of at least 0");
    if (value != nullptr) list = value->get<std::vector<int64_t>>();
    return list;
  }

  /// An entry that is an object; an empty one where it is missing.
  ObjectReader object(const std::string& key) const {
    static const Json kEmpty = Json::object();
    const Json* const value = find(
        key, [](const Json& v) { return v.is_object(); }, "an object");
    return {value == nullptr ? kEmpty : *value, prefix_ + key + ".", problems_};
  }

  bool has(const std::string& key) const { return object_.contains(key); }

  /// Null in the file.
  bool is_null(const std::string& key) const {
    return object_.contains(key) && object_.at(key).is_null();
  }

  std::map<std::string, FileRecord> files(const std::string& key) const {
    const ObjectReader inner = object(key);
    std::map<std::string, FileRecord> files;
    for (const auto& [name, record] : inner.object_.items()) {
      const ObjectReader fields = inner.object(name);
      files[name] = {fields.integer("bytes"), fields.hash("xxh3")};
    }
    return files;
  }

 private:
  const Json& object_;
  std::string prefix_;
  std::vector<std::string>& problems_;

  template <class Condition>
  const Json* find(const std::string& key, const Condition& fits, std::string_view wanted) const {
    const auto found = object_.find(key);
    if (found != object_.end() && fits(*found)) return &*found;
    problems_.push_back(fmt::format(
        "{}{} {}", prefix_, key,
        found == object_.end() ? std::string("is missing") : fmt::format("should be {}", wanted)));
    return nullptr;
  }
};

BatchPosition read_position(const ObjectReader& reader) {
  return {reader.integer("epoch"), reader.integer("pairs")};
}

/// The format, which must not be newer than what this program knows.
int64_t read_format(const ObjectReader& reader, const std::filesystem::path& path,
                    std::vector<std::string>& problems) {
  const int64_t format = reader.integer("format_version", 1);
  if (problems.empty() && format > kCheckpointFormat) {
    throw UserError(fmt::format(
        "{} has format {}, written by Calque {}; this is Calque {}, which reads formats up to {}. "
        "Use Calque {} or newer",
        path.string(), format, reader.text("calque_version"), kVersion, kCheckpointFormat,
        reader.text("calque_version")));
  }
  return problems.empty() ? format : kCheckpointFormat;
}

}  // namespace

std::string to_json(const CheckpointState& state) {
  OrderedJson json;
  json["format_version"] = kCheckpointFormat;
  json["calque_version"] = state.calque_version;
  json["gemm_engine"] = state.gemm_engine;
  json["instruction_set"] = state.instruction_set;
  json["averaged_steps"] = state.averaged_steps;
  json["step"] = state.step;
  json.update(position_to_json(state.position));
  json["micro_batches"] = state.micro_batches;
  json["optimizer_steps"] = state.optimizer_steps;
  json["moving_average_updates"] = state.moving_average_updates;
  json["source_tokens"] = state.source_tokens;
  json["target_tokens"] = state.target_tokens;
  json["trained_seconds"] = state.trained_seconds;
  json["skipped"] = state.skipped;
  json["passed_over"] = passed_over_to_json(state.passed_over);
  if (state.reinforce_baseline) json["reinforce_baseline"] = *state.reinforce_baseline;
  json["scheduled"] = state.scheduled;
  json["validated_step"] = state.validated_step;
  json["best"] = best_to_json(state.best);
  json["validations_without_best"] = state.validations_without_best;
  json["corpus"] = {{"fingerprint", hash_text(state.corpus.fingerprint)},
                    {"pairs", state.corpus.pairs},
                    {"files", files_to_json(state.corpus.files)}};
  json["files"] = files_to_json(state.files);
  std::string text = json.dump(2, ' ', false, OrderedJson::error_handler_t::replace);
  text.resize(text.size() - 2);  // "\n}"
  const std::string checksum = hash_text(hash_bytes(text));
  return text.append(kChecksumStart).append(checksum).append(kChecksumEnd);
}

CheckpointState state_from_json(std::string_view text, const std::filesystem::path& path) {
  checked_body(text, path);
  const Json json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) throw UserError(fmt::format("{} is no JSON object", path.string()));
  std::vector<std::string> problems;
  const ObjectReader reader(json, "", problems);
  CheckpointState state;
  state.format = read_format(reader, path, problems);
  state.calque_version = reader.text("calque_version");
  state.gemm_engine = reader.text("gemm_engine");
  state.instruction_set = reader.text("instruction_set");
  state.averaged_steps = reader.integers("averaged_steps");
  state.step = reader.integer("step");
  state.position = state.has_this_order() ? read_position(reader)
                                          : BatchPosition{.epoch = reader.integer("epoch")};
  state.micro_batches = reader.integer("micro_batches");
  state.optimizer_steps = reader.integer("optimizer_steps");
  state.moving_average_updates = reader.integer("moving_average_updates");
  state.source_tokens = reader.integer("source_tokens");
  state.target_tokens = reader.integer("target_tokens");
  state.trained_seconds = reader.number("trained_seconds");
  // Before these entries, a run ended where it diverged.
  if (reader.has("skipped")) state.skipped = reader.integer("skipped");
  if (state.has_this_order() && reader.has("passed_over") && !reader.is_null("passed_over")) {
    const ObjectReader passed_over = reader.object("passed_over");
    state.passed_over = {read_position(passed_over.object("after")),
                         read_position(passed_over.object("last"))};
  }
  if (reader.has("reinforce_baseline")) {
    state.reinforce_baseline = reader.number("reinforce_baseline");
  }
  state.scheduled = reader.flag("scheduled");
  if (!reader.is_null("best")) {
    const ObjectReader best = reader.object("best");
    state.best = MetricRecord{best.integer("step"), best.number("value"), std::nullopt};
    if (best.has("loss")) state.best->loss = best.number("loss");
  }
  // Checkpoints of before this entry had validated whatever was due.
  state.validated_step =
      reader.has("validated_step") ? reader.integer("validated_step", -1) : state.step;
  state.validations_without_best = reader.integer("validations_without_best");
  const ObjectReader corpus = reader.object("corpus");
  state.corpus = {corpus.hash("fingerprint"), corpus.integer("pairs"), corpus.files("files")};
  state.files = reader.files("files");
  if (!problems.empty()) {
    throw UserError(fmt::format("{} cannot be used: {}", path.string(), fmt::join(problems, "; ")));
  }
  return state;
}

}  // namespace calque
