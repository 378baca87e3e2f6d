#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace calque {

/// What is wrong with the normalization rules of a SentencePiece model (`precompiled_charsmap`), or
/// nothing. SentencePiece believes every number in them, and would read outside its memory where
/// one is wrong; so they are checked before it gets them.
///
/// They are a length, a trie of so many bytes whose keys are what is replaced, and the texts that
/// they are replaced by, each ended by a zero byte. The trie is a double array of 32-bit units
/// (Darts-clone), walked by exclusive-or: the units that go on from one lie in one block of 256.
std::optional<std::string> find_broken_rules(std::string_view rules);

}  // namespace calque
