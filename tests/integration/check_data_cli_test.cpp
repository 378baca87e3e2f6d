// `calque check-data` through the real binary: every kind of fault is found where it was planted,
// and a training counts the same.
#include <signal.h>
#include <zlib.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/file.h"
#include "base/temporary_folder.h"
#include "support/catch.h"
#include "support/run_contents.h"
#include "support/tiny_corpus.h"

using calque::read_file;
using calque::read_lines;
using calque::write_file_atomically;
using calque::test::check_usage_errors;
using calque::test::listing;
using calque::test::run_binary;
using calque::test::RunResult;
using calque::test::set;
using calque::test::tiny_sentences;
using calque::test::tiny_translation;
using calque::test::TinyCorpus;

namespace {

/// `count` sentences, each of them once.
std::vector<std::string> different_sentences(size_t count, unsigned seed) {
  std::vector<std::string> sentences;
  std::set<std::string> seen;
  for (const std::string& sentence : tiny_sentences(static_cast<int>(3 * count), seed)) {
    if (seen.insert(sentence).second && sentences.size() < count) sentences.push_back(sentence);
  }
  REQUIRE(sentences.size() == count);
  return sentences;
}

/// Text with one fault of each kind, at a known line each. Lines count from 1.
class FaultyText {
 public:
  static constexpr size_t kPairs = 400;
  static constexpr size_t kDriftBegin = 301;

  FaultyText() {
    for (const std::string& sentence : different_sentences(kPairs + 1, 5)) {
      source_.push_back(sentence);
      target_.push_back(tiny_translation(sentence));
    }
    plant();
    target_.erase(target_.begin() + kDriftBegin - 1);  // one line is missing from here on
    source_.pop_back();
    write();
  }

