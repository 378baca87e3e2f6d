#include <string>

#include "base/file.h"
#include "support/catch.h"

using calque::find_invalid_utf8;

TEST_CASE("well-formed UTF-8 has no invalid byte", "[base]") {
  const std::string samples[] = {"",
                                 "plain ASCII, longer than eight bytes",
                                 std::string("nul\0byte", 8),
                                 "\x7f",
                                 "\xC2\x80",
                                 "\xDF\xBF",
                                 "\xE0\xA0\x80",
                                 "\xED\x9F\xBF",
                                 "\xEE\x80\x80",
                                 "\xEF\xBF\xBF",
                                 "\xF0\x90\x80\x80",
                                 "\xF4\x8F\xBF\xBF",
                                 "Grüße, 你好, 🙂"};
  for (const std::string& sample : samples) CHECK(find_invalid_utf8(sample) == std::string::npos);
}

TEST_CASE("the first invalid byte of UTF-8 is found", "[base]") {
  const std::string invalid[] = {"\x80",  // continuation without a lead
                                 "\xC0\xAF",
                                 "\xC1\xBF",  // overlong, two bytes
                                 "\xE0\x80\x80",
                                 "\xE0\x9F\xBF",  // overlong, three bytes
                                 "\xF0\x80\x80\x80",
                                 "\xF0\x8F\xBF\xBF",  // overlong, four bytes
                                 "\xED\xA0\x80",
                                 "\xED\xBF\xBF",  // surrogates
                                 "\xF4\x90\x80\x80",
                                 "\xF5\x80\x80\x80",  // beyond U+10FFFF
                                 "\xFE",
                                 "\xFF",  // never occur
                                 "\xC3",
                                 "\xE2\x82",
                                 "\xF0\x9F\x99",  // cut at the end
                                 "\xC3(",
                                 "\xE2(\xA1",
                                 "\xE2\x82(",
                                 "\xF0\x9F\x99("};  // a wrong continuation
  for (const std::string& bytes : invalid) {
    CHECK(find_invalid_utf8(bytes) == 0);
    const std::string before = "0123456789ä";
    CHECK(find_invalid_utf8(before + bytes + " after") == before.size());
  }
}
