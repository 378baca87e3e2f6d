#include "text/tokenizer.h"

#include <sentencepiece_processor.h>

#include "base/error.h"
#include "text/special_ids.h"

namespace calque {

struct Tokenizer::Model {
  sentencepiece::SentencePieceProcessor processor;
};

namespace {

absl::string_view as_view(std::string_view text) { return {text.data(), text.size()}; }

void check_special_id(const std::string& name, const char* piece, int found, int32_t expected) {
  if (found == expected) return;
  throw UserError(
      fmt::format("{}: the id of {} should be {} but is {}; train the model with SentencePiece's "
                  "defaults (unk_id=0, bos_id=1, eos_id=2), or let Calque train it",
                  name, piece, expected, found));
}

}  // namespace

Tokenizer::Tokenizer(std::string serialized, const std::string& name)
    : serialized_(std::move(serialized)), model_(std::make_unique<Model>()) {
  // An empty model would load, and then have no pieces.
  if (serialized_.empty()) {
    throw UserError(fmt::format("{}: expected a SentencePiece model but it is empty", name));
  }
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
  CALQUE_CHECK(status.ok(), "SentencePiece cannot encode: {}", status.ToString());
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
  CALQUE_CHECK(status.ok(), "SentencePiece cannot decode: {}", status.ToString());
  return text;
}

std::string Tokenizer::piece(int32_t id) const {
  CALQUE_CHECK(id >= 0 && id < size(), "piece {} of {}", id, size());
  return model_->processor.IdToPiece(id);
}

int64_t Tokenizer::size() const { return model_->processor.GetPieceSize(); }

}  // namespace calque