  std::string path(const std::string& name) const { return corpus_.path(name); }
  std::string source(size_t line) const { return place("train.source", line); }
  std::string target(size_t line) const { return place("train.target", line); }
  std::string place(const std::string& file, size_t line) const {
    return path(file) + ":" + std::to_string(line);
  }
  const TinyCorpus& corpus() const { return corpus_; }
  std::vector<std::string> check(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"check-data",        corpus_.config(), "--run",
                                       path("run"),         "--test",         path("test.source"),
                                       path("test.target"), "--threads",      "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  /// What is to be said of the training text, with the verb for what is an error by default.
  std::vector<std::string> expected(const std::string& refused) const {
    return {
        "train: 393 of 400 pairs kept",
        "train: " + refused + ": 1 line with a zero byte (" + target(7) + " byte 2)",
        "train: " + refused + ": 1 line with bytes that are not UTF-8 (" + source(9) + " byte 4)",
        "train: mended: 1 line with a byte order mark (" + source(1) + " byte 1)",
        "train: mended: 1 line with a carriage return (" + source(5) + " byte " +
            std::to_string(carriage_return_byte_) + ")",
        "train: mended: 2 lines with U+0085, U+2028 or U+2029 (" + target(11) + " byte 1, " +
            source(12) + " byte 3)",
        "train: mended: 1 line with a control character (" + source(14) + " byte 3)",
        "train: left out: 1 with an empty source (" + source(16) + ")",
        "train: left out: 1 with an empty target (" + target(18) + ")",
        "train: left out: 1 with both sides empty (" + source(20) + ")",
        "train: left out: 1 with too long a source (" + source(22) + ")",
        "train: left out: 1 with too long a target (" + target(24) + ")",
        "train: noted: 1 with lengths too far apart (" + source(26) + ")",
        "train: noted: 1 with a target equal to the source (" + source(28) + ")",
    };
  }
  std::string duplicate() const {
    return "train: noted: 1 that occurred before (" + source(30) + " like " + source(3) + ")";
  }
  std::string overlap(const std::string& text, size_t line, size_t like) const {
    return text + ": noted: 1 found in the training text too (" + place(text + ".source", line) +
           " like " + source(like) + ")";
  }
  std::string drift() const {
    return "train: the sides drift apart from about " + source(kDriftBegin) + " and " +
           target(kDriftBegin) + " on, for 99 pairs: line n of the source fits line n - 1 of the";
  }

 private:
  TinyCorpus corpus_;
  std::vector<std::string> source_;
  std::vector<std::string> target_;
  size_t carriage_return_byte_ = 0;

  void plant() {
    const auto source = [&](size_t line) -> std::string& { return source_[line - 1]; };
    const auto target = [&](size_t line) -> std::string& { return target_[line - 1]; };
    const auto repeat = [](const std::string& word, int count) {
      std::string words;
      for (int i = 0; i < count; ++i) words += word;
      return words;
    };
    source(1).insert(0, "\xEF\xBB\xBF");
    source(5) += '\r';
    carriage_return_byte_ = source(5).size();
    target(7)[1] = '\0';
    source(9).insert(3, "\xE4");
    target(11).insert(0, "\xE2\x80\xA8");
    source(12).insert(2, "\xC2\x85");
    source(14).insert(2, "\x07");
    source(16).clear();
    target(18) = " \t";
    source(20) = target(20) = "";
    source(22) = repeat("ba bo ", 20);
    target(22) = repeat("la lo ", 8);
    source(24) = repeat("ba bo ", 8);
    target(24) = repeat("la lo ", 20);
    source(26) = "ba";
    target(26) = repeat("la ", 14);
    target(28) = source(28);
    source(30) = source(3);
    target(30) = target(3);
  }

  void write() const {
    const auto text = [](const std::vector<std::string>& lines) {
      std::string joined;
      for (const std::string& line : lines) joined += line + "\n";
      return joined;
    };
    write_file_atomically(corpus_ / "train.source", text(source_));
    write_file_atomically(corpus_ / "train.target", text(target_));
    corpus_.append("validation", source_[1], target_[1]);
    write_file_atomically(corpus_ / "test.source", source_[5] + "\n");
    write_file_atomically(corpus_ / "test.target", target_[5] + "\n");
    std::string config = read_file(corpus_.config());
    config.replace(config.find("max_length: 32"), 14, "max_length: 32\n  max_length_ratio: 6");
    write_file_atomically(corpus_.config(), config);
  }
};

std::vector<std::string> lines_of(const std::string& text) {
  const calque::test::TemporaryFolder folder;
  write_file_atomically(folder / "text", text);
  return read_lines(folder / "text");
}

/// The lines of a report, without what only check-data counts and what only a training does.
std::vector<std::string> lines_with(const std::string& text, const std::string& begin) {
  std::vector<std::string> found;
  for (const std::string& line : lines_of(text)) {
    const bool is_other = line.find("that occurred before") != std::string::npos ||
                          line.find("making the token cache") != std::string::npos;
    if (line.starts_with(begin) && !is_other) found.push_back(line);
  }
  return found;
}

const std::vector<std::string> kLenient = set({"data.nul=skip", "data.invalid_utf8=skip"});

std::vector<std::string> with(std::vector<std::string> first,
                              const std::vector<std::string>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

void write_gzip(const std::string& path, const std::string& text) {
  gzFile file = gzopen(path.c_str(), "wb");
  REQUIRE(file != nullptr);
  REQUIRE(gzwrite(file, text.data(), static_cast<unsigned>(text.size())) > 0);
  REQUIRE(gzclose(file) == Z_OK);
}

}  // namespace

TEST_CASE("check-data finds every planted fault where it is", "[check]") {
  const FaultyText text;
  const RunResult result = run_binary(text.check());
  INFO(result.out);
  INFO(result.err);
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.err, ContainsSubstring("a training refuses this text:\n  pairs of data.train "
                                           "cannot be used: 1 line with a zero byte (" +
                                           text.target(7) + " byte 2); convert the file"));
  CHECK_THAT(result.err, ContainsSubstring("or set data.invalid_utf8: skip (or replace)"));
  for (const std::string& line : text.expected("refused")) {
    CHECK_THAT(result.out, ContainsSubstring(line + "\n"));
  }
  CHECK_THAT(result.out, ContainsSubstring(text.duplicate() + "\n"));
  CHECK_THAT(result.out, ContainsSubstring(text.drift()));
  CHECK_THAT(result.out, ContainsSubstring("\nvalidation: 21 of 21 pairs kept\n"));
  CHECK_THAT(result.out, ContainsSubstring(text.overlap("validation", 21, 2) + "\n"));
  CHECK_THAT(result.out, ContainsSubstring(text.overlap("test", 1, 6) + "\n"));
  CHECK(!std::filesystem::exists(text.corpus() / "run"));
}

TEST_CASE("check-data says the same as JSON", "[check]") {
  const FaultyText text;
  const RunResult result = run_binary(text.check({"--json", "--quiet"}));
  CHECK(result.exit_code == 2);
  const auto json = nlohmann::json::parse(result.out);
  CHECK(json["accepted"] == false);
  CHECK(json["refusals"].size() == 2);
  CHECK(json["lengths_in"] == "pieces");
  REQUIRE(json["texts"].size() == 3);
  const auto& train = json["texts"][0];
  CHECK(train["name"] == "train");
  CHECK(train["read"] == 400);
  CHECK(train["kept"] == 393);
  CHECK(train["source"]["lines"] == nlohmann::json{400});
  struct Planted {
    const char* name;
    const char* side;
    int line;
  };
  for (const Planted& planted : {Planted{"nul", "target", 7},
                                 {"invalid_utf8", "source", 9},
                                 {"byte_order_mark", "source", 1},
                                 {"carriage_return", "source", 5},
                                 {"line_separator", "target", 11},
                                 {"control_character", "source", 14},
                                 {"empty_source", "source", 16},
                                 {"empty_target", "target", 18},
                                 {"empty_both", "source", 20},
                                 {"source_too_long", "source", 22},
                                 {"target_too_long", "target", 24},
                                 {"length_ratio", "source", 26},
                                 {"copy", "source", 28},
                                 {"duplicate", "source", 30}}) {
    INFO(planted.name);
    const auto& fault = train["faults"][planted.name];
    REQUIRE(fault["count"] == (std::string(planted.name) == "line_separator" ? 2 : 1));
    CHECK(fault["examples"][0]["line"] == planted.line);
    CHECK(fault["examples"][0]["file"] == text.path(std::string("train.") + planted.side));
  }
  CHECK(train["faults"]["invalid_utf8"]["examples"][0]["byte"] == 4);
  CHECK(train["faults"]["duplicate"]["examples"][0]["like"]["line"] == 3);
  REQUIRE(train["drifts"].size() == 1);
  CHECK(train["drifts"][0]["source"]["line"] == FaultyText::kDriftBegin);
  CHECK(train["drifts"][0]["shift"] == -1);
  for (const int text_number : {1, 2}) {
    const auto& faults = json["texts"][static_cast<size_t>(text_number)]["faults"];
    CHECK(faults["in_training"]["count"] == 1);
    CHECK(faults["in_training"]["examples"][0]["line"] == (text_number == 1 ? 21 : 1));
  }
}

TEST_CASE("a training counts what check-data counts, at the start and for each epoch", "[check]") {
  const FaultyText text;
  const RunResult refused = run_binary(text.corpus().train("run"));
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.err, ContainsSubstring(text.source(9) + ": byte 4 of the line (0xE4)"));

