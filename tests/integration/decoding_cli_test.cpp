// What translate and score can do beside one translation a line, through the real binary.
#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/file.h"
#include "support/catch.h"
#include "support/own_engine_scope.h"
#include "support/run_contents.h"
#include "support/running_binary.h"
#include "support/trained_corpus.h"

using calque::read_file;
using calque::read_lines;
using calque::write_file_atomically;
using calque::test::check_usage_errors;
using calque::test::checkpoint_folder;
using calque::test::kTrainedSteps;
using calque::test::lines_of;
using calque::test::listing;
using calque::test::run_binary;
using calque::test::RunningBinary;
using calque::test::RunResult;
using calque::test::set;
using calque::test::tiny_sentences;
using calque::test::TinyCorpus;
using calque::test::trained_corpus;
using calque::test::translate;
using nlohmann::json;

namespace {

std::vector<std::string> split_lines(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// The objects of JSON lines.
std::vector<json> json_lines(const std::string& text) {
  std::vector<json> objects;
  for (const std::string& line : split_lines(text)) objects.push_back(json::parse(line));
  return objects;
}

/// A pseudo terminal that somebody types at.
class Terminal {
 public:
  Terminal() : keyboard_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    REQUIRE(keyboard_ >= 0);
    REQUIRE(grantpt(keyboard_) == 0);
    REQUIRE(unlockpt(keyboard_) == 0);
  }
  ~Terminal() { close(keyboard_); }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  std::string path() const { return ptsname(keyboard_); }
  void type(const std::string& text) const {
    REQUIRE(write(keyboard_, text.data(), text.size()) == std::ssize(text));
  }

 private:
  int keyboard_;
};

std::string some_text() {
  std::vector<std::string> sentences = tiny_sentences(12, 3);
  sentences.insert(sentences.begin() + 4, "");
  return lines_of(sentences);
}

}  // namespace

TEST_CASE("n-best lists have the best translation first, in text and in JSON",
          "[train][translate]") {
  const std::string model = trained_corpus().path("run");
  const std::string text = some_text();
  const std::vector<std::string> best = split_lines(translate(model, text, {"--beam", "5"}));
  const std::vector<std::string> plain =
      split_lines(translate(model, text, {"--beam", "5", "--n-best", "3"}));
  const auto objects = json_lines(translate(
      model, text, {"--beam", "5", "--n-best", "3", "--format", "json", "--token-scores"}));
  REQUIRE(best.size() == 13);
  REQUIRE(objects.size() == 13);
  size_t next = 0;
  for (size_t i = 0; i < objects.size(); ++i) {
    CHECK(objects[i]["line"] == i + 1);
    const json& hypotheses = objects[i]["hypotheses"];
    CHECK(hypotheses[0]["text"] == best[i]);
    REQUIRE(hypotheses.size() == (best[i].empty() ? 1 : 3));
    double score = 0;
    for (const json& h : hypotheses) {
      CHECK(h["score"].get<double>() <= score);
      score = h["score"];
      const double log_probability = h["log_probability"];
      const auto length = h["length"].get<size_t>();
      CHECK(h["tokens"].size() == length);
      CHECK(h["token_log_probabilities"].size() == length);
      double sum = 0;
      for (const double token : h["token_log_probabilities"]) sum += token;
      CHECK(sum == Approx(log_probability).epsilon(1e-5));
      if (length > 0) {
        CHECK(h["tokens"].back() == "</s>");
        CHECK(score == Approx(log_probability / static_cast<double>(length)));
      }
      CHECK(plain.at(next++) ==
            fmt::format("{} ||| {} ||| log_probability= {:.6f} length= {} ||| {:.6f}", i,
                        h["text"].get<std::string>(), log_probability, length, score));
    }
  }
  CHECK(next == plain.size());
}

