#include "data/token_cache.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/resident_memory.h"
#include "base/stream_hash.h"

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

std::filesystem::path part_path(const std::filesystem::path& stem) {
  return with_ending(stem, ".part.json");
}

int bytes_per_id(int64_t source_vocab, int64_t target_vocab) {
  constexpr int64_t kMostInTwoBytes = int64_t{std::numeric_limits<uint16_t>::max()} + 1;
  return std::max(source_vocab, target_vocab) <= kMostInTwoBytes ? 2 : 4;
}

std::string hex(uint64_t hash) { return fmt::format("{:016x}", hash); }
uint64_t from_hex(const json& text) {
  return std::stoull(text.get_ref<const std::string&>(), nullptr, 16);
}

/// One line of JSON and one with its hash.
std::string to_text(const TokenCacheSummary& summary) {
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

TokenCacheSummary parse(const json& object) {
  TokenCacheSummary summary;
  summary.fingerprint = from_hex(object.at("fingerprint"));
  summary.ids_hash = from_hex(object.at("ids_hash"));
  summary.index_hash = from_hex(object.at("index_hash"));
  summary.pairs = count_from_json(object.at("pairs"));
  summary.totals = {
      count_from_json(object.at("source_pieces")), count_from_json(object.at("target_pieces")),
      count_from_json(object.at("longest_source")), count_from_json(object.at("longest_target"))};
  summary.drop_report = report_from_json(object.at("report"));
  return summary;
}

/// The summary at `path`, when it is one of this fingerprint.
TokenCacheSummary read_summary(const std::filesystem::path& path, uint64_t fingerprint) {
  if (!std::filesystem::exists(path)) throw BadCache("there is none yet");
  const std::string text = read_file(path);
  const size_t line_end = text.find('\n');
  const std::string line = text.substr(0, line_end == std::string::npos ? 0 : line_end + 1);
  if (text.substr(line.size()) != hex(hash_bytes(line)) + "\n") {
    throw BadCache(path.string() + " is damaged");
  }
  TokenCacheSummary summary;
  try {
    summary = parse(json::parse(line));
  } catch (const std::exception& error) {  // whole, but not of this version
    throw BadCache(fmt::format("{} cannot be read: {}", path.string(), error.what()));
  }
  if (summary.fingerprint != fingerprint) {
    throw BadCache("the text, the vocabulary or a key of data has changed");
  }
  return summary;
}

/// Shows how far the checks of a cache have come, in MB.
class CheckProgress {
 public:
  CheckProgress(const std::filesystem::path& stem, size_t bytes)
      : progress_("checking " + stem.string(), static_cast<int64_t>(bytes >> kShift), "MB") {}
  /// Throws StoppedBySignal.
  void add(size_t bytes) {
    read_ += bytes;
    progress_.update_or_stop(static_cast<int64_t>(read_ >> kShift));
  }

 private:
  static constexpr int kShift = 20;
  size_t read_ = 0;
  Progress progress_;
};

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
                       int64_t source_vocab, int64_t target_vocab, int64_t most_resident)
    : fingerprint_(fingerprint),
      id_bytes_(bytes_per_id(source_vocab, target_vocab)),
      most_resident_(most_resident) {
  try {
    TokenCacheSummary summary = read_summary(summary_path(stem), fingerprint);
    ids_file_ = MappedFile(ids_path(stem));
    index_file_ = MappedFile(index_path(stem));
    const size_t ids = ids_file_.bytes().size();
    const size_t index = index_file_.bytes().size();
    CheckProgress progress(stem, 2 * (ids + index));
    const auto on_read = [&](size_t bytes) {
      progress.add(bytes);
      keep_within_bound();
    };
    check_hash(ids_path(stem), ids_file_, summary.ids_hash, on_read);
    check_hash(index_path(stem), index_file_, summary.index_hash, on_read);
    if (index % sizeof(TokenCacheEntry) != 0 ||
        index / sizeof(TokenCacheEntry) != static_cast<uint64_t>(summary.pairs)) {
      throw BadCache(index_path(stem).string() + " has a wrong size");
    }
    index_ = {reinterpret_cast<const TokenCacheEntry*>(index_file_.bytes().data()),
              index / sizeof(TokenCacheEntry)};
    totals_ = summary.totals;
    drop_report_ = std::move(summary.drop_report);
    check_contents(source_vocab, target_vocab, on_read);
  } catch (const UserError& error) {
    throw BadCache(error.what());
  }
  for (const MappedFile* file : {&ids_file_, &index_file_}) expect_random_reads(file->bytes());
}

template <class OnRead>
void TokenCache::check_hash(const std::filesystem::path& path, const MappedFile& file,
                            uint64_t hash, const OnRead& on_read) const {
  constexpr size_t kPart = size_t{8} << 20;
  StreamHash found;
  for (std::span<const std::byte> left = file.bytes(); !left.empty();) {
    const std::span<const std::byte> part = left.first(std::min(kPart, left.size()));
    found.update(part);
    on_read(part.size());
    left = left.subspan(part.size());
  }
  if (found.digest() != hash) throw BadCache(path.string() + " is damaged");
}

