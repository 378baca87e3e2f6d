#include "text/noise.h"

#include <map>
#include <set>

#include "base/file.h"
#include "support/catch.h"

namespace calque {
namespace {

using enum NoiseKind;

constexpr NoiseKey kKey{.seed = 1, .epoch = 0, .line = 7};
const std::string kSentence = "Zwei Männer grüßen, lachen und übergeben einen Äpfel-Korb.";

std::string noisy(NoiseKind kind, double rate, int64_t line = 7) {
  return add_noise(kSentence, kind, rate, {1, 0, line});
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST_CASE("a rate of 1 hits everything that a kind of noise concerns", "[noise]") {
  CHECK(add_noise("ab cde, f 12", kSwap, 1, kKey) == "ba dce, f 12");
  CHECK(add_noise("ab cde, f 12", kDrop, 1, kKey) == " ,  12");
  CHECK(add_noise("Ab ÄÖ ßx 1.", kLower, 1, kKey) == "ab äö ßx 1.");
  CHECK(add_noise("ab äö éx 1.", kUpper, 1, kKey) == "AB ÄÖ ÉX 1.");
  CHECK(add_noise("Ab äÖ 1.", kRandomCase, 1, kKey) == "aB Äö 1.");
  CHECK(add_noise("a, b. »c« - d!", kPunctuationDrop, 1, kKey) == "a b c  d");
  CHECK(add_noise("a b\tc", kWordDrop, 1, kKey).empty());
  CHECK(add_noise("Щи 漢字", kKeyboard, 1, kKey) == "Щи 漢字");  // on keyboards not known here
  CHECK(add_noise("щи", kInsert, 1, kKey) == "щщии");
}

TEST_CASE("a rate of 0 hits nothing, and an empty line stays one", "[noise]") {
  for (size_t i = 0; i < kNoiseKinds; ++i) {
    INFO(noise_name(noise_kind(i)));
    CHECK(noisy(noise_kind(i), 0) == kSentence);
    CHECK(add_noise("", noise_kind(i), 1, kKey).empty());
  }
}

TEST_CASE("noise is what it was", "[noise]") {
  const std::map<std::string, std::string> expected{
      {"typos", "Zweio ähner rgüßern, lacheb und betgebgwnh enisn Äfel-oKrb."},
      {"swap", "Zwei äMnnre grüßne, lcaehn und übregbeen einne Äfple-Korb."},
      {"drop", "wi ne rüßen, lch un begeben einen Äpfl-K."},
      {"insert", "Zwseri Männer grüßen, lacdhuenb unde übhergewben erinhesn ÄÜpfelk-KLokrb."},
      {"keyboard", "Zwsi Mäbndr tfüßrn, lacuen ynd übergsbeh wijem Üofrl-Kpfb."},
      {"lower", "Zwei Männer grüßen, lachen und übergeben einen äpfel-korb."},
      {"upper", "Zwei MÄNNER GRÜßEN, LACHEN und ÜBERGEBEN einen Äpfel-Korb."},
      {"random_case", "zWei männer grüßEn, lAchen uNd üBeRgEbEn EinEn äPfEl-KOrB."},
      {"punctuation_drop", "Zwei Männer grüßen lachen und übergeben einen ÄpfelKorb."},
      {"punctuation_insert", "Zwei Männer: grüßen, lachen: und! übergeben einen Äpfel-Korb."},
      {"word_drop", "Zwei Männer grüßen, lachen Äpfel-Korb."},
  };
  for (size_t i = 0; i < kNoiseKinds; ++i) {
    INFO(noise_name(noise_kind(i)));
    CHECK(noisy(noise_kind(i), 0.4) == expected.at(noise_name(noise_kind(i))));
  }
}

TEST_CASE("a key beside another keeps the case, and only umlauts become umlauts", "[noise]") {
  const std::string all = "abcdefghijklmnopqrstuvwxyz";
  const std::set<std::string> besides{"q", "w", "s", "z"};
  std::set<std::string> seen;
  for (int64_t line = 0; line < 50; ++line) {
    const std::string upper = add_noise("A", kKeyboard, 1, {.line = line});
    CHECK(upper != "A");
    seen.insert(add_noise("a", kKeyboard, 1, {.line = line}));
    const std::string typed = add_noise(all, kKeyboard, 1, {.line = line});
    CHECK(typed.size() == all.size());
    for (size_t i = 0; i < all.size(); ++i) CHECK(typed[i] != all[i]);
    CHECK(std::set<std::string>{"Q", "W", "S", "Z"}.contains(upper));
    CHECK(std::set<std::string>{"l", "p", "ä", "ü"}.contains(
        add_noise("ö", kKeyboard, 1, {.line = line})));
    CHECK(std::set<std::string>{"p", "ü"}.contains(add_noise("ß", kKeyboard, 1, {.line = line})));
  }
  CHECK(seen == besides);
}

TEST_CASE("a character keeps its combining marks, and text stays UTF-8", "[noise]") {
  const std::string combined = "a\u0308b";  // a with a diaeresis of its own
  CHECK(add_noise(combined, kSwap, 1, kKey) == "ba\u0308");
  CHECK(add_noise(combined + "c", kDrop, 1, kKey).empty());
  CHECK(add_noise(combined, kUpper, 1, kKey) == "A\u0308B");
  const std::string mixed = repeated("Ünïcödé 漢字 щи 🚲 e\u0301! ", 20);
  for (size_t i = 0; i < kNoiseKinds; ++i) {
    for (int64_t line = 0; line < 20; ++line) {
      const std::string text = add_noise(mixed, noise_kind(i), 0.3, {.line = line});
      CHECK(find_invalid_utf8(text) == std::string::npos);
    }
  }
}

TEST_CASE("noise hits about as many as its rate says", "[noise]") {
  constexpr int kTimes = 20'000;
  const std::string letters = repeated("é", kTimes);
  const std::string words = repeated("wörd ", kTimes);
  const double rate = GENERATE(0.02, 0.1, 0.5);
  const auto share = [&](double hits) { return hits / kTimes; };
  const auto characters = [](const std::string& text) {
    return static_cast<double>(
        std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
  };
  const auto near = [&](double found) { return std::abs(found - rate) < 0.015; };
  CHECK(near(1 - share(characters(add_noise(letters, kDrop, rate, kKey)))));
  CHECK(near(share(characters(add_noise(letters, kInsert, rate, kKey))) - 1));
  CHECK(near(1 - share(characters(add_noise(words, kWordDrop, rate, kKey)) / 5)));
  CHECK(near(share(characters(add_noise(words, kPunctuationInsert, rate, kKey))) - 5));
  CHECK(
      near(1 - share(characters(add_noise(repeated("«", kTimes), kPunctuationDrop, rate, kKey)))));
  const std::string upper = add_noise(words, kUpper, rate, kKey);
  CHECK(near(share(static_cast<double>(std::ranges::count(upper, 'W')))));
  const std::string cases = add_noise(repeated("a", kTimes), kRandomCase, rate, kKey);
  CHECK(near(share(static_cast<double>(std::ranges::count(cases, 'A')))));
  // Of typos a fourth each leaves a letter less, and one more; that and another the letter itself.
  const std::string typos = add_noise(repeated("a ", kTimes), kTypos, rate, kKey);
  CHECK(std::abs(share(characters(typos)) - 2) < 0.015);
  CHECK(near(2 * (1 - share(static_cast<double>(std::ranges::count(typos, 'a'))))));
}

TEST_CASE("the noise of a line depends on seed, epoch, number and text alone", "[noise]") {
  for (size_t i = 0; i < kNoiseKinds; ++i) {
    const NoiseKind kind = noise_kind(i);
    INFO(noise_name(kind));
    const std::string text = repeated(kSentence, 5);
    const std::string first = add_noise(text, kind, 0.3, {1, 2, 3});
    CHECK(add_noise(text, kind, 0.3, {1, 2, 3}) == first);
    CHECK(add_noise(text, kind, 0.3, {2, 2, 3}) != first);
    CHECK(add_noise(text, kind, 0.3, {1, 3, 3}) != first);
    CHECK(add_noise(text, kind, 0.3, {1, 2, 4}) != first);
  }
}

TEST_CASE("noise of several kinds comes to a share of the lines", "[noise]") {
  NoiseOptions options;
  CHECK_FALSE(options.any());
  options.rate(kLower) = 1;
  options.rate(kPunctuationDrop) = 1;
  CHECK(options.any());
  options.probability = 0.25;
  int hit = 0;
  for (int64_t line = 0; line < 2000; ++line) {
    const std::string text = add_noise("A, b.", options, {.line = line});
    if (text == "A, b.") continue;
    CHECK(text == "a b");
    ++hit;
  }
  CHECK(std::abs(hit / 2000.0 - 0.25) < 0.04);
  options.probability = 0;
  CHECK_FALSE(options.any());
  CHECK(add_noise("A, b.", options, kKey) == "A, b.");
}

}  // namespace
}  // namespace calque
