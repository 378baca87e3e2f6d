// The commands that score files: metrics, bleu, compare.
#include <nlohmann/json.hpp>

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

TEST_CASE("metrics prints what sacreBLEU does for each metric", "[cli]") {
  const TemporaryFolder folder;
  const std::string reference = folder / "reference";
  const std::string hypothesis = folder / "hypothesis";
  write_file_atomically(reference, kReference);
  write_file_atomically(hypothesis, kHypothesis);

  const RunResult all = run_binary({"metrics", hypothesis, reference});
  INFO(all.err);
  CHECK(all.exit_code == 0);
  for (const char* line :
       {"BLEU = 67.80 88.9/73.3/58.3/55.6 (BP = 1.000 ratio = 1.000 hyp_len = 18 ref_len = 18)\n",
        "signature: BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:calque-",
        "chrF2 = 71.25\nsignature: chrF2|nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:",
        "chrF2++ = 73.74\nsignature: chrF2++|nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no|",
        "TER = 20.00\nsignature: TER|nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no|"}) {
    CHECK_THAT(all.out, ContainsSubstring(line));
  }

  const RunResult two =
      run_binary({"metrics", "--metric", "ter", "--metric", "chrf", "-b", hypothesis, reference});
  CHECK(two.out == "71.25\n20.00\n");

  const RunResult json = run_binary({"metrics", "--metric", "bleu", "--confidence", "--samples",
                                     "200", "--seed", "4", "--json", hypothesis, reference});
  INFO(json.err);
  REQUIRE(json.exit_code == 0);
  const nlohmann::json scores = nlohmann::json::parse(json.out)["metrics"];
  REQUIRE(scores.size() == 1);
  CHECK(scores[0]["hypothesis_length"] == 18);
  CHECK(scores[0]["precision_1"].get<double>() == Approx(88.9).margin(0.05));
  CHECK(scores[0]["name"] == "BLEU");
  CHECK(scores[0]["score"].get<double>() == Approx(67.8).margin(0.005));
  CHECK(scores[0]["sentences"] == 3);
  CHECK(scores[0]["confidence_half_width"] > 0);
  CHECK_THAT(scores[0]["signature"].get<std::string>(),
             ContainsSubstring("BLEU|nrefs:1|bs:200|seed:4|case:mixed|"));
}

TEST_CASE("metrics warns where the tokeniser does not suit the text", "[cli]") {
  const TemporaryFolder folder;
  const std::string tokenised = folder / "tokenised";
  const std::string chinese = folder / "chinese";
  write_file_atomically(tokenised, "A dog runs .\nTwo cats sleep .\n");
  write_file_atomically(chinese,
                        "\u4e00\u53ea\u72d7\u5728\u8dd1\n\u4e24\u53ea\u732b\u5728\u7761\n");

  const RunResult words = run_binary({"bleu", tokenised, tokenised});
  CHECK_THAT(words.err, ContainsSubstring(tokenised + ": this text looks tokenised"));
  CHECK(run_binary({"bleu", "--tokenize", "none", tokenised, tokenised}).err.empty());
  const RunResult none = run_binary({"bleu", chinese, chinese});
  CHECK_THAT(none.err, ContainsSubstring("use --tokenize zh or char"));
  CHECK(run_binary({"bleu", "--tokenize", "zh", chinese, chinese}).err.empty());
}

