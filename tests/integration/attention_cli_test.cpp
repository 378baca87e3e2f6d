// What `calque attention` shows of a trained model, through the real binary.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "support/catch.h"
#include "support/run_contents.h"
#include "support/tiny_corpus.h"
#include "support/trained_corpus.h"

using calque::read_file;
using calque::test::check_usage_errors;
using calque::test::read_metrics;
using calque::test::run_binary;
using calque::test::RunResult;
using calque::test::set;
using calque::test::tiny_sentences;
using calque::test::TinyCorpus;
using calque::test::trained_corpus;
using calque::test::translate;
using nlohmann::json;

namespace {

RunResult attention(std::vector<std::string> more) {
  more.insert(more.begin(), {"attention", "--model", trained_corpus().path("run")});
  return run_binary(more);
}

json attention_json(std::vector<std::string> more) {
  more.push_back("--json");
  const RunResult result = attention(more);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return json::parse(result.out);
}

/// The numbers of a page, and the page without them.
struct Page {
  std::string text;
  std::string around;
  json numbers;

  explicit Page(const std::string& file) : text(read_file(file)) {
    const std::string begin = "<script type=\"application/json\" id=\"numbers\">";
    REQUIRE(text.find(begin) != std::string::npos);
    const size_t from = text.find(begin) + begin.size();
    const size_t to = text.find("</script>", from);
    numbers = json::parse(text.substr(from, to - from));
    around = text.substr(0, from) + text.substr(to);
  }
};

std::vector<double> decode(const std::string& base64) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<unsigned> bytes;
  for (size_t i = 0; i + 3 < base64.size(); i += 4) {
    unsigned bits = 0;
    for (size_t k = 0; k < 4; ++k) {
      const size_t digit = digits.find(base64[i + k]);
      bits = bits << 6 | (digit == std::string::npos ? 0u : static_cast<unsigned>(digit));
    }
    for (unsigned k = 0; k < 3; ++k) {
      if (base64[i + k + 1] != '=') bytes.push_back(bits >> (16 - 8 * k) & 255u);
    }
  }
  std::vector<double> numbers;
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    numbers.push_back(static_cast<double>(bytes[i] | bytes[i + 1] << 8) / 65535);
  }
  return numbers;
}

/// All numbers of nested lists, in order.
std::vector<double> flat(const json& lists) {
  if (!lists.is_array()) return {lists.get<double>()};
  std::vector<double> numbers;
  for (const json& list : lists) {
    const std::vector<double> inner = flat(list);
    numbers.insert(numbers.end(), inner.begin(), inner.end());
  }
  return numbers;
}

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("the JSON has all weights and figures of a pass over a pair", "[train][attention]") {
  const json report = attention_json({"--source", "ba di ku", "--target", "nu li la"});
  CHECK(report["source"]["words"] == json({"ba", "di", "ku"}));
  CHECK(report["source"]["tokens"].back() == "</s>");
  CHECK(report["target"]["translated"] == false);
  CHECK(report["target"]["inputs"][0] == "<s>");
  CHECK(report["target"]["outputs"].back() == "</s>");
  CHECK(report["target"]["log_probability"] < 0);
  REQUIRE(report["attentions"].size() == 3);
  const size_t source = report["source"]["tokens"].size();
  const size_t target = report["target"]["inputs"].size();
  CHECK(report["target"]["outputs"].size() == target);
  const std::vector<std::string> names{"encoder_self", "decoder_self", "decoder_cross"};
  for (size_t i = 0; i < 3; ++i) {
    const json& place = report["attentions"][i];
    CHECK(place["name"] == names[i]);
    CHECK(place["layers"] == 1);
    CHECK(place["heads"] == 2);
    CHECK(place["causal"] == (i == 1));
    const size_t queries = i == 0 ? source : target;
    const size_t keys = i == 1 ? target : source;
    REQUIRE(place["weights"][0].size() == 2);
    for (const json& matrix :
         {place["weights"][0][0], place["weights"][0][1], place["rollout"][0]}) {
      REQUIRE(matrix.size() == queries);
      for (const json& row : matrix) {
        REQUIRE(row.size() == keys);
        double sum = 0;
        for (const double weight : row) sum += weight;
        CHECK(sum == Approx(1).margin(1e-4));
      }
    }
    const json& figures = place["figures"][0][1];
    double bits = 0;
    for (const double w : flat(place["weights"][0][1])) bits -= w > 0 ? w * std::log2(w) : 0;
    CHECK(figures["entropy"].get<double>() ==
          Approx(bits / static_cast<double>(queries)).margin(1e-3));
    CHECK(figures["character"].is_string());
  }
  // One layer: rollout is half the mean of the heads and half the token itself.
  const json& encoder = report["attentions"][0];
  const double mean = (encoder["weights"][0][0][1][1].get<double>() +
                       encoder["weights"][0][1][1][1].get<double>()) /
                      2;
  CHECK(encoder["rollout"][0][1][1].get<double>() == Approx((mean + 1) / 2).margin(1e-5));
}

