#include "text/tokenizer.h"

#include <sentencepiece_processor.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/error.h"
#include "base/printable.h"
#include "text/normalization_rules.h"
#include "text/special_ids.h"

namespace calque {

struct Tokenizer::Model {
  sentencepiece::SentencePieceProcessor processor;
};

namespace {

/// In bytes; a vocabulary of a million pieces takes half of it.
constexpr size_t kLargestModel = size_t{64} << 20;

absl::string_view as_view(std::string_view text) { return {text.data(), text.size()}; }

void check_special_id(const std::string& name, const char* piece, int found, int32_t expected) {
  if (found == expected) return;
  throw UserError(
      fmt::format("{}: the id of {} should be {} but is {}; train the model with SentencePiece's "
                  "defaults (unk_id=0, bos_id=1, eos_id=2), or let Calque train it",
                  name, piece, expected, found));
}

/// Reads a message of Protocol Buffers, field by field. What is not whole ends it, and so do what
/// no SentencePiece model has: groups, and fields without a number or with one too long.
class MessageReader {
 public:
  explicit MessageReader(std::string_view bytes) : left_(bytes) {}

  /// The next field; false at the end.
  bool next() {
    if (left_.empty()) return false;
    is_whole = read_field();
    return is_whole;
  }

  uint64_t number = 0;     // of the field
  uint64_t value = 0;      // of a field that is a number
  std::string_view bytes;  // of a field that is text or a message
  bool is_whole = true;    // so far

 private:
  std::string_view left_;

  bool read_field() {
    uint64_t tag = 0;
    if (!read_number(tag)) return false;
    number = tag >> 3;
    bytes = {};
    if (number == 0 || tag > std::numeric_limits<uint32_t>::max()) return false;
    switch (tag & 7) {
      case 0:
        return read_number(value);
      case 1:
        return skip(8);
      case 2: {
        uint64_t length = 0;
        if (!read_number(length) || length > left_.size()) return false;
        bytes = left_.substr(0, length);
        return skip(length);
      }
      case 5:
        return skip(4);
      default:
        return false;
    }
  }