TEST_CASE("neither batch nor threads change a bit of what is written", "[train][translate]") {
  const calque::test::OwnEngineScope engine;
  const TinyCorpus& corpus = trained_corpus();
  const std::string model = corpus.path("run");
  const std::string text = some_text();
  const std::string prefix = corpus.path("prefix");
  write_file_atomically(prefix, lines_of(std::vector<std::string>(13, "ba")));
  const std::vector<std::string> json_of_all{"--format", "json", "--token-scores", "--alignment",
                                             "soft"};
  for (const std::vector<std::string>& feature : std::vector<std::vector<std::string>>{
           {"--n-best", "4", "--beam", "4"},
           {"--n-best", "2", "--sample", "--top-k", "9", "--top-p", "0.9", "--temperature", "2"},
           {"--prefix", prefix, "--no-repeat-ngram", "1", "--min-length", "5"},
           {"--model", checkpoint_folder(corpus / "run", 150), "--beam", "3"},
           {"--max-source-length", "4", "--long-lines", "split", "--max-length", "3"}}) {
    const auto output = [&](std::vector<std::string> how) {
      how.insert(how.end(), feature.begin(), feature.end());
      how.insert(how.end(), json_of_all.begin(), json_of_all.end());
      return translate(model, text, how);
    };
    const std::string one = output({"--threads", "1", "--line-buffered"});
    CHECK(output({"--threads", "1", "--batch-tokens", "1"}) == one);
    CHECK(output({"--threads", "2", "--batch-tokens", "60"}) == one);
    CHECK(output({"--threads", "3"}) == one);
  }
}

TEST_CASE("score finds translations as likely as translate does", "[train][translate]") {
  const calque::test::OwnEngineScope engine;
  const TinyCorpus& corpus = trained_corpus();
  const std::string model = corpus.path("run");
  const std::string text = lines_of(tiny_sentences(12, 3));
  write_file_atomically(corpus / "text", text);
  const std::string output = corpus.path("output");
  write_file_atomically(output, translate(model, text));
  const auto found = json_lines(translate(model, text, {"--format", "json"}));
  const auto score = [&](std::vector<std::string> more) {
    more.insert(more.begin(),
                {"score", "--model", model, "--source", corpus.path("text"), "--target", output});
    RunResult result = run_binary(more);
    INFO(result.err);
    CHECK(result.exit_code == 0);
    return result;
  };
  const RunResult plain = score({});
  const auto scores = json_lines(score({"--json", "--threads", "1", "--batch-tokens", "1"}).out);
  CHECK(json_lines(score({"--json", "--threads", "3"}).out) == scores);
  REQUIRE(scores.size() == found.size());
  double total = 0;
  int64_t tokens = 0;
  int same_pieces = 0;
  std::string expected;
  for (size_t i = 0; i < scores.size(); ++i) {
    const json& best = found[i]["hypotheses"][0];
    const double log_probability = scores[i]["log_probability"];
    const int64_t length = scores[i]["length"];
    CHECK(scores[i]["line"] == i + 1);
    // Else the search put the text together from other pieces.
    if (log_probability == Approx(best["log_probability"].get<double>()).epsilon(1e-4)) {
      CHECK(best["length"] == length);
      ++same_pieces;
    }
    const double perplexity = std::exp(-log_probability / static_cast<double>(length));
    CHECK(scores[i]["perplexity"].get<double>() == Approx(perplexity));
    expected += fmt::format("{:.6f}\t{}\t{:.4f}\n", log_probability, length,
                            scores[i]["perplexity"].get<double>());
    total += log_probability;
    tokens += length;
  }
  CHECK(same_pieces >= 10);
  CHECK(plain.out == expected);
  CHECK_THAT(plain.err, ContainsSubstring(fmt::format("12 sentences, {} tokens: ", tokens)));
  const json summary = json::parse(score({"--summary", "--json"}).out);
  CHECK(summary["sentences"] == 12);
  CHECK(summary["length"] == tokens);
  CHECK(summary["log_probability"].get<double>() == Approx(total));
  CHECK_THAT(score({"--summary"}).out, ContainsSubstring(fmt::format("\ntokens {}\n", tokens)));
}

