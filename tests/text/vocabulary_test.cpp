#include "text/vocabulary.h"

#include "base/file.h"
#include "base/stderr_capture.h"
#include "base/temporary_folder.h"
#include "support/catch.h"
#include "text/sample_text.h"

namespace calque {
namespace {

using test::contains;
using test::user_error;

VocabularyOptions with_size(int64_t size, VocabularyType type = VocabularyType::kUnigram) {
  VocabularyOptions options;
  options.size = size;
  options.type = type;
  return options;
}

std::string sample_file(const test::TemporaryFolder& folder, const std::string& name,
                        uint64_t seed = 1) {
  return test::write_text(folder / name, test::join_lines(test::sample_sentences(200, seed)));
}

TEST_CASE("the same text gives the same vocabulary, without noise", "[text]") {
  test::TemporaryFolder folder;
  const std::string file = sample_file(folder, "text");
  test::StderrCapture capture(test::StderrCapture::Kind::kPipe);
  for (const auto type : {VocabularyType::kUnigram, VocabularyType::kBpe}) {
    const std::string first = train_vocabulary(with_size(90, type), {file}, 1);
    CHECK(train_vocabulary(with_size(90, type), {file}, 1) == first);
    CHECK(Tokenizer(first).size() == 90);
  }
  CHECK(capture.take() == "");
}

TEST_CASE("a size that the text cannot fill names the largest one that it can", "[text]") {
  test::TemporaryFolder folder;
  const std::string file = sample_file(folder, "text");
  for (const auto type : {VocabularyType::kUnigram, VocabularyType::kBpe}) {
    const std::string message =
        user_error([&] { train_vocabulary(with_size(5000, type), {file}, 1); });
    contains(message, "vocabulary.size is 5000 but " + file + " allows at most ");
    const std::string remedy = "set vocabulary.size to ";
    contains(message, remedy);
    const int64_t largest = std::stoll(message.substr(message.find(remedy) + remedy.size()));
    CHECK(Tokenizer(train_vocabulary(with_size(largest, type), {file}, 1)).size() == largest);
    contains(user_error([&] { train_vocabulary(with_size(largest + 1, type), {file}, 1); }),
             "allows at most " + std::to_string(largest) + " pieces");
  }
}

TEST_CASE("a size too small for the characters names the smallest one", "[text]") {
  test::TemporaryFolder folder;
  const std::string file = sample_file(folder, "text");
  const std::string message = user_error([&] { train_vocabulary(with_size(10), {file}, 1); });
  contains(message, "vocabulary.size is 10 but " + file + " needs at least ");
  contains(message, "vocabulary.character_coverage");
  contains(user_error([&] { train_vocabulary(with_size(3), {file}, 1); }),
           "vocabulary.size should be more than the 3 special pieces but is 3");
}

TEST_CASE("text that cannot be trained on says why", "[text]") {
  test::TemporaryFolder folder;
  const auto train = [&](const std::vector<std::string>& files) {
    return user_error([&] { train_vocabulary(with_size(90), files, 1); });
  };
  contains(train({}), "no text files are given");
  const std::string empty = test::write_text(folder / "empty", "\n\n");
  contains(train({empty}), "there is no text in " + empty);
  const std::string spaces = test::write_text(folder / "spaces", "  \n \t\xC2\xA0\n");
  contains(train({spaces}), "there is no text in " + spaces);
  contains(train({(folder / "missing").string()}), (folder / "missing").string());
  const std::string latin = test::write_text(folder / "latin",
                                             "ok\nGr\xF6\xDF"
                                             "e\n");
  contains(train({latin}), latin + ":2: byte 3 of the line (0xF6) is not UTF-8");
}

TEST_CASE("a sample of the lines is drawn by the seed", "[text]") {
  test::TemporaryFolder folder;
  const std::string file = sample_file(folder, "text");
  VocabularyOptions options = with_size(70);
  options.max_sentences = 50;
  const std::string first = train_vocabulary(options, {file}, 1);
  CHECK(train_vocabulary(options, {file}, 1) == first);
  CHECK(train_vocabulary(options, {file}, 2) != first);
  options.max_sentences = 200;
  CHECK(train_vocabulary(options, {file}, 1) == train_vocabulary(options, {file}, 2));
}

TEST_CASE("very long lines are trained on too", "[text]") {
  test::TemporaryFolder folder;
  std::string line;
  for (const std::string& sentence : test::sample_sentences(500, 1)) line += sentence + " ";
  REQUIRE(line.size() > 10000);
  const std::string file = test::write_text(folder / "text", line);
  CHECK(Tokenizer(train_vocabulary(with_size(60), {file}, 1)).size() == 60);
}

TEST_CASE("the vocabulary of a run is trained once, then loaded", "[text]") {
  test::TemporaryFolder folder;
  const std::string source = sample_file(folder, "text.en", 1);
  const std::string target = sample_file(folder, "text.de", 2);
  VocabularyOptions options = with_size(90);
  const auto open = [&] {
    return load_or_train_vocabulary(options, folder.path(), {source}, {target}, 1);
  };
  const TokenizerPair pair = open();
  CHECK(pair.shared());
  CHECK(&pair.source() == &pair.target());
  CHECK(read_file(folder / "vocabulary.model") == pair.source().serialized());
  CHECK(pair.source().serialized() == train_vocabulary(options, {source, target}, 1));

  test::write_text(source, "other text\n");
  CHECK(open().source().serialized() == pair.source().serialized());
  options.size = 80;
  contains(user_error(open), "vocabulary.model has 90 pieces but vocabulary.size is 80");
}

TEST_CASE("each side may have a vocabulary of its own, at a path of the user's", "[text]") {
  test::TemporaryFolder folder;
  const std::string source = sample_file(folder, "text.en", 1);
  const std::string target = sample_file(folder, "text.de", 2);
  VocabularyOptions options = with_size(80);
  options.shared = false;
  options.path = (folder / "mine.model").string();
  const TokenizerPair pair = load_or_train_vocabulary(options, "unused", {source}, {target}, 1);
  CHECK_FALSE(pair.shared());
  CHECK(read_file(folder / "mine.source.model") == train_vocabulary(options, {source}, 1));
  CHECK(read_file(folder / "mine.target.model") == train_vocabulary(options, {target}, 1));
  CHECK(pair.target().serialized() == read_file(folder / "mine.target.model"));
}

}  // namespace
}  // namespace calque