TEST_CASE("compare tells whether systems differ by more than chance, and where", "[cli]") {
  const TemporaryFolder folder;
  std::string reference;
  std::string good;
  std::string bad;
  for (int i = 0; i < 60; ++i) {
    const std::string number = std::to_string(i);
    reference += "The cat number " + number + " sat on the mat.\n";
    good += "The cat number " + number + (i % 9 == 0 ? " was on the mat.\n" : " sat on the mat.\n");
    bad += "The cat number " + number + (i % 2 == 0 ? " was at a mat.\n" : " sat on the mat.\n");
  }
  const auto write = [&](const std::string& name, const std::string& text) {
    write_file_atomically(folder / name, text);
    return (folder / name).string();
  };
  const std::string of_reference = write("reference", reference);
  const std::string of_good = write("good", good);
  const std::string of_bad = write("bad", bad);

  const RunResult table =
      run_binary({"compare", of_bad, of_good, of_bad, "--reference", of_reference, "--source",
                  of_reference, "--examples", "2", "--samples", "500"});
  INFO(table.out << table.err);
  REQUIRE(table.exit_code == 0);
  for (const char* part :
       {"BLEU", "chrF2 ", "chrF2++", "TER (less is better)", "baseline", "  better  ", " *\n",
        "  equal   1.0000\n", "|bs:500|seed:12345|", "line 3: chrF2 58.5 against 100.0"}) {
    CHECK_THAT(table.out, ContainsSubstring(part));
  }

  const RunResult json = run_binary(
      {"compare", of_bad, of_good, "--reference", of_reference, "--metric", "bleu", "--json"});
  REQUIRE(json.exit_code == 0);
  const nlohmann::json figures = nlohmann::json::parse(json.out);
  CHECK(figures["metrics"][0]["name"] == "BLEU");
  const nlohmann::json& systems = figures["metrics"][0]["systems"];
  REQUIRE(systems.size() == 2);
  CHECK(systems[0]["system"] == of_bad);
  CHECK(systems[1]["difference"].get<double>() ==
        Approx(systems[1]["score"].get<double>() - systems[0]["score"].get<double>()));
  CHECK(systems[1]["verdict"] == "better");
  CHECK(systems[1]["p_value"] < 0.01);
  REQUIRE(figures["sentences"].size() == 5);
  for (const nlohmann::json& sentence : figures["sentences"]) {
    CHECK(sentence["line"].get<int>() % 2 == 1);
    CHECK(sentence["chrF2"][1] > sentence["chrF2"][0]);
    REQUIRE(sentence["texts"].size() == 3);
    CHECK(sentence["texts"][1]["file"] == of_good);
  }
}

TEST_CASE("case, line ends and white space at them count as sacreBLEU has them", "[cli]") {
  const TemporaryFolder folder;
  const std::string plain = folder / "plain";
  const std::string other = folder / "other";
  write_file_atomically(plain, "the cat sat\na dog ran\n");
  write_file_atomically(other, "The cat sat\r\nA DOG ran \r\n");

  const RunResult white = run_binary({"metrics", "--metric", "CHRF,chrF++", "--chrf-white-space",
                                      "--lowercase", "-b", other, plain});
  INFO(white.err);
  CHECK(white.out == "100.00\n100.00\n");
  const RunResult compared = run_binary(
      {"compare", plain, other, "--reference", plain, "--lowercase", "--metric", "bleu", "--json"});
  INFO(compared.err);
  REQUIRE(compared.exit_code == 0);
  CHECK(nlohmann::json::parse(compared.out)["sentences"].empty());
  CHECK_THAT(compared.err, ContainsSubstring("2 sentences: too few for a test"));
}

TEST_CASE("settings of metrics that would do nothing are refused", "[cli]") {
  const TemporaryFolder folder;
  const std::string text = folder / "text";
  write_file_atomically(text, kReference);
  const auto refused = [&](std::vector<std::string> arguments, const std::string& why) {
    arguments.insert(arguments.end(), {text, text});
    const RunResult result = run_binary(arguments);
    CHECK(result.exit_code == 2);
    CHECK_THAT(result.err, ContainsSubstring(why));
  };
  refused({"metrics", "--samples", "10"}, "--confidence");
  refused({"bleu", "-b", "--json"}, "--json");
  refused({"bleu", "--smooth-value", "1"}, "--smooth-value: expected --smooth floor or add-k");
  refused({"metrics", "--metric", "blue"}, "expected one of bleu, chrf, chrf++, ter, found blue");
  refused({"metrics", "--metric", "bleu", "chrf"}, "--metric bleu --metric chrf");
  CHECK_THAT(run_binary({"bleu", "-b", "--confidence", text, text}).out,
             ContainsSubstring("100.00 (\u03bc = "));
}

TEST_CASE("a file's name that is not UTF-8 is printed as JSON", "[cli]") {
  const TemporaryFolder folder;
  const std::string text = folder / "te\xffxt";
  write_file_atomically(text, kReference);
  const RunResult result = run_binary({"compare", text, text, "--reference", text, "--json"});
  CHECK(result.exit_code == 0);
  CHECK(nlohmann::json::parse(result.out)["metrics"].size() == 4);
}