TEST_CASE("score adds its number to an n-best list", "[train][translate]") {
  const TinyCorpus& corpus = trained_corpus();
  const std::string model = corpus.path("run");
  const std::string text = lines_of(tiny_sentences(4, 3));
  write_file_atomically(corpus / "source", text);
  const std::string list = corpus.path("list");
  const auto score = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all{
        "score", "--model", model, "--source", corpus.path("source"), "--target", list, "--n-best"};
    all.insert(all.end(), more.begin(), more.end());
    return run_binary(all);
  };
  write_file_atomically(list, translate(model, text, {"--n-best", "2", "--alignment", "hard"}));
  const std::vector<std::string> before = read_lines(list);
  const std::vector<std::string> after = split_lines(score({"--feature", "other"}).out);
  const auto objects = json_lines(score({"--json"}).out);
  REQUIRE(after.size() == 8);
  REQUIRE(objects.size() == 8);
  for (size_t i = 0; i < after.size(); ++i) {
    CHECK(objects[i]["index"] == i / 2);
    std::string expected = before[i];
    const size_t length = expected.find(" |||", expected.find("length= "));
    expected.insert(length,
                    fmt::format(" other= {:.6f}", objects[i]["log_probability"].get<double>()));
    CHECK(after[i] == expected);
  }

  write_file_atomically(list, "0 ||| ba di\n2 ||| ba ||| f= 1\n0 ||| ba di |||\n");
  const std::vector<std::string> bare = split_lines(score({}).out);
  CHECK_THAT(bare.at(0), Catch::Matchers::StartsWith("0 ||| ba di ||| calque= -"));
  CHECK_THAT(bare.at(1), Catch::Matchers::StartsWith("2 ||| ba ||| f= 1 calque= -"));
  CHECK(bare.at(2) == bare.at(0));
  for (const auto& [line, message] : std::vector<std::pair<std::string, std::string>>{
           {"ba di", ":1: expected INDEX ||| TEXT ||| ..., found no number: ba di"},
           {"4 ||| ba", ":1: the index 4 is beyond the source, which has 4 lines; it counts from"},
           {"-1 ||| ba", ":1: expected INDEX"},
           {"0 ||| ba ||| calque= 1",
            ":1: there is a feature calque already; give --feature another name"},
           {"", " is empty: there is nothing to score"}}) {
    write_file_atomically(list, line.empty() ? "" : line + "\n");
    const RunResult refused = score({});
    CHECK(refused.exit_code == 2);
    CHECK_THAT(refused.err, ContainsSubstring(list + message));
  }
}

TEST_CASE("score names the side of a line that it cuts, once", "[train][translate]") {
  const TinyCorpus& corpus = trained_corpus();
  std::string endless;
  for (int i = 0; i < 5000; ++i) endless += "ba ";
  const std::string source = corpus.path("long_source");
  const std::string target = corpus.path("long_target");
  write_file_atomically(source, "ba\n" + endless + "\n");
  const auto warnings = [&](const std::string& lines, const std::vector<std::string>& more) {
    write_file_atomically(target, lines);
    std::vector<std::string> all{"score",    "--model", corpus.path("run"), "--source", source,
                                 "--target", target,    "--quiet"};
    all.insert(all.end(), more.begin(), more.end());
    return run_binary(all).err;
  };
  const std::string both = warnings(endless + "\nba\n", {});
  CHECK_THAT(both, ContainsSubstring("warning: " + source + ":2 has "));
  CHECK_THAT(both, ContainsSubstring("warning: " + target + ":1 has "));
  CHECK_THAT(both, ContainsSubstring("are scored, with the end as many as validation.max_length "
                                     "allows; split it into sentences"));
  const std::string list = warnings("1 ||| ba\n0 ||| ba\n1 ||| di\n", {"--n-best"});
  CHECK_THAT(list, ContainsSubstring("warning: " + source + ":2 has "));
  CHECK(std::ranges::count(list, '\n') == 1);
}

