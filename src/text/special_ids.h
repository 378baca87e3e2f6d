#pragma once

#include <cstdint>

namespace calque {

/// Ids that stand for no text: the same in every vocabulary (SentencePiece's defaults). There is no
/// id for padding, since nothing is padded.
inline constexpr int32_t kUnknownId = 0;  // text that the vocabulary cannot spell
inline constexpr int32_t kBeginId = 1;    // before the first piece of the decoder's input
inline constexpr int32_t kEndId = 2;      // behind the last piece of a source or a target

}  // namespace calque
