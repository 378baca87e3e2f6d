#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace calque {

/// A piece of a vocabulary.
struct TextPiece {
  std::string text;  // as SentencePiece writes it, a leading space being U+2581
  double score;      // of unigram: its log-probability; of bpe: the greater, the sooner merged
  bool ordinary;     // not a special one: unknown, control, user-defined, a byte, unused
};

/// Cuts text into pieces of a SentencePiece model and puts pieces together again (Kudo & Richardson
/// 2018, "SentencePiece"). All const functions may be called by several threads at once.
class Tokenizer {
 public:
  /// `serialized`: the bytes of a SentencePiece model; `name`: what messages call it, a path as a
  /// rule. The bytes need not be trusted. Throws UserError when they are no such model, or when its
  /// special ids are not those of special_ids.h.
  explicit Tokenizer(std::string serialized, const std::string& name = "the vocabulary");
  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  /// Replaces the content of `ids` by the pieces of one line of valid UTF-8, without begin and end
  /// ids. Text without any piece (empty, or spaces only) gives none.
  void encode(std::string_view line, std::vector<int32_t>& ids) const;
  /// The same with the byte of `line` at which the text of each piece begins, whatever
  /// normalisation made of it; a piece with a space in front begins at that space.
  void encode(std::string_view line, std::vector<int32_t>& ids, std::vector<size_t>& begins) const;
  /// The text of a sequence of ids, one line that is `printable`; begin and end ids are passed
  /// over, an unknown piece reads " \u2047 ". Throws InternalError when an id is not in [0,
  /// size()).
  std::string decode(std::span<const int32_t> ids) const;

  /// The piece as SentencePiece writes it, a leading space being U+2581.
  std::string piece(int32_t id) const;
  /// All pieces, by their ids.
  std::vector<TextPiece> pieces() const;
  /// Number of pieces, special ids included: `vocab`.
  int64_t size() const;
  /// How its pieces were found, as the model itself says: "unigram", "bpe", "word" or "char".
  std::string type() const;
  /// The bytes it was made from: what a checkpoint stores.
  const std::string& serialized() const { return serialized_; }

 private:
  struct Model;
  std::string name_;
  std::string serialized_;
  std::unique_ptr<Model> model_;

  [[noreturn]] void throw_unusable(const char* action, const std::string& reason) const;
};

/// The tokenizers of both sides of a model; with a shared vocabulary they are one and the same.
class TokenizerPair {
 public:
  /// One vocabulary for both sides.
  explicit TokenizerPair(Tokenizer shared) : source_(std::move(shared)) {}
  /// A vocabulary for each side.
  TokenizerPair(Tokenizer source, Tokenizer target)
      : source_(std::move(source)), target_(std::move(target)) {}

  const Tokenizer& source() const { return source_; }
  const Tokenizer& target() const { return target_ ? *target_ : source_; }
  bool shared() const { return !target_.has_value(); }

 private:
  Tokenizer source_;
  std::optional<Tokenizer> target_;
};

}  // namespace calque
