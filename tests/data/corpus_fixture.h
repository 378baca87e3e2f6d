#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/temporary_folder.h"
#include "data/corpus.h"
#include "text/sample_text.h"
#include "text/vocabulary.h"

namespace calque::test {

/// One vocabulary for all data tests.
inline const TokenizerPair& sample_tokenizers() {
  static const TokenizerPair tokenizers([] {
    TemporaryFolder folder;
    VocabularyOptions options;
    options.type = VocabularyType::kBpe;
    options.size = 150;
    const std::string file = write_text(folder / "text", join_lines(sample_sentences(200, 1)));
    return Tokenizer(train_vocabulary(options, {file}, 1));
  }());
  return tokenizers;
}

/// A folder with parallel text and its cache.
class CorpusFolder {
 public:
  CorpusFolder() = default;
  /// With `pairs` pairs of sample sentences.
  explicit CorpusFolder(int64_t pairs) {
    write(join_lines(sample_sentences(pairs, 11)), join_lines(sample_sentences(pairs, 12)));
  }

  void write(std::string_view source, std::string_view target) {
    files.source = {write_text(folder / "train.en", source)};
    files.target = {write_text(folder / "train.de", target)};
  }
  ParallelCorpus open() const {
    return ParallelCorpus("train", files, options, sample_tokenizers(), folder / "cache");
  }
  std::string error() const {
    return user_error([&] { open(); });
  }

  TemporaryFolder folder;
  ParallelFiles files;
  DataOptions options;
};

inline std::string source_text(const ParallelCorpus& corpus, int64_t pair) {
  std::vector<int32_t> ids;
  corpus.append_source(pair, ids);
  return sample_tokenizers().source().decode(ids);
}

inline std::string target_text(const ParallelCorpus& corpus, int64_t pair) {
  std::vector<int32_t> ids;
  corpus.append_target(pair, ids);
  return sample_tokenizers().target().decode(ids);
}

}  // namespace calque::test
