#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/random_sequence.h"
#include "text/tokenizer.h"

namespace calque {

/// Cuts words into pieces at random, so that a model learns them in many cuts.
///
/// With a unigram vocabulary (Kudo 2018, "Subword Regularization"), a word's cut is drawn with
///   P(cut) ~ (product of its pieces' probabilities)^strength
/// from all cuts that there are, not only from the n best of a sentence: forwards through the
/// word, the sums over all that lead to a character; then backwards, piece by piece.
///
/// With a bpe vocabulary (Provilkov et al. 2020, "BPE-Dropout"), a word begins as its characters.
/// The best pair of neighbours that together are a piece is merged, again and again, but each time
/// every such pair is passed over with probability `strength`; when none is left, the word is cut.
///
/// A word reaches from a piece with a space in front to the next one, or to a piece that is not
/// ordinary, which stays. So a line without spaces is one word, of which bpe cuts take time that
/// grows with the square of its characters.
///
/// What was found out about words is kept, each in one of 65,536 places: 5 MB, and 16 bytes for
/// each piece that lies in a word. A word that comes newly to a place, and one of more than 32
/// bytes, is worked out anew. Memory is bounded, but now and then more is asked for, by words that
/// are new or longer than those before. Const functions may be called by several threads at once.
class SubwordSampler {
 public:
  /// Whether a vocabulary is of such a type.
  static bool can_cut(const Tokenizer& tokenizer);
  /// Throws InternalError unless it is, UserError when a score is not finite.
  SubwordSampler(const Tokenizer& tokenizer, double strength);
  ~SubwordSampler();

  /// Replaces pieces, as Tokenizer::encode gives them, by others of the same text: a function of
  /// the pieces and the random numbers alone.
  void resample(RandomSequence random, std::vector<int32_t>& ids) const;

 private:
  class Words;
  std::unique_ptr<Words> words_;
};

}  // namespace calque
