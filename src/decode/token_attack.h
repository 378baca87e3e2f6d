#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "decode/teacher_forcing.h"
#include "text/tokenizer.h"

namespace calque {

/// For each source piece those that may stand in its place: the nearest ones by the cosine of their
/// embeddings, among the pieces of its kind, which begin a word as it does, or do not. Special
/// pieces stand for nothing, and nothing stands for them.
class NearPieces {
 public:
  /// At most `most` for each piece. Keeps references to `model` and `tokenizer`.
  NearPieces(const Transformer& model, const Tokenizer& tokenizer, int64_t most);

  /// Finds those of all `pieces` that are not known yet.
  void find(std::span<const int32_t> pieces, const ForwardTools& tools);
  /// Nearest first. The piece must have been given to `find`.
  const std::vector<int32_t>& of(int32_t piece) const { return near_.at(piece); }

 private:
  enum class Kind : uint8_t { kSpecial, kBeginsWord, kInsideWord };

  int64_t most_;
  int64_t model_;
  std::vector<Real> directions_;  // [vocab, model]: embeddings of length 1
  std::vector<Kind> kinds_;       // [vocab]
  std::unordered_map<int32_t, std::vector<int32_t>> near_;

  std::vector<int32_t> nearest(int32_t piece, std::span<const Real> cosines) const;
};

/// A sentence under attack.
struct AttackedSentence {
  std::vector<int32_t> source;    // pieces, without end
  std::vector<int32_t> target;    // the reference that is to become unlikely
  std::vector<uint8_t> replaced;  // [pieces]: whether it was replaced
  int64_t replacements = 0;
};

/// How a replacement is chosen.
enum class AttackKind {
  /// The one that the gradient promises the most of, to first order (HotFlip, Ebrahimi et al.
  /// 2018): the greatest (e_new - e_old) . d(-log p(reference)) / de_old over all positions and
  /// candidates. White-box: it knows the model and the reference.
  kGradient,
  /// Any one of the same replacements, all as likely: what an attack is to be compared with.
  kRandom,
};

/// Attacks a model through its source, token by token, with replacements by near pieces.
///
/// What is attacked is text: a replacement counts only when the tokenizer cuts the new sentence,
/// put together, into just these pieces. Where none does, as in a sentence with an unknown piece,
/// the sentence stays as it is.
class TokenAttack {
 public:
  /// Keeps references to all but `seed`. `candidates`: of each piece.
  TokenAttack(Transformer& model, const Tokenizer& tokenizer, int64_t candidates, uint64_t seed,
              const ForwardTools& tools);

  /// Replaces one more token in each sentence, none twice; the gradient is that of the sentence as
  /// it stands by now. `progress`, when given, is called with the number of sentences done; what it
  /// throws ends the attack.
  void replace_one(std::span<AttackedSentence> sentences, AttackKind kind,
                   const std::function<void(int64_t)>& progress = {});

 private:
  /// A replacement, and how much is expected of it.
  struct Flip {
    size_t position;
    int32_t piece;
    double gain;
  };

  Transformer& model_;
  const Tokenizer& tokenizer_;
  NearPieces near_;
  uint64_t seed_;
  ForwardTools tools_;

  std::vector<Flip> random_flips(const AttackedSentence& sentence, int64_t number) const;
  /// `gradient`: of the sentence's pieces, [pieces, model].
  std::vector<Flip> gradient_flips(const AttackedSentence& sentence,
                                   MatrixView<const Real> gradient) const;
  /// Makes the best of `flips` that leaves a text.
  void make_best(std::vector<Flip> flips, AttackedSentence& sentence) const;
};

}  // namespace calque