  const RunResult checked = run_binary(text.check(kLenient));
  INFO(checked.out);
  CHECK(checked.exit_code == 0);
  CHECK_THAT(checked.out, ContainsSubstring("a training takes this text\n"));
  const RunResult trained =
      run_binary(text.corpus().train("run", with(kLenient, set({"train.max_steps=40"}))));
  INFO(trained.err);
  REQUIRE(trained.exit_code == 0);
  const std::vector<std::string> said = lines_with(trained.err, "train: ");
  CHECK(said == lines_with(checked.out, "train: "));
  const std::vector<std::string> expected = text.expected("left out");
  REQUIRE(said.size() == expected.size() + 1);
  CHECK(std::vector(said.begin(), said.end() - 1) == expected);
  CHECK_THAT(trained.err,
             ContainsSubstring("epoch 1 is over: it was made of 393 of 400 pairs; left out: 1 line "
                               "with a zero byte; left out: 1 line with bytes that are not UTF-8; "
                               "mended: 1 line with a byte order mark"));
}

TEST_CASE("a clean copy is written beside, and has no faults", "[check]") {
  const FaultyText text;
  const std::string before = read_file(text.path("train.source"));
  const RunResult result = run_binary(text.check({"--write-clean", text.path("clean")}));
  INFO(result.out);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(read_file(text.path("train.source")) == before);
  CHECK_THAT(result.out, ContainsSubstring("written: " + text.path("clean/train.source") + "\n"));
  CHECK(listing(text.path("clean")) ==
        std::vector<std::string>{"test.source", "test.target", "train.source", "train.target",
                                 "validation.source", "validation.target"});
  CHECK(read_lines(text.path("clean/train.target")).size() == 393);

  const RunResult again = run_binary({"check-data", "--source", text.path("clean/train.source"),
                                      "--target", text.path("clean/train.target"), "--json"});
  CHECK(again.exit_code == 0);
  const auto json = nlohmann::json::parse(again.out);
  CHECK(json["accepted"] == true);
  CHECK(json["lengths_in"] == "words");
  CHECK(json["texts"][0]["kept"] == 393);
  for (const auto& [name, fault] : json["texts"][0]["faults"].items()) {
    INFO(name);
    const bool noted = name == "copy" || name == "duplicate" || name == "length_ratio";
    CHECK(fault["count"] == (noted ? 1 : 0));
  }

  const std::string written = read_file(text.path("clean/train.source"));
  const RunResult refused = run_binary(text.check({"--write-clean", text.path("clean")}));
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.err, ContainsSubstring("is there already and is not overwritten"));
  const RunResult onto_itself = run_binary(text.check({"--write-clean", text.path(".")}));
  CHECK(onto_itself.exit_code == 2);
  CHECK(read_file(text.path("clean/train.source")) == written);
  CHECK(read_file(text.path("train.source")) == before);
}