TEST_CASE("without a target the model's own translation is looked at", "[train][attention]") {
  const std::string model = trained_corpus().path("run");
  const std::string source = tiny_sentences(1, 3).front();
  const json report = attention_json({"--source", source});
  CHECK(report["target"]["translated"] == true);
  CHECK(report["target"]["text"].get<std::string>() + "\n" == translate(model, source + "\n"));
  const json found =
      json::parse(translate(model, source + "\n", {"--format", "json", "--alignment", "soft"}));
  const json& best = found["hypotheses"][0];
  CHECK(report["target"]["log_probability"].get<double>() ==
        Approx(best["log_probability"].get<double>()).epsilon(1e-4));
  const auto aligned = flat(best["alignment"]);
  const auto shown = flat(report["alignment"]["weights"]);
  REQUIRE(aligned.size() == shown.size());
  for (size_t i = 0; i < shown.size(); ++i) CHECK(shown[i] == Approx(aligned[i]).margin(1e-4));
}

TEST_CASE("the page is one file with the numbers of the JSON", "[train][attention]") {
  const std::string file = trained_corpus().path("report.html");
  const std::vector<std::string> pair{"--source", "ba di ku fe", "--target", "re nu li la"};
  std::vector<std::string> written = pair;
  written.insert(written.end(), {"--output", file});
  const RunResult result = attention(written);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(result.out.empty());
  const json expected = attention_json(pair);
  const Page page(file);
  CHECK(page.text.starts_with("<!doctype html>"));
  CHECK(page.text.ends_with("</html>\n\n"));
  CHECK(count(page.text, "</script>") == 2);
  CHECK(count(page.text, "<script") == 2);
  for (const char* outside :
       {"src=", "href=\"http", "url(", "@import", "fetch(", "<link rel=\"style", "/* style.css",
        "/* script.js", "<!-- the numbers"}) {
    CHECK_THAT(page.text, !ContainsSubstring(outside));
  }
  CHECK_THAT(page.around, ContainsSubstring("default-src 'none'"));
  CHECK_THAT(page.around, ContainsSubstring("prefers-color-scheme: dark"));
  CHECK(page.numbers["source"] == expected["source"]);
  CHECK(page.numbers["target"] == expected["target"]);
  const auto check_same = [](const json& packed, const json& lists) {
    const std::vector<double> numbers = decode(packed);
    const std::vector<double> same = flat(lists);
    REQUIRE(numbers.size() == same.size());
    for (size_t i = 0; i < same.size(); ++i) CHECK(numbers[i] == Approx(same[i]).margin(1e-5));
  };
  check_same(page.numbers["alignment"]["weights"], expected["alignment"]["weights"]);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(page.numbers["attentions"][i]["figures"] == expected["attentions"][i]["figures"]);
    check_same(page.numbers["attentions"][i]["weights"], expected["attentions"][i]["weights"]);
    check_same(page.numbers["attentions"][i]["rollout"], expected["attentions"][i]["rollout"]);
  }
}

TEST_CASE("the alignment has the words that the model reads", "[train][attention]") {
  std::string too_long;
  for (int i = 0; i < 2000; ++i) too_long += "la ";
  // An unknown character inside a word is a word by itself.
  for (const std::string& target : {std::string("l\xe2\x98\x83" "a la"), too_long}) {
    const json report = attention_json({"--source", "ba di", "--target", target});
    CHECK(report["target"]["words"].size() == report["alignment"]["weights"].size());
    CHECK(attention({"--source", "ba di", "--target", target, "--terminal"}).exit_code == 0);
  }
}

