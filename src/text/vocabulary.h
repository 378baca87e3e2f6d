#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "text/line_faults.h"
#include "text/tokenizer.h"

namespace calque {

/// How pieces are found: unigram language model (Kudo 2018, "Subword regularization") or byte pair
/// encoding (Sennrich et al. 2016).
enum class VocabularyType { kUnigram, kBpe };

/// "unigram", "bpe": as in a config.
const char* vocabulary_type_name(VocabularyType type);

/// What is done to text before it is cut into pieces, and so to what the model writes.
enum class Normalization {
  kNmtNfkc,   // Unicode NFKC, runs of spaces as one: full-width letters, ligatures, fractions and
              // the ellipsis in their plain spelling; umlauts, sharp s and quotation marks stay
  kIdentity,  // every character as it stands
};

/// `vocabulary.*` of a config.
struct VocabularyOptions {
  VocabularyType type = VocabularyType::kUnigram;
  /// Pieces, the special ids included; of each side when not shared.
  int64_t size = 8000;
  /// One vocabulary for source and target.
  bool shared = true;
  /// The model file; trained and written when it does not exist. Empty: in the run folder. When not
  /// shared, "de-en.model" stands for de-en.source.model and de-en.target.model.
  std::string path;
  Normalization normalization = Normalization::kNmtNfkc;
  /// Share of the corpus's characters that get a piece of their own; the rarest others are unknown.
  double character_coverage = 1.0;
  /// Train on at most so many lines, drawn at random from all files.
  int64_t max_sentences = 2'000'000;
};

/// Trains a SentencePiece model on all lines of `files` (plain or gzip) and returns its bytes, a
/// pure function of its arguments and the files' content. `seed` draws the sample when there are
/// more lines than `max_sentences`. `policies`: see TextFiles. Throws UserError when a file cannot
/// be read or is not UTF-8 (naming file and line), when there is no text, and when `size` is more
/// or less than the text allows (naming the bound).
std::string train_vocabulary(const VocabularyOptions& options,
                             const std::vector<std::string>& files, uint64_t seed,
                             const LinePolicies& policies = {});

/// Where the models of a run lie: `vocabulary.path`, or else `run_folder`. Source and target are
/// equal when shared.
struct VocabularyPaths {
  std::filesystem::path source;
  std::filesystem::path target;
};
VocabularyPaths vocabulary_paths(const VocabularyOptions& options,
                                 const std::filesystem::path& run_folder);

/// What to do with a vocabulary that is there, but was made otherwise than it would be now.
enum class OtherVocabulary { kReplace, kRefuse };

/// Loads the vocabulary of a run; a model file that does not exist is trained from the training
/// text first and written (atomically), with a record of what it was made of beside it ("x.json"
/// beside "x.model"); the log says which. The text is checked before: no line has a fault that
/// `policies` call an error, and both sides have as many lines.
///
/// A model whose record names other options than these, or another text, is trained anew when it
/// lies in the run folder and `other` is kReplace; else other options are an error, while another
/// text or seed is only told. At `vocabulary.path` nothing is ever replaced. A model without a
/// record is used as it is. Throws UserError as above, and when an existing model has another size
/// than `vocabulary.size`.
TokenizerPair load_or_train_vocabulary(const VocabularyOptions& options,
                                       const std::filesystem::path& run_folder,
                                       const std::vector<std::string>& source_files,
                                       const std::vector<std::string>& target_files, uint64_t seed,
                                       const LinePolicies& policies = {},
                                       OtherVocabulary other = OtherVocabulary::kReplace);

}  // namespace calque
