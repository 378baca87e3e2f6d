#pragma once

#include <string>

#include "base/temporary_folder.h"
#include "config/run_files.h"
#include "support/example_batch.h"
#include "text/sample_text.h"
#include "text/vocabulary.h"

namespace calque::test {

/// A vocabulary of `size` pieces.
inline Tokenizer sample_tokenizer(int64_t size) {
  const TemporaryFolder folder;
  VocabularyOptions options;
  options.size = size;
  const std::string text = write_text(folder / "text", join_lines(sample_sentences(200, 1)));
  return Tokenizer(train_vocabulary(options, {text}, 1));
}

/// One vocabulary for both sides, or one for each, the source's with 90 pieces, the target's with
/// 80.
inline TokenizerPair sample_tokenizers(bool shared) {
  if (shared) return TokenizerPair(sample_tokenizer(90));
  return {sample_tokenizer(90), sample_tokenizer(80)};
}

/// A model of random numbers, as if it had been opened.
inline OpenedModel model_to_export(const TransformerOptions& options, TokenizerPair tokenizers) {
  RunConfig config;
  config.model = options;
  const int64_t source = tokenizers.source().size();
  const int64_t target = tokenizers.target().size();
  return {"some/model", config, std::move(tokenizers),
          std::make_unique<Transformer>(random_model(options, source, target))};
}

}  // namespace calque::test
