#pragma once

#include <string>
#include <string_view>

namespace calque {

// Text as a sequence of characters (Unicode code points), for metrics that compare these.

/// The character of UTF-8 text that begins at byte `at`, which moves behind it. A byte that is not
/// part of a valid character counts as one, a lone surrogate: U+DC00 + byte.
char32_t next_character(std::string_view text, size_t& at);

std::u32string to_characters(std::string_view text);

/// The reverse of `to_characters`, also for what was not valid.
std::string to_utf8(std::u32string_view characters);

/// What Python's `str.isspace` calls white space: U+0009-000D, U+001C-0020, U+0085, U+00A0, U+1680,
/// U+2000-200A, U+2028, U+2029, U+202F, U+205F, U+3000.
bool is_white_space(char32_t character);

/// By Unicode's general category: N (Nd, Nl, No), P (Pc, Pd, ...), S (Sm, Sc, Sk, So).
bool is_number(char32_t character);
bool is_punctuation(char32_t character);
bool is_symbol(char32_t character);

/// UTF-8 text in lower case, as Python's `str.lower`: Unicode's full mapping, in no language's
/// manner. What is not valid becomes U+FFFD.
std::string lower_case(std::string_view text);

}  // namespace calque
