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
    CHECK(Tokenizer(first).type() == vocabulary_type_name(type));
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

  const auto written = std::filesystem::last_write_time(folder / "vocabulary.model");
  CHECK(open().source().serialized() == pair.source().serialized());
  CHECK(std::filesystem::last_write_time(folder / "vocabulary.model") == written);
}

TEST_CASE("the vocabulary of a run that was made otherwise is made anew, saying why", "[text]") {
  test::TemporaryFolder folder;
  const std::string source = sample_file(folder, "text.en", 1);
  const std::string target = sample_file(folder, "text.de", 2);
  VocabularyOptions options = with_size(90);
  const auto open = [&](OtherVocabulary other) {
    return load_or_train_vocabulary(options, folder.path(), {source}, {target}, 1, {}, other);
  };
  const auto log_of = [&](OtherVocabulary other) {
    test::StderrCapture capture(test::StderrCapture::Kind::kPipe);
    open(other);
    return capture.take();
  };
  const std::string model = (folder / "vocabulary.model").string();
  log_of(OtherVocabulary::kReplace);
  CHECK(log_of(OtherVocabulary::kReplace) == "vocabulary: using " + model + " (90 pieces)\n");

  options.type = VocabularyType::kBpe;
  options.size = 80;
  CHECK(
      user_error([&] { open(OtherVocabulary::kRefuse); }) ==
      model +
          " was made with other options than the config states:\n"
          "  vocabulary.size: was 90, is 80 now\n"
          "  vocabulary.type: was unigram, is bpe now\n"
          "Give the config the old values, or vocabulary.path a file that does not exist, to train "
          "another");
  contains(log_of(OtherVocabulary::kReplace),
           "vocabulary: " + model +
               " was made otherwise (vocabulary.size: was 90, is 80 now; vocabulary.type: was "
               "unigram, is bpe now) and is made anew\n");
  CHECK(open(OtherVocabulary::kRefuse).source().type() == "bpe");

  sample_file(folder, "text.en", 3);
  contains(log_of(OtherVocabulary::kRefuse), ": the training text: has changed\n");
  contains(log_of(OtherVocabulary::kReplace),
           " was made otherwise (the training text: has changed) and is made anew\n");

  // A model of the user's own has no record, or one of another model: it is used.
  const std::string own = train_vocabulary(options, {source}, 1);
  test::write_text(folder / "vocabulary.model", own);
  CHECK(open(OtherVocabulary::kReplace).source().serialized() == own);
  options.size = 70;
  contains(user_error([&] { open(OtherVocabulary::kReplace); }),
           "vocabulary.model has 80 pieces but vocabulary.size is 70");
  CHECK(read_file(folder / "vocabulary.model") == own);
}

TEST_CASE("the text is checked before a vocabulary is trained on it", "[text]") {
  test::TemporaryFolder folder;
  const std::string source = sample_file(folder, "text.en", 1);
  const std::string target = test::write_text(folder / "text.de", "one line\n");
  contains(user_error([&] {
             load_or_train_vocabulary(with_size(90), folder.path(), {source}, {target}, 1);
           }),
           "unequal numbers of lines: " + source + " has 200 but " + target + " has 1;");
  CHECK(!std::filesystem::exists(folder / "vocabulary.model"));
}

TEST_CASE("each side may have a vocabulary of its own, at a path of the user's", "[text]") {
  test::TemporaryFolder folder;
  const std::string source = sample_file(folder, "text.en", 1);
  const std::string target = sample_file(folder, "text.de", 2);
  VocabularyOptions options = with_size(80);
  options.shared = false;
  options.path = (folder / "new/mine.model").string();
  const TokenizerPair pair = load_or_train_vocabulary(options, "unused", {source}, {target}, 1);
  CHECK_FALSE(pair.shared());
  CHECK(read_file(folder / "new/mine.source.model") == train_vocabulary(options, {source}, 1));
  CHECK(read_file(folder / "new/mine.target.model") == train_vocabulary(options, {target}, 1));
  CHECK(pair.target().serialized() == read_file(folder / "new/mine.target.model"));

  // What lies at a path of the user's is never replaced.
  options.type = VocabularyType::kBpe;
  contains(user_error([&] { load_or_train_vocabulary(options, "unused", {source}, {target}, 1); }),
           (folder / "new/mine.source.model").string() + " was made with other options");
  CHECK(read_file(folder / "new/mine.source.model") == pair.source().serialized());
}

}  // namespace
}  // namespace calque
