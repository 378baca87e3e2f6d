#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/temporary_folder.h"
#include "support/run_binary.h"

namespace calque::test {

/// The translation between two languages of 30 words each: every word has one translation, and the
/// order is reversed.
std::string tiny_translation(const std::string& source);

/// `count` source sentences of 2 to 7 words, the same for the same seed.
std::vector<std::string> tiny_sentences(int count, unsigned seed);

/// A temporary folder with 300 training and 20 validation pairs of the tiny languages, and
/// `tiny.yaml`, which trains a model of width 16 on them. An update takes about a millisecond.
class TinyCorpus {
 public:
  TinyCorpus();

  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  /// The config file.
  std::string config() const { return path("tiny.yaml"); }
  /// Makes `<name>.source` and `<name>.target` of so many pairs, the same for the same seed.
  void write_pairs(const std::string& name, int count, unsigned seed) const;
  /// Adds a pair to `<name>.source` and `<name>.target`.
  void append(const std::string& name, const std::string& source, const std::string& target) const;
  /// `train tiny.yaml --run <folder>/<run> --threads 1`, and `more`.
  std::vector<std::string> train(const std::string& run,
                                 const std::vector<std::string>& more = {}) const;

 private:
  TemporaryFolder folder_;
};

/// `--set`, `first`, `--set`, `second`, ...: each "key=value".
std::vector<std::string> set(const std::vector<std::string>& assignments);

}  // namespace calque::test