TEST_CASE("hostile text stays text in the page and on the terminal", "[train][attention]") {
  const std::string hostile =
      "</script><script>alert(1)</script> <!-- \"' & \\ \x1b[31m \xe2\x80\xa8 \xf0\x9f\x98\x80";
  const std::string file = trained_corpus().path("hostile.html");
  const RunResult result =
      attention({"--source", hostile, "--target", hostile, "--output", file, "--terminal"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const Page page(file);
  CHECK(page.numbers["source"]["text"] == hostile);
  CHECK(page.numbers["target"]["text"] == hostile);
  CHECK(count(page.text, "</script>") == 2);
  CHECK_THAT(page.text, !ContainsSubstring("alert(1)</"));
  CHECK_THAT(result.out, ContainsSubstring("</script><script>alert(1)</script>"));
  CHECK_THAT(result.out, !ContainsSubstring("\x1b"));
}

TEST_CASE("the quick look has every head and the alignment, plain where it is no terminal",
          "[train][attention]") {
  const RunResult result = attention({"--source", "ba di ku", "--target", "nu li la"});
  CHECK(result.exit_code == 0);
  for (const char* part :
       {"source  ba di ku\n", "target  nu li la\n        as given, log-probability -",
        "\nEncoder self-attention\n  layer  head 1", "\nDecoder self-attention\n",
        "\nCross-attention\n", "\nAlignment: ", "decoder layer 1 ", "\n       ba   di   ku"}) {
    CHECK_THAT(result.out, ContainsSubstring(part));
  }
  CHECK_THAT(result.out, !ContainsSubstring("\x1b"));
  CHECK(attention({"--source", "ba di ku", "--target", "nu li la", "--terminal"}).out ==
        result.out);
  const RunResult empty = attention({"--source", "ba", "--target", ""});
  CHECK(empty.exit_code == 0);
  CHECK_THAT(empty.out, ContainsSubstring("Cross-attention"));
}

TEST_CASE("faithfulness measures a corpus, the same each time", "[train][attention]") {
  const TinyCorpus& corpus = trained_corpus();
  const std::vector<std::string> files{"--faithfulness", "--source",
                                       corpus.path("validation.source"), "--reference",
                                       corpus.path("validation.target")};
  const RunResult table = attention(files);
  INFO(table.err);
  REQUIRE(table.exit_code == 0);
  for (const char* part : {"word taken out", "\nmost attended ", "\nlargest gradient ", "\nrandom ",
                           " ± ", "choose the same word in ", "\n20 sentences, "}) {
    CHECK_THAT(table.out, ContainsSubstring(part));
  }
  CHECK_THAT(table.err, ContainsSubstring("taking words out"));
  std::vector<std::string> more = files;
  more.insert(more.end(), {"--threads", "2"});
  CHECK(attention(more).out == table.out);

  const json figures = attention_json(files);
  CHECK(figures["sentences"] == 20);
  CHECK(figures["left_out"] == 0);
  REQUIRE(figures["removed"].size() == 3);
  CHECK(figures["removed"][2]["word"] == "random");
  for (const json& row : figures["removed"]) {
    // Every word of this language has its own translation: without it, that is not to be guessed.
    CHECK(row["fall"] > 0);
    CHECK(row["fall_standard_error"] > 0);
  }
  more = files;
  more.insert(more.end(), {"--seed", "2"});
  const json other = attention_json(more);
  CHECK(other["removed"][0]["fall"] == figures["removed"][0]["fall"]);
  CHECK(other["removed"][2]["fall"] != figures["removed"][2]["fall"]);

  const RunResult own =
      attention({"--faithfulness", "--source", corpus.path("validation.source"), "--json"});
  REQUIRE(own.exit_code == 0);
  CHECK(json::parse(own.out)["log_probability"] > figures["log_probability"]);
}

TEST_CASE("attention says what it cannot do", "[train][attention]") {
  const std::string model = trained_corpus().path("run");
  const std::string corpus = trained_corpus().path("validation.source");
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"attention", "--model", model, "--source"});
    return more;
  };
  check_usage_errors({
      {with({" "}), "--source: expected a sentence, found no text"},
      {with({"ba\ndi"}), "--source: expected one sentence, found a line break"},
      {with({"ba", "--target", "l\xe9"}),
       "--target: expected UTF-8, found another byte at place 2"},
      {with({"ba", "--reference", corpus}), "--reference belongs to --faithfulness"},
      {with({corpus, "--faithfulness", "--target", "la"}), "--target is a sentence"},
      {with({corpus, "--faithfulness", "--terminal"}), "--faithfulness prints a table"},
      {with({"ba", "--json", "--terminal"}), "choose one"},
      {with({"ba", "--output", "-"}), "--output: expected the name of a file"},
      {with({"ba", "--output", "/nowhere/report.html"}), "there is no folder /nowhere"},
      {with({corpus, "--faithfulness", "--reference", trained_corpus().path("train.target")}),
       "has 20 lines but "},
      {with({"ba", "--seed", "2"}), "--seed requires --faithfulness"},
  });
}

TEST_CASE("validations log attention when asked, and measure nothing else by it",
          "[train][attention]") {
  const TinyCorpus corpus;
  const auto train = [&](const std::string& run, const std::vector<std::string>& values) {
    const RunResult result = run_binary(corpus.train(run, set(values)));
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    std::vector<json> validations;
    for (const json& line : read_metrics(corpus / run)) {
      if (line.contains("validation_loss")) validations.push_back(line);
    }
    return validations;
  };
  const auto plain = train("plain", {"train.max_steps=20"});
  const auto logged = train("logged", {"train.max_steps=20", "train.log_attention=true"});
  REQUIRE(plain.size() == 2);
  REQUIRE(logged.size() == 2);
  for (size_t i = 0; i < 2; ++i) {
    CHECK(!plain[i].contains("attention_entropy"));
    json rest = logged[i];
    for (const char* place : {"encoder_self", "decoder_self", "decoder_cross"}) {
      const json& layers = rest["attention_entropy"][place];
      REQUIRE(layers.size() == 1);
      REQUIRE(layers[0].size() == 2);
      for (const double bits : layers[0]) CHECK((bits > 0 && bits < 5));
    }
    CHECK(rest["alignment_sharpness"] > 0);
    CHECK(rest["alignment_sharpness"] < 1);
    rest.erase("attention_entropy");
    rest.erase("alignment_sharpness");
    CHECK(rest == plain[i]);
  }
  // A run may be resumed with another setting.
  const auto more = train("plain", {"train.max_steps=30", "train.log_attention=true"});
  REQUIRE(more.size() == 3);
  CHECK(more[2].contains("alignment_sharpness"));
}
