#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "data/data_options.h"
#include "data/drop_report.h"
#include "data/token_cache.h"
#include "text/tokenizer.h"

namespace calque {

/// Text files by their path, as they were when a corpus was opened.
using FileRecords = std::map<std::string, FileRecord>;

/// Pairs of tokenised sentences, read from a memory-mapped cache: memory stays flat however large
/// the corpus is. Const functions may be called by several threads at once.
class ParallelCorpus {
 public:
  /// Opens the cache `<cache_folder>/<name>.*`. It is made (again) in a first pass over the files
  /// when it does not exist, was made from other files, vocabularies or options, or is damaged;
  /// the log says why. What is wrong with the text is counted, and treated as the policies of
  /// `options` say; the lines of the drop report go to the log each time. A cache in `borrowed`,
  /// when given, is used where it fits, and never written to.
  ///
  /// Throws UserError when a file cannot be read, when the sides have unequal numbers of lines
  /// (naming both), when a line or pair has a fault whose policy is kError (naming file and line),
  /// when more than `data.max_dropped` of the pairs are left out, and when none is left.
  /// Throws StoppedBySignal when a StopSignal lives that noted a signal: what the first pass has
  /// done is saved, and the next one goes on from there. It saves every half minute besides.
  ParallelCorpus(std::string name, const ParallelFiles& files, const DataOptions& options,
                 const TokenizerPair& tokenizers, const std::filesystem::path& cache_folder,
                 const std::filesystem::path& borrowed = {});

  /// Pairs that are not from text files, as data/random_corpus.h makes them.
  ParallelCorpus(std::string name, TokenCache cache);

  /// Number of pairs kept. They are numbered from 0 in the order of the files.
  int64_t size() const { return cache_.size(); }
  /// Pieces of a sentence, begin and end ids not counted.
  int64_t source_length(int64_t pair) const { return cache_.source_length(pair); }
  int64_t target_length(int64_t pair) const { return cache_.target_length(pair); }
  /// Appends the ids of a sentence to `ids`, without begin and end ids.
  void append_source(int64_t pair, std::vector<int32_t>& ids) const;
  void append_target(int64_t pair, std::vector<int32_t>& ids) const;

  /// See TokenCache; the bound is `data.cache_memory`.
  void keep_within_bound() const { cache_.keep_within_bound(); }

  /// 1-based line of the pair, counted through all source files (and so through all target files).
  int64_t line(int64_t pair) const { return cache_.line(pair); }

  /// Sums and maxima of the lengths over all pairs.
  int64_t source_pieces() const { return cache_.totals().source_pieces; }
  int64_t target_pieces() const { return cache_.totals().target_pieces; }
  int64_t longest_source() const { return cache_.totals().longest_source; }
  int64_t longest_target() const { return cache_.totals().longest_target; }

  const std::string& name() const { return name_; }
  /// The files that it was made from, hashed once, when it was opened.
  const FileRecords& files() const { return files_; }
  /// What the first pass kept and left out (also when the cache was there already).
  const DropReport& drop_report() const { return cache_.drop_report(); }
  /// The same in short, for every epoch: "300 of 303 pairs; left out: 2 with an empty source".
  const std::string& summary() const { return summary_; }
  /// Hash of everything that the ids depend on: the files' content, the vocabularies, the options.
  uint64_t fingerprint() const { return cache_.fingerprint(); }

 private:
  std::string name_;
  FileRecords files_;
  TokenCache cache_;
  std::string summary_;
};

}  // namespace calque
