#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace calque {

// How lines become words before a metric compares them. Text is UTF-8; a byte that is not part of a
// valid character counts as an ordinary one. White space is what Python's `str.isspace` calls so,
// because the metric's reference implementation is written in Python: U+0009-000D, U+001C-0020,
// U+0085, U+00A0, U+1680, U+2000-200A, U+2028, U+2029, U+202F, U+205F, U+3000.

/// The words of `line`: its longest runs without white space, in order, as Python's `str.split()`
/// gives them. A line without words gives an empty vector. The views point into `line`.
std::vector<std::string_view> split_words(std::string_view line);

/// `line` without the white space at its end, as Python's `str.rstrip()`. A view into `line`.
std::string_view trim_right(std::string_view line);

/// Words of `line`, as tokeniser 13a finds them, with one space between two of them. 13a is the
/// tokeniser of WMT's mteval-v13a.pl; the exact steps are those of sacreBLEU (Post 2018, "A Call
/// for Clarity in Reporting BLEU Scores"):
///  1. `<skipped>` and a hyphen before a newline vanish, a newline becomes a space;
///  2. `&quot;`, `&amp;`, `&lt;`, `&gt;` become their characters, in this order, each in one pass;
///  3. every ASCII symbol but apostrophe, comma, hyphen and full stop is a word of its own;
///  4. so are a comma and a full stop, unless between two digits, and a hyphen after a digit.
/// BLEU trims the line with `trim_right` before this.
std::string tokenize_13a(std::string_view line);

}  // namespace calque
