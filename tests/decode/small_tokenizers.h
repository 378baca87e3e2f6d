#pragma once

#include <string>

#include "base/temporary_folder.h"
#include "text/sample_text.h"
#include "text/vocabulary.h"

namespace calque::test {

inline constexpr int64_t kSmallVocab = 90;

/// Tokenisers of a small vocabulary, shared by both sides, of the sample sentences. Trained once.
inline const TokenizerPair& small_tokenizers() {
  static const TokenizerPair pair([] {
    const TemporaryFolder folder;
    VocabularyOptions options;
    options.size = kSmallVocab;
    const std::string file = write_text(folder / "text", join_lines(sample_sentences(200, 1)));
    return Tokenizer(train_vocabulary(options, {file}, 1));
  }());
  return pair;
}

}  // namespace calque::test
