#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace calque {

/// All pieces, by id. Throws UserError when one is not UTF-8, which JSON cannot hold.
std::vector<std::string> pieces(const Tokenizer& tokenizer);

/// Writes what text goes through on its way into a model and out of it: the SentencePiece models
/// `source.spm` and `target.spm` (equal files where the vocabulary is shared), and their pieces as
/// JSON arrays in the order of the ids: `shared_vocabulary.json`, or `source_vocabulary.json` and
/// `target_vocabulary.json`.
void write_vocabulary_files(const std::filesystem::path& folder, const TokenizerPair& tokenizers);

}  // namespace calque
