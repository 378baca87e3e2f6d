#include "text/noise.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <vector>

#include "base/random.h"

namespace calque {
namespace {

/// A character and the combining marks behind it.
struct Character {
  std::string_view text;
  char32_t code;  // without the marks

  bool is_letter() const { return u_isalpha(static_cast<UChar32>(code)) != 0; }
  bool is_punctuation() const { return u_ispunct(static_cast<UChar32>(code)) != 0; }
  bool is_space() const { return u_isUWhiteSpace(static_cast<UChar32>(code)) != 0; }
  bool is_upper() const { return u_isupper(static_cast<UChar32>(code)) != 0; }
};

bool is_mark(UChar32 code) { return (U_GET_GC_MASK(code) & U_GC_M_MASK) != 0; }

std::vector<Character> to_characters(std::string_view line) {
  std::vector<Character> characters;
  const auto size = static_cast<int32_t>(line.size());
  for (int32_t at = 0; at < size;) {
    const int32_t begin = at;
    UChar32 code = 0;
    U8_NEXT_OR_FFFD(line.data(), at, size, code);
    const std::string_view text = line.substr(static_cast<size_t>(begin), at - begin);
    if (is_mark(code) && !characters.empty()) {
      std::string_view& before = characters.back().text;
      before = {before.data(), before.size() + text.size()};
    } else {
      characters.push_back({text, static_cast<char32_t>(code)});
    }
  }
  return characters;
}

void append_code(std::string& text, UChar32 code) {
  char bytes[U8_MAX_LENGTH];
  int32_t length = 0;
  U8_APPEND_UNSAFE(bytes, length, code);
  text.append(bytes, static_cast<size_t>(length));
}

/// `letter` with each of its codes mapped by `map`, one to one.
template <class Map>
void append_mapped(std::string& text, const Character& letter, const Map& map) {
  const auto size = static_cast<int32_t>(letter.text.size());
  for (int32_t at = 0; at < size;) {
    UChar32 code = 0;
    U8_NEXT_OR_FFFD(letter.text.data(), at, size, code);
    append_code(text, map(code));
  }
}

/// The letters whose keys lie beside that of `letter`, a lower-case one; none: on no keyboard that
/// is known here.
std::u32string_view keys_beside(char32_t letter) {
  static constexpr std::u32string_view kLatin[] = {
      U"qwsz",   U"vghn",  U"xdfv", U"serfcx", U"wrsd", U"drtgvc", U"ftyhbv", U"gyujnb", U"uojk",
      U"huikmn", U"jiolm", U"kop",  U"njk",    U"bhjm", U"ipkl",   U"ol",     U"wa",     U"etdf",
      U"awedxz", U"ryfg",  U"yihj", U"cfgb",   U"qeas", U"zsdc",   U"tugh",   U"asx"};
  if (letter >= U'a' && letter <= U'z') return kLatin[letter - U'a'];
  switch (letter) {
    case U'ä':
      return U"öü";
    case U'ö':
      return U"lpäü";
    case U'ü':
      return U"pöä";
    case U'ß':
      return U"pü";
    default:
      return {};
  }
}

/// A line on its way to one with noise. The numbers of a position are its own.
class Noise {
 public:
  Noise(std::string_view line, NoiseKind kind, double rate, const NoiseKey& key)
      : characters_(to_characters(line)),
        kind_(kind),
        rate_(rate),
        key_{key.seed, key.epoch, streams::kNoise + 1 + static_cast<uint32_t>(number(kind))},
        line_(static_cast<uint32_t>(key.line)) {
    text_.reserve(line.size() + 16);
  }

  std::string add() {
    switch (kind_) {
      case NoiseKind::kTypos:
      case NoiseKind::kSwap:
      case NoiseKind::kDrop:
      case NoiseKind::kInsert:
      case NoiseKind::kKeyboard:
      case NoiseKind::kRandomCase:
      case NoiseKind::kPunctuationDrop:
        for (size_t i = 0; i < characters_.size();) i = pass_character(i);
        break;
      default:
        for (size_t i = 0; i < characters_.size();) i = pass_word(i);
    }
    return std::move(text_);
  }

 private:
  using Words = std::array<uint32_t, 4>;

  std::vector<Character> characters_;
  NoiseKind kind_;
  double rate_;
  RandomKey key_;
  uint32_t line_;
  std::string text_;

  Words random(size_t position) const {
    return random_words(key_, line_, static_cast<uint32_t>(position));
  }
  bool is_hit(const Words& words) const { return words[0] < rate_ * 0x1p32; }
  void keep(size_t i) { text_ += characters_[i].text; }

