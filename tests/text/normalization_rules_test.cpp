#include "text/normalization_rules.h"

#include "support/catch.h"
#include "support/sentencepiece_message.h"

namespace calque {
namespace {

using test::make_rules;

constexpr uint32_t kBlock = 256;
constexpr uint32_t kEndsKey = 1 << 8;
constexpr uint32_t kUnused = 0x8000'0000U;  // goes on from nowhere: its label is no byte

/// A unit for `byte` that goes on at `offset` from itself, by exclusive-or.
uint32_t unit(uint32_t byte, uint32_t offset) { return byte | offset << 10; }
uint32_t value(uint32_t text) { return text | kUnused; }

/// The trie of one key, "a": the root goes on in the second block, "a" in the third.
std::vector<uint32_t> one_key() {
  std::vector<uint32_t> units(3 * kBlock, kUnused);
  constexpr uint32_t kPlace = kBlock ^ 'a';
  units[0] = unit(0, kBlock);
  units[kPlace] = unit('a', kPlace ^ (2 * kBlock)) | kEndsKey;
  units[2 * kBlock] = value(0);
  return units;
}

/// The same with one unit changed.
std::vector<uint32_t> one_key_but(uint32_t place, uint32_t bits) {
  std::vector<uint32_t> units = one_key();
  units[place] = bits;
  return units;
}

const std::string kTexts("b\0", 2);

TEST_CASE("sound normalization rules are let through", "[text]") {
  CHECK(!find_broken_rules(""));
  CHECK(!find_broken_rules(make_rules(one_key(), kTexts)));
  CHECK(!find_broken_rules(make_rules(one_key(), std::string(256, 'b') + '\0')));
}

TEST_CASE("normalization rules that lead outside themselves are found", "[text]") {
  constexpr uint32_t kPlace = kBlock ^ 'a';
  const std::string cut = make_rules(one_key(), kTexts);
  CHECK(find_broken_rules(cut.substr(0, 3)) == "they are too short");
  CHECK(find_broken_rules(cut.substr(0, 2000)) == "their length is wrong");
  const std::vector<std::string> broken = {
      make_rules({}, kTexts),
      make_rules({unit(0, 0)}, kTexts),
      make_rules(one_key_but(0, unit(0, 3 * kBlock)), kTexts),
      make_rules(one_key_but(0, unit(0, 1 << 20)), kTexts),
      make_rules(one_key_but(0, 0xFFFF'FF00U), kTexts),
      make_rules(one_key_but(kPlace, unit('a', 1 << 20)), kTexts),
      make_rules(one_key_but(kPlace, unit('a', 'a')), kTexts),  // round and round
      make_rules(one_key_but(2 * kBlock, value(2)), kTexts),
      make_rules(one_key_but(2 * kBlock, value(0x7FFF'FFFF)), kTexts),
      make_rules(one_key(), ""),
      make_rules(one_key(), "no end"),
      make_rules(one_key(), std::string(257, 'b') + '\0'),
  };
  for (size_t i = 0; i < broken.size(); ++i) {
    INFO("case " << i);
    CHECK(find_broken_rules(broken[i]) == "they lead outside themselves");
  }
}

TEST_CASE("keys of normalization rules may have 32 bytes", "[text]") {
  const auto chain = [](uint32_t bytes) {  // a block for each byte "a" of the key
    std::vector<uint32_t> units((bytes + 2) * kBlock, kUnused);
    units[0] = unit(0, kBlock);
    for (uint32_t i = 1; i <= bytes; ++i) {
      const uint32_t place = i * kBlock ^ 'a';
      units[place] = unit('a', place ^ ((i + 1) * kBlock));
    }
    return make_rules(units, kTexts);
  };
  CHECK(!find_broken_rules(chain(32)));
  CHECK(find_broken_rules(chain(33)));
}

}  // namespace
}  // namespace calque
