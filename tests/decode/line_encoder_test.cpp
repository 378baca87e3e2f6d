#include "decode/line_encoder.h"

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

TEST_CASE("a short line is one part, an empty one none", "[decode]") {
  const LineEncoder encoder(tokenizer(), 1000, "translated");
  const std::string line = long_line(1);
  StderrCapture capture(StderrCapture::Kind::kPipe);
  CHECK(encoder.encode(line, 1) == whole(line));
  CHECK(encoder.encode_in_parts(line, 1) == std::vector<std::vector<int32_t>>{whole(line)});
  CHECK(encoder.encode_in_parts("  ", 1).empty());
  CHECK(encoder.encode("  ", 1).empty());
  CHECK(capture.take().empty());
}

TEST_CASE("a long line is split between words, and loses nothing", "[decode]") {
  const std::string line = long_line(20);
  const std::vector<int32_t> ids = whole(line);
  const int64_t most = GENERATE(2, 7, 20, 50);
  const LineEncoder encoder(tokenizer(), most, "translated");
  StderrCapture capture(StderrCapture::Kind::kPipe);
  const auto parts = encoder.encode_in_parts(line, 17);
  CHECK_THAT(capture.take(),
             ContainsSubstring("warning: line 17 has " + std::to_string(ids.size())));
  std::vector<int32_t> joined;
  int inside_words = 0;
  for (const std::vector<int32_t>& part : parts) {
    CHECK(std::ssize(part) <= most);
    if (!tokenizer().piece(part.front()).starts_with("\u2581")) ++inside_words;
    joined.insert(joined.end(), part.begin(), part.end());
  }
  CHECK(joined == ids);
  CHECK((most < 20 || inside_words == 0));
}

TEST_CASE("a line is split behind punctuation where there is some in the second half", "[decode]") {
  const std::string words = long_line(1);
  const std::string first = words.substr(0, words.rfind(' ')) + ".";
  const auto pieces = std::ssize(whole(first));
  const LineEncoder encoder(tokenizer(), pieces + 2, "translated");
  StderrCapture capture(StderrCapture::Kind::kPipe);
  const auto parts = encoder.encode_in_parts(first + " " + words + " " + words, 1);
  CHECK(tokenizer().decode(parts.front()) == tokenizer().decode(whole(first)));
  CHECK_THAT(capture.take(), ContainsSubstring(" parts"));
}

}  // namespace
}  // namespace calque
