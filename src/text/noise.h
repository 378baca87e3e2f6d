#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace calque {

/// Ways in which what people type differs from clean text (Belinkov & Bisk 2018, "Synthetic and
/// Natural Noise Both Break Neural Machine Translation"). Each has a rate: the share of the
/// letters, words or punctuation marks that it hits, each with this probability by itself.
enum class NoiseKind {
  kTypos,              // of the letters: one of the next four, drawn
  kSwap,               // of the letters: changes places with the letter behind it in the word
  kDrop,               // of the letters: is missing
  kInsert,             // of the letters: a key beside it is hit as well, behind it
  kKeyboard,           // of the letters: a key beside it is hit instead
  kLower,              // of the words: in lower case
  kUpper,              // of the words: in upper case
  kRandomCase,         // of the letters: in the other case
  kPunctuationDrop,    // of the punctuation marks: is missing
  kPunctuationInsert,  // of the words: , . ; : ! or ? behind it
  kWordDrop,           // of the words: is missing
};
inline constexpr size_t kNoiseKinds = 11;

/// The kind of this number.
constexpr NoiseKind noise_kind(size_t number) { return static_cast<NoiseKind>(number); }
constexpr size_t number(NoiseKind kind) { return static_cast<size_t>(kind); }

/// "typos", "random_case": as in a config.
const char* noise_name(NoiseKind kind);

/// What the noise of a line depends on, beside its text.
struct NoiseKey {
  uint64_t seed = 1;
  uint32_t epoch = 0;
  int64_t line = 0;
};

/// Adds one kind of noise to a line of valid UTF-8. A letter is a character of Unicode's category L
/// with the combining marks behind it; words are what white space separates. Keys lie as on a
/// QWERTY keyboard, and as on a German one those of umlauts and sharp s, which no other letter
/// becomes; a letter that is on neither is left alone by kKeyboard, and doubled by kInsert. Letters
/// that are put in have the case of the letter hit.
std::string add_noise(std::string_view line, NoiseKind kind, double rate, const NoiseKey& key);

/// `data.noise.*` of a config: of so many lines, the rate of each kind.
struct NoiseOptions {
  double probability = 0.5;
  std::array<double, kNoiseKinds> rates{};

  double& rate(NoiseKind kind) { return rates[number(kind)]; }
  const double& rate(NoiseKind kind) const { return rates[number(kind)]; }
  /// Whether any line gets noise.
  bool any() const;
};

/// Adds to a line, with `options.probability`, the noise of all kinds that have a rate, one after
/// another; words go first and letters last, so that a typo stays as it was typed.
std::string add_noise(std::string_view line, const NoiseOptions& options, const NoiseKey& key);

}  // namespace calque
