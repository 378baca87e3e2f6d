#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace calque {

// Words of a line as other programs count them: what spaces and tabs separate.

int64_t count_words(std::string_view line);

/// The word, from 0, that each of some bytes of `line` is in, which ascend. A space counts to the
/// word behind it, as in SentencePiece's pieces; at the end of the line to the last word.
std::vector<int32_t> words_at(std::string_view line, std::span<const size_t> bytes);

/// The words of a line, without what separates them.
std::vector<std::string_view> words_of(std::string_view line);

/// The line without one of its words, and the spaces behind it.
std::string without_word(std::string_view line, int64_t word);

}  // namespace calque
