#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace calque {

// How lines become words before a metric compares them. Text is UTF-8; a byte that is not part of a
// valid character counts as an ordinary one. White space is what Python's `str.isspace` calls so,
// because the metrics' reference implementation is written in Python (`is_white_space`).

/// How a metric finds the words of a line.
enum class WordTokenizer {
  k13a,   ///< `tokenize_13a`: for ordinary (detokenised) text
  kIntl,  ///< mteval-v14.pl's: the same for all of Unicode's punctuation
  kZh,    ///< for Chinese: each of its characters is a word
  kChar,  ///< every character but white space is a word
  kNone,  ///< the line's words as they are, for text that is already tokenised
};

/// "13a", "intl", "zh", "char", "none".
std::string_view tokenizer_name(WordTokenizer tokenizer);

/// The words of `line`, as the tokeniser finds them, with one space between two of them.
std::string tokenize(WordTokenizer tokenizer, std::string_view line);

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

/// The same by Tercom's normalisation (Snover et al. 2006): a newline and a hyphen behind it
/// vanish, another becomes a space, rules 2 to 4, and "'s" is a word of its own at the end of one.
std::string tokenize_tercom(std::string_view line);

}  // namespace calque
