#include "base/file.h"
#include "base/temporary_folder.h"
#include "support/catch.h"
#include "support/run_binary.h"

using calque::write_file_atomically;
using calque::test::run_binary;
using calque::test::RunResult;
using calque::test::TemporaryFolder;

namespace {

const std::string kHypothesis = "The cat sat on the mat.\nHello, world!\nA dog runs in the park.\n";
const std::string kReference =
    "The cat sat on the mat.\nHello world!\nA dog is running in the park.\n";

}  // namespace

TEST_CASE("bleu prints sacreBLEU's number and the signature", "[cli]") {
  const TemporaryFolder folder;
  const std::string reference = folder / "reference";
  const std::string hypothesis = folder / "hypothesis";
  write_file_atomically(reference, kReference);
  write_file_atomically(hypothesis, kHypothesis);

  const RunResult same = run_binary({"bleu", reference, reference});
  CHECK(same.exit_code == 0);
  CHECK(same.err.empty());
  CHECK_THAT(same.out, ContainsSubstring("BLEU = 100.00 100.0/100.0/100.0/100.0 (BP = 1.000"));
  CHECK_THAT(same.out, ContainsSubstring("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp"));

  const RunResult other = run_binary({"bleu", hypothesis, reference});
  CHECK_THAT(
      other.out,
      ContainsSubstring(
          "BLEU = 67.80 88.9/73.3/58.3/55.6 (BP = 1.000 ratio = 1.000 hyp_len = 18 ref_len = 18)"));
  const RunResult from_input = run_binary({"bleu", "--score-only", "-", reference}, kHypothesis);
  CHECK(from_input.out == "67.80\n");
  const RunResult words = run_binary({"bleu", "--tokenize", "none", hypothesis, reference});
  CHECK_THAT(words.out, ContainsSubstring("BLEU = 61.86 85.7/72.7/62.5/50.0 (BP = 0.931"));
  CHECK_THAT(words.out, ContainsSubstring("|tok:none|"));
  const RunResult two = run_binary({"bleu", hypothesis, reference, hypothesis});
  CHECK_THAT(two.out, ContainsSubstring("BLEU = 100.00"));
  CHECK_THAT(two.out, ContainsSubstring("nrefs:2|"));
}

TEST_CASE("bleu refuses files that do not go together, naming them", "[cli]") {
  const TemporaryFolder folder;
  const std::string three = folder / "three";
  const std::string two = folder / "two";
  const std::string none = folder / "none";
  const std::string latin = folder / "latin";
  write_file_atomically(three, "a\nb\nc\n");
  write_file_atomically(two, "a\nb\n");
  write_file_atomically(none, "");
  write_file_atomically(latin, "a\nb\nc\xe4\n");

  const RunResult unequal = run_binary({"bleu", three, two});
  CHECK(unequal.exit_code == 2);
  CHECK(unequal.out.empty());
  CHECK_THAT(unequal.err, ContainsSubstring(three + " has 3 lines but " + two + " has 2"));

  const RunResult empty = run_binary({"bleu", none, none});
  CHECK(empty.exit_code == 2);
  CHECK_THAT(empty.err, ContainsSubstring(none + " is empty"));

  const RunResult missing = run_binary({"bleu", folder / "missing", three});
  CHECK(missing.exit_code == 2);
  CHECK_THAT(missing.err, ContainsSubstring((folder / "missing").string()));
  CHECK_THAT(missing.err, ContainsSubstring("No such file"));

  const RunResult invalid = run_binary({"bleu", latin, three});
  CHECK(invalid.exit_code == 2);
  CHECK_THAT(invalid.err, ContainsSubstring(latin + ":3: byte 2"));
}
