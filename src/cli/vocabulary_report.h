#pragma once

#include <string>
#include <vector>

#include "text/tokenizer.h"
#include "text/vocabulary.h"

namespace calque {

/// "unigram", "bpe": as in a config.
const char* vocabulary_type_name(VocabularyType type);

/// The first `count` pieces as SentencePiece writes them, special ids first.
std::vector<std::string> first_pieces(const Tokenizer& tokenizer, int64_t count);

/// Size, type and first pieces of one shared vocabulary, or of each side's; lines with their ends.
std::string describe_vocabulary(const TokenizerPair& tokenizers, const VocabularyOptions& options);

}  // namespace calque