TEST_CASE("compressed files are checked and cleaned like plain ones", "[check]") {
  const FaultyText text;
  for (const std::string name : {"train.source", "train.target"}) {
    write_gzip(text.path(name + ".gz"), read_file(text.path(name)));
  }
  const auto check = [&](const std::string& ending, const std::string& clean) {
    return run_binary({"check-data", "--source", text.path("train.source" + ending), "--target",
                       text.path("train.target" + ending), "--write-clean", text.path(clean)});
  };
  std::string packed = check(".gz", "packed").out;
  for (size_t at; (at = packed.find(".gz")) != std::string::npos;) packed.erase(at, 3);
  std::string plain = check("", "plain").out;
  for (size_t at; (at = plain.find("/plain/")) != std::string::npos;) {
    plain.replace(at, 7, "/packed/");
  }
  CHECK(packed == plain);
  CHECK(read_file(text.path("packed/train.source")) == read_file(text.path("plain/train.source")));
}

TEST_CASE("unequal numbers of lines are told beside all else, and not cleaned", "[check]") {
  const TinyCorpus corpus;
  write_file_atomically(corpus / "train.source", read_file(corpus / "train.source") + "ba\r\n");
  const std::vector<std::string> check{"check-data", "--source", corpus.path("train.source"),
                                       "--target", corpus.path("train.target")};
  const RunResult result = run_binary(check);
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.out, ContainsSubstring("train: 300 of 300 pairs kept\n"));
  CHECK_THAT(result.out, ContainsSubstring("train: unequal numbers of lines: " +
                                           corpus.path("train.source") + " has 301 but "));
  const RunResult cleaned = run_binary(with(check, {"--write-clean", corpus.path("clean")}));
  CHECK(cleaned.exit_code == 2);
  CHECK_THAT(cleaned.err, ContainsSubstring("nothing was written, since nobody knows which lines"));
  CHECK(listing(corpus / "clean").empty());
}

TEST_CASE("text without faults is accepted in few words", "[check]") {
  const TinyCorpus corpus;
  const RunResult result = run_binary({"check-data", corpus.config(), "--run", corpus.path("run"),
                                       "--set", "data.max_length=64", "--quiet"});
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK(result.err.empty());
  CHECK(lines_of(result.out).front() == "train: 300 of 300 pairs kept");
  CHECK(lines_of(result.out).back() == "a training takes this text");
}