template <class OnRead>
void TokenCache::check_contents(int64_t source_vocab, int64_t target_vocab,
                                const OnRead& on_read) const {
  constexpr size_t kPairsOfPart = size_t{1} << 15;
  const auto width = static_cast<uint64_t>(id_bytes_);
  const uint64_t ids = ids_file_.bytes().size() / width;
  const auto below = id_bytes_ == 2 ? all_below<uint16_t> : all_below<uint32_t>;
  TokenTotals totals;
  uint64_t begin = 0;
  for (std::span<const TokenCacheEntry> left = index_; !left.empty();) {
    const std::span<const TokenCacheEntry> part = left.first(std::min(kPairsOfPart, left.size()));
    const uint64_t part_begin = begin;
    for (const TokenCacheEntry& pair : part) {
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
    on_read(part.size_bytes() + (begin - part_begin) * width);
    left = left.subspan(part.size());
  }
  if (begin * width != ids_file_.bytes().size() || totals != totals_) {
    throw BadCache("its counts are broken");
  }
}

void TokenCache::keep_within_bound() const {
  if (most_resident_ == kNoBound || resident_file_bytes() <= most_resident_) return;
  for (const MappedFile* file : {&ids_file_, &index_file_}) drop_pages(file->bytes());
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

void remove_file(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::remove(path, error);
  if (error) throw_file_error("remove", path, error.value());
}

}  // namespace

TokenCacheWriter::TokenCacheWriter(std::filesystem::path stem, uint64_t fingerprint,
                                   int64_t source_vocab, int64_t target_vocab)
    : stem_(std::move(stem)), id_bytes_(bytes_per_id(source_vocab, target_vocab)) {
  make_folders(stem_.parent_path());
  remove_file(summary_path(stem_));  // what was there counts as unmade from now on
  const std::filesystem::path part = part_path(stem_);
  if (std::filesystem::exists(part)) {
    try {
      summary_ = read_summary(part, fingerprint);
      open_files();
      return;
    } catch (const std::runtime_error& why) {
      log::info("{} is made from its start again: {}", stem_.string(), why.what());
    }
    remove_file(part);
  }
  summary_ = {};
  summary_.fingerprint = fingerprint;
  open_files();
}

/// With what `summary_` says of them.
void TokenCacheWriter::open_files() {
  const int64_t ids = summary_.totals.source_pieces + summary_.totals.target_pieces;
  ids_.emplace(ids_path(stem_), FileRecord{ids * id_bytes_, summary_.ids_hash});
  constexpr auto kEntry = static_cast<int64_t>(sizeof(TokenCacheEntry));
  index_.emplace(index_path(stem_), FileRecord{summary_.pairs * kEntry, summary_.index_hash});
}

void TokenCacheWriter::add(int64_t line, std::span<const int32_t> source,
                           std::span<const int32_t> target) {
  const TokenTotals& before = summary_.totals;
  const TokenCacheEntry entry{static_cast<uint64_t>(before.source_pieces + before.target_pieces),
                              static_cast<uint64_t>(line), static_cast<uint32_t>(source.size()),
                              static_cast<uint32_t>(target.size())};
  index_->write(&entry, sizeof entry);
  write_ids(source);
  write_ids(target);
  ++summary_.pairs;
  summary_.totals.add(entry.source_length, entry.target_length);
}

void TokenCacheWriter::write_ids(std::span<const int32_t> ids) {
  if (id_bytes_ == 4) {
    ids_->write(ids.data(), ids.size_bytes());
    return;
  }
  std::array<uint16_t, 256> narrow;
  while (!ids.empty()) {
    const std::span<const int32_t> part = ids.first(std::min(ids.size(), narrow.size()));
    std::transform(part.begin(), part.end(), narrow.begin(),
                   [](int32_t id) { return static_cast<uint16_t>(id); });
    ids_->write(narrow.data(), part.size() * sizeof(uint16_t));
    ids = ids.subspan(part.size());
  }
}

void TokenCacheWriter::save(const DropReport& drop_report) {
  write_summary(part_path(stem_), drop_report);
}

void TokenCacheWriter::finish(const DropReport& drop_report) {
  write_summary(summary_path(stem_), drop_report);
  remove_file(part_path(stem_));
}

void TokenCacheWriter::write_summary(const std::filesystem::path& path,
                                     const DropReport& drop_report) {
  summary_.ids_hash = ids_->sync().hash;
  summary_.index_hash = index_->sync().hash;
  summary_.drop_report = drop_report;
  write_file_atomically(path, to_text(summary_));
}

}  // namespace calque