TEST_CASE("constraints are kept", "[train][translate]") {
  const TinyCorpus& corpus = trained_corpus();
  const std::string model = corpus.path("run");
  const std::string text = lines_of(tiny_sentences(5, 3));
  const auto lengths = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--format", "json", "--n-best", "2"});
    std::vector<int64_t> all;
    for (const json& line : json_lines(translate(model, text, more))) {
      for (const json& h : line["hypotheses"]) all.push_back(h["length"]);
    }
    return all;
  };
  CHECK(std::ranges::min(lengths({"--min-length", "16"})) >= 16);
  CHECK(std::ranges::max(lengths({"--max-length", "3"})) <= 3);
  CHECK(std::ranges::max(lengths({"--min-length", "16", "--max-length", "3"})) == 3);

  const std::string prefix = corpus.path("prefixes");
  write_file_atomically(prefix, "ba\n\nko di\nba\n\n");
  const auto free = split_lines(translate(model, text));
  const auto forced = split_lines(translate(model, text, {"--prefix", prefix}));
  REQUIRE(forced.size() == 5);
  CHECK(forced[0].starts_with("ba"));
  CHECK(forced[1] == free[1]);
  CHECK(forced[2].starts_with("ko di"));
  CHECK(forced[3].starts_with("ba"));
  CHECK(forced[4] == free[4]);

  for (const auto& [lines, message] : std::vector<std::pair<std::string, std::string>>{
           {"ba\n", " has fewer lines than the text: it must have one for each"},
           {"ba\n\n\n\n\n\n", " has more lines than the text"}}) {
    write_file_atomically(prefix, lines);
    const RunResult refused = run_binary({"translate", "--model", model, "--prefix", prefix}, text);
    CHECK(refused.exit_code == 2);
    CHECK_THAT(refused.err, ContainsSubstring("--prefix " + prefix + message));
    // Two files are compared before a model is opened.
    write_file_atomically(corpus / "prefixed", text);
    const RunResult at_once = run_binary({"translate", "--model", "/nowhere", "--prefix", prefix,
                                          "--input", corpus.path("prefixed")});
    CHECK(at_once.exit_code == 2);
    CHECK_THAT(at_once.err, ContainsSubstring("--prefix " + prefix + message));
  }
}

TEST_CASE("alignments are written behind the translations", "[train][translate]") {
  const std::string model = trained_corpus().path("run");
  const std::string text = some_text();
  const auto best = split_lines(translate(model, text));
  const auto hard = split_lines(translate(model, text, {"--alignment", "hard"}));
  const auto soft = split_lines(translate(model, text, {"--alignment", "soft"}));
  const auto objects =
      json_lines(translate(model, text, {"--alignment", "hard", "--format", "json"}));
  for (size_t i = 0; i < best.size(); ++i) {
    std::string links;
    for (const json& link : objects[i]["hypotheses"][0]["alignment"]) {
      links +=
          fmt::format("{}{}-{}", links.empty() ? "" : " ", link[0].get<int>(), link[1].get<int>());
    }
    CHECK(hard[i] == best[i] + " ||| " + links);
    CHECK(soft[i].starts_with(best[i] + " ||| "));
    std::istringstream words(best[i]);
    const auto count = std::distance(std::istream_iterator<std::string>(words), {});
    CHECK(std::ranges::count(links, '-') == count);
  }
}

TEST_CASE("an ensemble needs models of one vocabulary", "[train][translate]") {
  const TinyCorpus& corpus = trained_corpus();
  const std::string model = corpus.path("run");
  const std::string text = lines_of(tiny_sentences(5, 3));
  const std::string alone = translate(model, text);
  CHECK(translate(model, text, {"--model", model}) == alone);
  CHECK(translate(model, text,
                  {"--model", checkpoint_folder(corpus / "run", 150), "--ensemble-weights",
                   "1e9,1"}) == alone);

  const TinyCorpus other;
  REQUIRE(
      run_binary(other.train("run", set({"train.max_steps=1", "vocabulary.size=58"}))).exit_code ==
      0);
  const RunResult refused =
      run_binary({"translate", "--model", model, "--model", other.path("run")}, text);
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.err,
             ContainsSubstring(" cannot translate together: their source vocabularies differ (one "
                               "has 60 pieces, the other 58)"));
}

