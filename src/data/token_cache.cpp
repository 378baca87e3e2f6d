#include "data/token_cache.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/file_descriptor.h"

namespace calque {
namespace {

using nlohmann::json;

static_assert(sizeof(TokenCacheEntry) == 24, "the index is written as it lies in memory");

std::filesystem::path with_ending(const std::filesystem::path& stem, const char* ending) {
  return stem.string() + ending;
}
std::filesystem::path ids_path(const std::filesystem::path& stem) {
  return with_ending(stem, ".ids");
}
std::filesystem::path index_path(const std::filesystem::path& stem) {
  return with_ending(stem, ".index");
}
std::filesystem::path summary_path(const std::filesystem::path& stem) {
  return with_ending(stem, ".json");
}

int bytes_per_id(int64_t source_vocab, int64_t target_vocab) {
  constexpr int64_t kMostInTwoBytes = int64_t{std::numeric_limits<uint16_t>::max()} + 1;
  return std::max(source_vocab, target_vocab) <= kMostInTwoBytes ? 2 : 4;
}

/// What <stem>.json says.
struct Summary {
  uint64_t fingerprint = 0;
  uint64_t ids_hash = 0;
  uint64_t index_hash = 0;
  int64_t pairs = 0;
  TokenTotals totals;
  DropReport drop_report;
};

std::string hex(uint64_t hash) { return fmt::format("{:016x}", hash); }
uint64_t from_hex(const json& text) {
  return std::stoull(text.get_ref<const std::string&>(), nullptr, 16);
}

/// One line of JSON and one with its hash.
std::string to_text(const Summary& summary) {
  const json object = {{"fingerprint", hex(summary.fingerprint)},
                       {"ids_hash", hex(summary.ids_hash)},
                       {"index_hash", hex(summary.index_hash)},
                       {"pairs", summary.pairs},
                       {"source_pieces", summary.totals.source_pieces},
                       {"target_pieces", summary.totals.target_pieces},
                       {"longest_source", summary.totals.longest_source},
                       {"longest_target", summary.totals.longest_target},
                       {"report", to_json(summary.drop_report)}};
  // A path in an example need not be UTF-8.
  const std::string line = object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  return line + hex(hash_bytes(line)) + "\n";
}

Summary parse(const json& object) {
  Summary summary;
  summary.fingerprint = from_hex(object.at("fingerprint"));
  summary.ids_hash = from_hex(object.at("ids_hash"));
  summary.index_hash = from_hex(object.at("index_hash"));
  object.at("pairs").get_to(summary.pairs);
  object.at("source_pieces").get_to(summary.totals.source_pieces);
  object.at("target_pieces").get_to(summary.totals.target_pieces);
  object.at("longest_source").get_to(summary.totals.longest_source);
  object.at("longest_target").get_to(summary.totals.longest_target);
  summary.drop_report = report_from_json(object.at("report"));
  return summary;
}

Summary read_summary(const std::filesystem::path& stem) {
  const std::filesystem::path path = summary_path(stem);
  if (!std::filesystem::exists(path)) throw BadCache("there is none yet");
  const std::string text = read_file(path);
  const size_t line_end = text.find('\n');
  const std::string line = text.substr(0, line_end == std::string::npos ? 0 : line_end + 1);
  if (text.substr(line.size()) != hex(hash_bytes(line)) + "\n") {
    throw BadCache(path.string() + " is damaged");
  }
  try {
    return parse(json::parse(line));
  } catch (const std::exception& error) {  // whole, but not of this version
    throw BadCache(fmt::format("{} cannot be read: {}", path.string(), error.what()));
  }
}

MappedFile map_checked(const std::filesystem::path& path, uint64_t hash) {
  MappedFile file(path);
  if (hash_bytes(file.bytes()) != hash) throw BadCache(path.string() + " is damaged");
  return file;
}

template <class Id>
bool all_below(const std::byte* ids, uint64_t count, int64_t vocab) {
  const Id* begin = reinterpret_cast<const Id*>(ids);
  return std::all_of(begin, begin + count, [&](Id id) { return int64_t{id} < vocab; });
}

}  // namespace

void TokenTotals::add(int64_t source_length, int64_t target_length) {
  source_pieces += source_length;
  target_pieces += target_length;
  longest_source = std::max(longest_source, source_length);
  longest_target = std::max(longest_target, target_length);
}

TokenCache::TokenCache(const std::filesystem::path& stem, uint64_t fingerprint,
                       int64_t source_vocab, int64_t target_vocab)
    : fingerprint_(fingerprint), id_bytes_(bytes_per_id(source_vocab, target_vocab)) {
  try {
    Summary summary = read_summary(stem);
    if (summary.fingerprint != fingerprint) {
      throw BadCache("the text, the vocabulary or a key of data has changed");
    }
    ids_file_ = map_checked(ids_path(stem), summary.ids_hash);
    index_file_ = map_checked(index_path(stem), summary.index_hash);
    const std::span<const std::byte> index = index_file_.bytes();
    if (index.size() != static_cast<uint64_t>(summary.pairs) * sizeof(TokenCacheEntry)) {
      throw BadCache(index_path(stem).string() + " has a wrong size");
    }
    index_ = {reinterpret_cast<const TokenCacheEntry*>(index.data()),
              index.size() / sizeof(TokenCacheEntry)};
    totals_ = summary.totals;
    drop_report_ = std::move(summary.drop_report);
  } catch (const UserError& error) {
    throw BadCache(error.what());
  }
  check_contents(source_vocab, target_vocab);
}

void TokenCache::check_contents(int64_t source_vocab, int64_t target_vocab) const {
  const auto width = static_cast<uint64_t>(id_bytes_);
  const uint64_t ids = ids_file_.bytes().size() / width;
  const auto below = id_bytes_ == 2 ? all_below<uint16_t> : all_below<uint32_t>;
  TokenTotals totals;
  uint64_t begin = 0;
  for (const TokenCacheEntry& pair : index_) {
    const uint64_t length = uint64_t{pair.source_length} + pair.target_length;
    if (pair.begin != begin || length > ids - begin) throw BadCache("its index is broken");
    const std::byte* source = ids_file_.bytes().data() + begin * width;
    if (!below(source, pair.source_length, source_vocab) ||
        !below(source + pair.source_length * width, pair.target_length, target_vocab)) {
      throw BadCache("it holds ids outside the vocabulary");
    }
    begin += length;
    totals.add(pair.source_length, pair.target_length);
  }
  if (begin * width != ids_file_.bytes().size() || totals != totals_) {
    throw BadCache("its counts are broken");
  }
}

void TokenCache::append_source(int64_t pair, std::vector<int32_t>& ids) const {
  const TokenCacheEntry& at = entry(pair);
  append(at.begin, at.source_length, ids);
}

void TokenCache::append_target(int64_t pair, std::vector<int32_t>& ids) const {
  const TokenCacheEntry& at = entry(pair);
  append(at.begin + at.source_length, at.target_length, ids);
}

void TokenCache::append(uint64_t begin, uint32_t count, std::vector<int32_t>& ids) const {
  const std::byte* bytes = ids_file_.bytes().data();
  if (id_bytes_ == 2) {
    const uint16_t* first = reinterpret_cast<const uint16_t*>(bytes) + begin;
    ids.insert(ids.end(), first, first + count);
  } else {
    const int32_t* first = reinterpret_cast<const int32_t*>(bytes) + begin;
    ids.insert(ids.end(), first, first + count);
  }
}

namespace {

/// Creates the folder of a cache and takes away the summary of what was there, so that it counts as
/// unmade from now on.
const std::filesystem::path& give_up(const std::filesystem::path& stem) {
  make_folders(stem.parent_path());
  std::error_code error;
  std::filesystem::remove(summary_path(stem), error);
  if (error) throw_file_error("remove", summary_path(stem), error.value());
  return stem;
}

}  // namespace

TokenCacheWriter::TokenCacheWriter(std::filesystem::path stem, uint64_t fingerprint,
                                   int64_t source_vocab, int64_t target_vocab)
    : stem_(std::move(stem)),
      fingerprint_(fingerprint),
      id_bytes_(bytes_per_id(source_vocab, target_vocab)),
      ids_(ids_path(give_up(stem_))),
      index_(index_path(stem_)) {}

void TokenCacheWriter::add(int64_t line, std::span<const int32_t> source,
                           std::span<const int32_t> target) {
  const TokenCacheEntry entry{written_, static_cast<uint64_t>(line),
                              static_cast<uint32_t>(source.size()),
                              static_cast<uint32_t>(target.size())};
  index_.write(&entry, sizeof entry);
  write_ids(source);
  write_ids(target);
  ++pairs_;
  totals_.add(entry.source_length, entry.target_length);
}

void TokenCacheWriter::write_ids(std::span<const int32_t> ids) {
  written_ += ids.size();
  if (id_bytes_ == 4) {
    ids_.write(ids.data(), ids.size_bytes());
    return;
  }
  std::array<uint16_t, 256> narrow;
  while (!ids.empty()) {
    const std::span<const int32_t> part = ids.first(std::min(ids.size(), narrow.size()));
    std::transform(part.begin(), part.end(), narrow.begin(),
                   [](int32_t id) { return static_cast<uint16_t>(id); });
    ids_.write(narrow.data(), part.size() * sizeof(uint16_t));
    ids = ids.subspan(part.size());
  }
}

void TokenCacheWriter::finish(const DropReport& drop_report) {
  ids_.finish();
  index_.finish();
  sync_folder(stem_.parent_path());
  Summary summary;
  summary.fingerprint = fingerprint_;
  summary.ids_hash = hash_file(ids_path(stem_));
  summary.index_hash = hash_file(index_path(stem_));
  summary.pairs = pairs_;
  summary.totals = totals_;
  summary.drop_report = drop_report;
  write_file_atomically(summary_path(stem_), to_text(summary));
}

}  // namespace calque
