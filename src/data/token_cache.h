#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/growing_file.h"
#include "data/drop_report.h"

namespace calque {

/// Sums and maxima over the pairs of a cache, in pieces.
struct TokenTotals {
  int64_t source_pieces = 0;
  int64_t target_pieces = 0;
  int64_t longest_source = 0;
  int64_t longest_target = 0;

  void add(int64_t source_length, int64_t target_length);
  bool operator==(const TokenTotals&) const = default;
};

/// One pair in the index of a cache: its target's ids lie right behind its source's.
struct TokenCacheEntry {
  uint64_t begin = 0;  // of the source, in ids from the start of the file of ids
  uint64_t line = 0;   // 1-based, through all files of a side
  uint32_t source_length = 0;
  uint32_t target_length = 0;
};

/// A cache could not be used; what() says why. Never leaves data/: the cache is made again.
class BadCache : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Tokenised sentence pairs in three files beside one another:
///   <stem>.ids    the ids, 2 bytes each when the vocabularies allow it, else 4
///   <stem>.index  one TokenCacheEntry a pair
///   <stem>.json   counts, what was left out, the checksums of the other two, and the fingerprint
///                 of what they were made from; written last, so that a cache is whole or not there
/// and, while it is being made, <stem>.part.json: the same of what is durable of the other two.
/// Numbers are stored as the machine has them; a cache is no file to hand on.
class TokenCache {
 public:
  static constexpr int64_t kNoBound = std::numeric_limits<int64_t>::max();

  /// Maps a cache. Everything is checked before it is believed: fingerprint, sizes, checksums, and
  /// that the index names no ids outside the file and the ids no pieces outside the vocabularies.
  /// `most_resident`: bytes of `keep_within_bound`. Throws BadCache, and StoppedBySignal.
  TokenCache(const std::filesystem::path& stem, uint64_t fingerprint, int64_t source_vocab,
             int64_t target_vocab, int64_t most_resident = kNoBound);

  int64_t size() const { return static_cast<int64_t>(index_.size()); }
  int64_t source_length(int64_t pair) const { return entry(pair).source_length; }
  int64_t target_length(int64_t pair) const { return entry(pair).target_length; }
  int64_t line(int64_t pair) const { return static_cast<int64_t>(entry(pair).line); }
  /// Appends the ids of a side of a pair to `ids`.
  void append_source(int64_t pair, std::vector<int32_t>& ids) const;
  void append_target(int64_t pair, std::vector<int32_t>& ids) const;

  /// To be called every now and then by who reads: when more than `most_resident` bytes of files
  /// are in this process's memory, drops all pages of this cache. What is read again comes back.
  void keep_within_bound() const;

  const TokenTotals& totals() const { return totals_; }
  const DropReport& drop_report() const { return drop_report_; }
  uint64_t fingerprint() const { return fingerprint_; }

 private:
  uint64_t fingerprint_;
  MappedFile ids_file_;
  MappedFile index_file_;
  int id_bytes_;
  int64_t most_resident_;
  std::span<const TokenCacheEntry> index_;
  TokenTotals totals_;
  DropReport drop_report_;

  const TokenCacheEntry& entry(int64_t pair) const { return index_[static_cast<size_t>(pair)]; }
  void append(uint64_t begin, uint32_t count, std::vector<int32_t>& ids) const;
  template <class OnRead>
  void check_hash(const std::filesystem::path& path, const MappedFile& file, uint64_t hash,
                  const OnRead& on_read) const;
  template <class OnRead>
  void check_contents(int64_t source_vocab, int64_t target_vocab, const OnRead& on_read) const;
};

/// Counts, checksums and fingerprint: the content of <stem>.json and of <stem>.part.json.
struct TokenCacheSummary {
  uint64_t fingerprint = 0;
  uint64_t ids_hash = 0;
  uint64_t index_hash = 0;
  int64_t pairs = 0;
  TokenTotals totals;
  DropReport drop_report;
};

/// Writes a TokenCache. What was there before is given up at the start, but for what another writer
/// of the same fingerprint has saved; there is no cache until `finish`. Broken off at any moment,
/// it leaves what `save` made durable.
class TokenCacheWriter {
 public:
  /// Goes on from what was saved, once it was compared with its checksums.
  TokenCacheWriter(std::filesystem::path stem, uint64_t fingerprint, int64_t source_vocab,
                   int64_t target_vocab);

  /// What was read and left out until the last `save`, by whichever writer: the text goes on
  /// behind it.
  const DropReport& saved() const { return summary_.drop_report; }
  /// Appends a pair that stands in line `line`.
  void add(int64_t line, std::span<const int32_t> source, std::span<const int32_t> target);
  /// Makes durable what was added, with a report of all that was read to get there.
  void save(const DropReport& drop_report);
  /// Makes the cache whole and durable.
  void finish(const DropReport& drop_report);

 private:
  std::filesystem::path stem_;
  int id_bytes_;
  TokenCacheSummary summary_;  // its checksums and report: as of the last `save`
  std::optional<GrowingFile> ids_;
  std::optional<GrowingFile> index_;

  void open_files();
  void write_ids(std::span<const int32_t> ids);
  void write_summary(const std::filesystem::path& path, const DropReport& drop_report);
};

}  // namespace calque