  bool skip(uint64_t count) {
    if (count > left_.size()) return false;
    left_.remove_prefix(count);
    return true;
  }
  /// Seven bits a byte, the lowest first; the eighth says that more follow.
  bool read_number(uint64_t& result) {
    result = 0;
    for (unsigned shift = 0; !left_.empty() && shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(left_.front());
      left_.remove_prefix(1);
      result |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }
};

/// Throws unless SentencePiece can be trusted with the bytes: it checks the message, but believes
/// the rules in it.
void check_model(std::string_view serialized, const std::string& name) {
  const auto refuse = [&](const std::string& problem) {
    throw UserError(fmt::format("{}: expected a SentencePiece model but {}", name, problem));
  };
  // An empty model would load, and then have no pieces.
  if (serialized.empty()) refuse("it is empty");
  if (serialized.size() > kLargestModel) refuse(fmt::format("it has {} bytes", serialized.size()));
  // sentencepiece_model.proto: ModelProto.normalizer_spec = 3, ModelProto.denormalizer_spec = 5,
  // NormalizerSpec.precompiled_charsmap = 2.
  MessageReader model(serialized);
  while (model.next()) {
    if (model.number != 3 && model.number != 5) continue;
    MessageReader normalizer(model.bytes);
    while (normalizer.next()) {
      if (normalizer.number != 2) continue;
      if (const auto problem = find_broken_rules(normalizer.bytes)) {
        refuse("its normalization rules are broken: " + *problem);
      }
    }
    if (!normalizer.is_whole) refuse("its normalization rules cannot be read");
  }
  if (!model.is_whole) refuse("it cannot be read as one");
}

}  // namespace

Tokenizer::Tokenizer(std::string serialized, const std::string& name)
    : name_(name), serialized_(std::move(serialized)), model_(std::make_unique<Model>()) {
  check_model(serialized_, name);
  const auto status = model_->processor.LoadFromSerializedProto(as_view(serialized_));
  if (!status.ok()) {
    throw UserError(
        fmt::format("{}: expected a SentencePiece model but it cannot be read as one ({})", name,
                    status.ToString()));
  }
  check_special_id(name, "the unknown piece", model_->processor.unk_id(), kUnknownId);
  check_special_id(name, "the begin of a sentence", model_->processor.bos_id(), kBeginId);
  check_special_id(name, "the end of a sentence", model_->processor.eos_id(), kEndId);
}

Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

void Tokenizer::encode(std::string_view line, std::vector<int32_t>& ids) const {
  static_assert(std::is_same_v<int, int32_t>);
  const auto status = model_->processor.Encode(as_view(line), &ids);
  if (!status.ok()) throw_unusable("encode", status.ToString());
}

void Tokenizer::encode(std::string_view line, std::vector<int32_t>& ids,
                       std::vector<size_t>& begins) const {
  sentencepiece::ImmutableSentencePieceText text;
  const auto status = model_->processor.Encode(as_view(line), text.mutable_proto());
  if (!status.ok()) throw_unusable("encode", status.ToString());
  ids.clear();
  begins.clear();
  for (const auto& piece : text.pieces()) {
    ids.push_back(static_cast<int32_t>(piece.id()));
    begins.push_back(piece.begin());
  }
}

std::string Tokenizer::decode(std::span<const int32_t> ids) const {
  std::vector<int> pieces;
  pieces.reserve(ids.size());
  for (const int32_t id : ids) {
    CALQUE_CHECK(id >= 0 && id < size(), "piece {} of {}", id, size());
    if (id != kBeginId && id != kEndId) pieces.push_back(id);
  }
  std::string text;
  const auto status = model_->processor.Decode(pieces, &text);
  if (!status.ok()) throw_unusable("decode", status.ToString());
  // A model of another's making may have pieces that no line of text holds.
  std::ranges::replace(text, '\n', ' ');
  return printable(text);
}

void Tokenizer::throw_unusable(const char* action, const std::string& reason) const {
  throw UserError(
      fmt::format("{}: SentencePiece cannot {} with this model ({})", name_, action, reason));
}

std::string Tokenizer::piece(int32_t id) const {
  CALQUE_CHECK(id >= 0 && id < size(), "piece {} of {}", id, size());
  return model_->processor.IdToPiece(id);
}

std::vector<TextPiece> Tokenizer::pieces() const {
  // sentencepiece_model.proto: ModelProto.pieces = 1, SentencePiece.type = 3.
  constexpr uint64_t kPieces = 1;
  constexpr uint64_t kPieceType = 3;
  constexpr uint64_t kNormal = 1;  // the default, which need not be written
  std::vector<TextPiece> pieces;
  for (MessageReader model(serialized_); model.next();) {
    if (model.number != kPieces) continue;
    uint64_t type = kNormal;
    for (MessageReader piece(model.bytes); piece.next();) {
      if (piece.number == kPieceType) type = piece.value;
    }
    const auto id = static_cast<int32_t>(pieces.size());
    pieces.push_back({piece(id), model_->processor.GetScore(id), type == kNormal});
  }
  return pieces;
}

std::string Tokenizer::type() const {
  // sentencepiece_model.proto: ModelProto.trainer_spec = 2, TrainerSpec.model_type = 3.
  constexpr uint64_t kTrainerSpec = 2;
  constexpr uint64_t kModelType = 3;
  constexpr std::array<const char*, 5> kTypes{"unknown", "unigram", "bpe", "word", "char"};
  uint64_t type = 1;  // the default, which need not be written
  for (MessageReader model(serialized_); model.next();) {
    if (model.number != kTrainerSpec) continue;
    for (MessageReader trainer(model.bytes); trainer.next();) {
      if (trainer.number == kModelType) type = trainer.value;
    }
  }
  return type < kTypes.size() ? kTypes[type] : "unknown";
}

int64_t Tokenizer::size() const { return model_->processor.GetPieceSize(); }

}  // namespace calque
