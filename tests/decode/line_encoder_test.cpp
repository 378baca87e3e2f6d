#include "decode/line_encoder.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/stderr_capture.h"
#include "base/temporary_folder.h"
#include "support/catch.h"
#include "text/sample_text.h"
#include "text/vocabulary.h"

namespace calque {
namespace {

using test::StderrCapture;

const Tokenizer& tokenizer() {
  static const Tokenizer made([] {
    const test::TemporaryFolder folder;
    VocabularyOptions options;
    options.size = 90;
    std::vector<std::string> sentences = test::sample_sentences(200, 1);
    for (std::string& sentence : sentences) sentence += ".";
    const std::string file = test::write_text(folder / "text", test::join_lines(sentences));
    return train_vocabulary(options, {file}, 1);
  }());
  return made;
}

std::vector<int32_t> whole(const std::string& line) {
  std::vector<int32_t> ids;
  tokenizer().encode(line, ids);
  return ids;
}

std::string long_line(int sentences) {
  std::string line;
  for (const std::string& sentence : test::sample_sentences(sentences, 3)) {
    line += (line.empty() ? "" : " ") + sentence;
  }
  return line;
}

/// Bounds the pieces of a line, its end not counted.
LengthBound pieces(int64_t most) { return {most + 1, "the test allows"}; }

std::vector<std::vector<int32_t>> ids_of(const std::vector<EncodedLine>& parts) {
  std::vector<std::vector<int32_t>> ids;
  for (const EncodedLine& part : parts) ids.push_back(part.ids);
  return ids;
}

TEST_CASE("a short line is one part, an empty one none", "[decode]") {
  const LineEncoder encoder(tokenizer(), pieces(1000), "translated");
  const std::string line = long_line(1);
  StderrCapture capture(StderrCapture::Kind::kPipe);
  CHECK(encoder.encode(line, "line 1").ids == whole(line));
  CHECK(ids_of(encoder.encode_in_parts(line, "line 1")) ==
        std::vector<std::vector<int32_t>>{whole(line)});
  CHECK(encoder.encode_in_parts("  ", "line 1").empty());
  CHECK(encoder.encode("  ", "line 1").ids.empty());
  CHECK(capture.take().empty());
}

TEST_CASE("a line that is cut is named, with the reason and the cure", "[decode]") {
  const std::string line = long_line(3);
  const LineEncoder encoder(tokenizer(), pieces(4), "forced", "shorten it");
  StderrCapture capture(StderrCapture::Kind::kPipe);
  const EncodedLine cut = encoder.encode(line, "a.en:7");
  CHECK(cut.ids.size() == 4);
  CHECK(cut.begins.size() == 4);
  CHECK_THAT(capture.take(),
             ContainsSubstring("warning: a.en:7 has " + std::to_string(whole(line).size()) +
                               " tokens: only the first 4 are forced, with the end as many as the "
                               "test allows; shorten it\n"));
}

TEST_CASE("the least bound of a line is the reason", "[decode]") {
  CHECK(length_bound(50, 60, 70).tokens == 50);
  CHECK(length_bound(50, 60, 70).reason == "the model has positions for");
  CHECK(length_bound(80, 60, 70).reason == "validation.max_length allows");
  CHECK(length_bound(80, 75, 70).reason == "were asked for");
  CHECK(length_bound(80, 60).tokens == 60);
}

TEST_CASE("a long line is split between words, and loses nothing", "[decode]") {
  const std::string line = long_line(20);
  const std::vector<int32_t> ids = whole(line);
  const int64_t most = GENERATE(2, 7, 20, 50);
  const LineEncoder encoder(tokenizer(), pieces(most), "translated");
  StderrCapture capture(StderrCapture::Kind::kPipe);
  const auto parts = encoder.encode_in_parts(line, "line 17");
  CHECK_THAT(capture.take(),
             ContainsSubstring("warning: line 17 has " + std::to_string(ids.size())));
  std::vector<int32_t> joined;
  std::vector<size_t> begins;
  int inside_words = 0;
  for (const EncodedLine& part : parts) {
    CHECK(std::ssize(part.ids) <= most);
    if (!tokenizer().piece(part.ids.front()).starts_with("\u2581")) ++inside_words;
    joined.insert(joined.end(), part.ids.begin(), part.ids.end());
    begins.insert(begins.end(), part.begins.begin(), part.begins.end());
  }
  CHECK(joined == ids);
  CHECK(begins.size() == ids.size());
  CHECK(std::ranges::is_sorted(begins));
  CHECK((most < 20 || inside_words == 0));
}

TEST_CASE("a line is split behind punctuation where there is some in the second half", "[decode]") {
  const std::string words = long_line(1);
  const std::string first = words.substr(0, words.rfind(' ')) + ".";
  const LineEncoder encoder(tokenizer(), pieces(std::ssize(whole(first)) + 2), "translated");
  StderrCapture capture(StderrCapture::Kind::kPipe);
  const auto parts = encoder.encode_in_parts(first + " " + words + " " + words, "line 1");
  CHECK(tokenizer().decode(parts.front().ids) == tokenizer().decode(whole(first)));
  CHECK_THAT(capture.take(), ContainsSubstring(" parts"));
}

TEST_CASE("text without spaces is split behind its full-width punctuation", "[decode]") {
  const test::TemporaryFolder folder;
  VocabularyOptions options;
  options.size = 22;
  const std::string file =
      test::write_text(folder / "text",
                       "我们在这里，他们在那里。\n你们在哪里？我在家！好、不好\n");
  const Tokenizer chinese(train_vocabulary(options, {file}, 1));
  const std::string mark = GENERATE("。", "！", "？", "，", "、", "；", "：");
  const std::string first = "我们在家" + mark;
  std::vector<int32_t> ids;
  chinese.encode(first, ids);
  const LineEncoder encoder(chinese, pieces(std::ssize(ids) + 1), "translated");
  StderrCapture capture(StderrCapture::Kind::kPipe);
  const auto parts = encoder.encode_in_parts(first + "他们在那里他们在那里", "line 1");
  CHECK(parts.front().ids == ids);
  CHECK_THAT(capture.take(), ContainsSubstring(" parts"));
}

}  // namespace
}  // namespace calque