  /// Writes character `i`, and returns where to go on.
  size_t pass_character(size_t i) {
    const Character& character = characters_[i];
    const bool concerns =
        kind_ == NoiseKind::kPunctuationDrop ? character.is_punctuation() : character.is_letter();
    const Words words = concerns ? random(i) : Words{};
    if (!concerns || !is_hit(words)) {
      keep(i);
      return i + 1;
    }
    switch (kind_) {
      case NoiseKind::kPunctuationDrop:
        return i + 1;
      case NoiseKind::kRandomCase:
        append_mapped(text_, character, character.is_upper() ? u_tolower : u_toupper);
        return i + 1;
      case NoiseKind::kTypos: {
        constexpr NoiseKind kTypos[] = {NoiseKind::kSwap, NoiseKind::kDrop, NoiseKind::kInsert,
                                        NoiseKind::kKeyboard};
        return mistype(i, kTypos[words[1] % 4], words[2]);
      }
      default:
        return mistype(i, kind_, words[2]);
    }
  }

  size_t mistype(size_t i, NoiseKind typo, uint32_t choice) {
    switch (typo) {
      case NoiseKind::kDrop:
        return i + 1;
      case NoiseKind::kSwap:
        if (i + 1 == characters_.size() || !characters_[i + 1].is_letter()) break;
        keep(i + 1);
        keep(i);
        return i + 2;
      case NoiseKind::kInsert:
        keep(i);
        append_key_beside(i, choice);
        return i + 1;
      default:
        append_key_beside(i, choice);
        return i + 1;
    }
    keep(i);
    return i + 1;
  }

  void append_key_beside(size_t i, uint32_t choice) {
    const auto code = static_cast<UChar32>(characters_[i].code);
    const std::u32string_view keys = keys_beside(static_cast<char32_t>(u_tolower(code)));
    if (keys.empty()) return keep(i);
    const auto key = static_cast<UChar32>(keys[choice % keys.size()]);
    append_code(text_, characters_[i].is_upper() ? u_toupper(key) : key);
  }

  /// Writes the word that begins at `i` with the white space behind it, or the white space there.
  size_t pass_word(size_t i) {
    const auto next = [&](size_t from, bool space) {
      while (from < characters_.size() && characters_[from].is_space() == space) ++from;
      return from;
    };
    const size_t end = next(i, false);
    const size_t next_word = next(end, true);
    const Words words = random(i);
    const bool hit = end > i && is_hit(words);
    if (hit && kind_ == NoiseKind::kWordDrop) {
      if (next_word == characters_.size()) drop_trailing_space();
      return next_word;
    }
    for (size_t c = i; c < end; ++c) {
      if (hit && kind_ == NoiseKind::kLower) {
        append_mapped(text_, characters_[c], u_tolower);
      } else if (hit && kind_ == NoiseKind::kUpper) {
        append_mapped(text_, characters_[c], u_toupper);
      } else {
        keep(c);
      }
    }
    if (hit && kind_ == NoiseKind::kPunctuationInsert) text_ += ",.;:!?"[words[2] % 6];
    for (size_t c = end; c < next_word; ++c) keep(c);
    return next_word;
  }

  /// That was in front of a last word which is gone.
  void drop_trailing_space() {
    while (!text_.empty() && (text_.back() == ' ' || text_.back() == '\t')) text_.pop_back();
  }
};

}  // namespace

const char* noise_name(NoiseKind kind) {
  constexpr std::array<const char*, kNoiseKinds> kNames{
      "typos",    "swap",  "drop",        "insert",           "keyboard",
      "lower",    "upper", "random_case", "punctuation_drop", "punctuation_insert",
      "word_drop"};
  return kNames[number(kind)];
}

std::string add_noise(std::string_view line, NoiseKind kind, double rate, const NoiseKey& key) {
  return Noise(line, kind, rate, key).add();
}

bool NoiseOptions::any() const {
  return probability > 0 && std::ranges::any_of(rates, [](double rate) { return rate > 0; });
}

std::string add_noise(std::string_view line, const NoiseOptions& options, const NoiseKey& key) {
  std::string text(line);
  const RandomKey draws{key.seed, key.epoch, streams::kNoise};
  if (random_uniform(draws, static_cast<uint64_t>(key.line)) >= options.probability) return text;
  for (size_t i = kNoiseKinds; i-- > 0;) {
    if (options.rates[i] > 0) text = add_noise(text, noise_kind(i), options.rates[i], key);
  }
  return text;
}

}  // namespace calque
