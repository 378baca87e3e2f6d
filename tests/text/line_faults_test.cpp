#include "text/line_faults.h"

#include "support/catch.h"

namespace calque {
namespace {

struct Case {
  std::string line;
  Fault fault;
  size_t byte;         // where it begins
  std::string mended;  // with everything replaced
};

LinePolicies replace_all() {
  return LinePolicies().with(FaultPolicy::kError, FaultPolicy::kReplace);
}

TEST_CASE("each fault of a line is found where it begins, and mended", "[text]") {
  const std::vector<Case> cases{
      {std::string("a\0b", 3), Fault::kNul, 1, "a b"},
      {"M\xFCll", Fault::kInvalidUtf8, 1, "M\xEF\xBF\xBDll"},
      {"ab\xE2\x82", Fault::kInvalidUtf8, 2, "ab\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xEF\xBB\xBFone", Fault::kByteOrderMark, 0, "one"},
      {"one\r", Fault::kCarriageReturn, 3, "one"},
      {"one\rtwo", Fault::kCarriageReturn, 3, "one two"},
      {"\xC3\xA9\xC2\x85x", Fault::kLineSeparator, 2, "\xC3\xA9 x"},
      {"a\xE2\x80\xA8", Fault::kLineSeparator, 1, "a "},
      {"a\xE2\x80\xA9z", Fault::kLineSeparator, 1, "a z"},
      {"a\x07z", Fault::kControlCharacter, 1, "a z"},
      {"a\x7Fz", Fault::kControlCharacter, 1, "a z"},
      {"a\xC2\x9Fz", Fault::kControlCharacter, 1, "a z"},
  };
  for (const Case& one : cases) {
    const LineFaults faults(one.line);
    INFO(words(one.fault).name << " in " << one.mended);
    CHECK(faults.any());
    CHECK(faults.byte(one.fault) == one.byte);
    for (size_t i = 0; i < kLineFaults; ++i) CHECK(faults.has(fault(i)) == (fault(i) == one.fault));
    std::string line = one.line;
    mend_line(line, replace_all());
    CHECK(line == one.mended);
    CHECK_FALSE(LineFaults(line).any());
  }
}

TEST_CASE("text without faults has none", "[text]") {
  for (const std::string line :
       {"", " ", "a\tb", "\xC2\xA0\xC3\xBC", "\xE2\x80\x99", "\xEF\xBC\x81", "\xF0\x9F\x98\x80"}) {
    INFO(line);
    CHECK_FALSE(LineFaults(line).any());
    std::string same = line;
    mend_line(same, replace_all());
    CHECK(same == line);
  }
}

TEST_CASE("only what is to be replaced is, and several faults are all found", "[text]") {
  const std::string line = "\xEF\xBB\xBF" + std::string("a\0\xFF\x01\r", 5);
  const LineFaults faults(line);
  CHECK(faults.byte(Fault::kByteOrderMark) == 0);
  CHECK(faults.byte(Fault::kNul) == 4);
  CHECK(faults.byte(Fault::kInvalidUtf8) == 5);
  CHECK(faults.byte(Fault::kControlCharacter) == 6);
  CHECK(faults.byte(Fault::kCarriageReturn) == 7);
  std::string mended = line;
  mend_line(mended, LinePolicies::only_text());
  CHECK(mended == line);
  LinePolicies policies;
  policies.control_character = FaultPolicy::kSkip;
  mend_line(mended, policies);
  CHECK(mended == std::string("a\0\xFF\x01", 4));
}

}  // namespace
}  // namespace calque
