#pragma once

#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace calque {

/// The first `count` pieces as SentencePiece writes them, special ids first.
std::vector<std::string> first_pieces(const Tokenizer& tokenizer, int64_t count);

/// Size, type and first pieces of one shared vocabulary, or of each side's; lines with their ends.
std::string describe_vocabulary(const TokenizerPair& tokenizers);

}  // namespace calque