TEST_CASE("options for decoding that do not go together are refused", "[train][translate]") {
  const std::string model = trained_corpus().path("run");
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"translate", "--model", model});
    return more;
  };
  check_usage_errors({
      {with({"--n-best", "9", "--quiet"}),
       "--n-best 9: a search of beam 2 finds 2 translations; give --beam 9 too"},
      {with({"--token-scores"}), "--token-scores needs --format json"},
      {with({"--sample", "--beam", "3"}), "--beam is for the search, which --sample replaces"},
      {with({"--top-k", "3"}), "--top-k requires --sample"},
      {with({"--sample", "--top-p", "1.5"}), "--top-p: expected a number"},
      {with({"--alignment", "hard", "--alignment-layer", "2", "--quiet"}),
       "--alignment-layer: expected one of the decoder's layers 1 to 1, found 2"},
      {with({"--alignment", "hard", "--alignment-heads", "1,3", "--quiet"}),
       "--alignment-heads: expected some of the decoder's heads 1 to 2, found 3"},
      {with({"--alignment-layer", "1"}), "--alignment-layer requires --alignment"},
      {with({"--alignment-heads", "1"}), "--alignment-heads requires --alignment"},
      {with({"--alignment", "hard", "--alignment-heads", "1,b"}),
       "--alignment-heads: expected an integer, 1 or more, or several with commas between them, "
       "found 1,b"},
      {with({"--ensemble-weights", "1,2", "--quiet"}),
       "--ensemble-weights: expected 1 number, one for each --model, found 2"},
      {with({"--ensemble-weights", "2,0"}),
       "--ensemble-weights: expected a number above 0, or several with commas between them, found "
       "2,0"},
      {with({"--ensemble-weights", "1,"}), "found 1,"},
      {with({"--ensemble-weights", ""}), "found nothing"},
      {{"score", "--model", model, "--source", "-", "--target", "-"},
       "standard input (-) can be read once only"},
      {{"score", "--model", model, "--source", "-", "--target", "-", "--n-best"},
       "--source and --target cannot both be standard input"},
      {{"score", "--model", model, "--source", "a", "--target", "b", "--feature", "f"},
       "--feature requires --n-best"},
      {{"score", "--model", model, "--source", "a", "--target", "b", "--n-best", "--feature", "a="},
       "--feature: expected a name without spaces, = and |, found a="},
      {with({"--prefix", "-"}), "--prefix and --input cannot both be standard input"},
      {with({"--unknown", "maybe"}), "--unknown: expected one of allow, forbid, found maybe"},
  });
}

TEST_CASE("Ctrl-C while typing keeps the lines that were translated", "[train][translate]") {
  const TinyCorpus& corpus = trained_corpus();
  const Terminal terminal;
  const calque::test::TemporaryFolder folder;
  const std::string output = folder / "out";
  const int signal = GENERATE(SIGINT, SIGTERM);
  RunningBinary binary({"translate", "--model", corpus.path("run"), "--output", output}, {},
                       terminal.path());
  REQUIRE(binary.wait_for("type a line to have it translated"));
  terminal.type("ba di\n");
  while (binary.is_running() && read_file(output).empty()) usleep(1000);
  binary.send(signal);
  const RunResult result = binary.wait();
  INFO(result.err);
  CHECK(result.exit_code == 128 + signal);
  CHECK(read_file(output) == translate(corpus.path("run"), "ba di\n"));
  CHECK(listing(folder.path()) == std::vector<std::string>{"out"});
}

TEST_CASE("Ctrl-C while waiting for a pipe leaves no part of a file", "[train][translate]") {
  const TinyCorpus& corpus = trained_corpus();
  const calque::test::TemporaryFolder folder;
  const std::string pipe = folder / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  RunningBinary binary({"translate", "--model", corpus.path("run"), "--output", folder / "out"}, {},
                       pipe);
  REQUIRE(binary.wait_for("using "));
  binary.send(SIGINT);
  CHECK(binary.wait().exit_code == 128 + SIGINT);
  CHECK(listing(folder.path()) == std::vector<std::string>{"pipe"});
}
