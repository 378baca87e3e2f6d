#include "export/vocabulary_files.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "export/new_folder.h"

namespace calque {

std::vector<std::string> pieces(const Tokenizer& tokenizer) {
  std::vector<std::string> all;
  for (int32_t id = 0; id < tokenizer.size(); ++id) {
    all.push_back(tokenizer.piece(id));
    if (find_invalid_utf8(all.back()) == std::string::npos) continue;
    throw UserError(fmt::format(
        "piece {} of the vocabulary is not UTF-8, so it cannot be exported: JSON knows UTF-8 only",
        id));
  }
  return all;
}

void write_vocabulary_files(const std::filesystem::path& folder, const TokenizerPair& tokenizers) {
  const auto write_pieces = [&](const char* name, const Tokenizer& tokenizer) {
    write_synced(folder / name, nlohmann::json(pieces(tokenizer)).dump(2) + "\n");
  };
  if (tokenizers.shared()) {
    write_pieces("shared_vocabulary.json", tokenizers.source());
  } else {
    write_pieces("source_vocabulary.json", tokenizers.source());
    write_pieces("target_vocabulary.json", tokenizers.target());
  }
  write_synced(folder / "source.spm", tokenizers.source().serialized());
  write_synced(folder / "target.spm", tokenizers.target().serialized());
}

}  // namespace calque
