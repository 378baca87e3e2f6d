#include "text/tokenizer.h"

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "base/stderr_capture.h"
#include "base/temporary_folder.h"
#include "support/catch.h"
#include "support/sentencepiece_message.h"
#include "text/sample_text.h"
#include "text/special_ids.h"
#include "text/vocabulary.h"
#include "text/words.h"

namespace calque {
namespace {

using test::contains;
using test::user_error;

std::string train(const VocabularyOptions& options) {
  test::TemporaryFolder folder;
  const std::string file =
      test::write_text(folder / "text", test::join_lines(test::sample_sentences(200, 1)));
  return train_vocabulary(options, {file}, 1);
}

const Tokenizer& sample_tokenizer() {
  static const Tokenizer tokenizer([] {
    VocabularyOptions options;
    options.size = 90;
    return train(options);
  }());
  return tokenizer;
}

std::string there_and_back(const Tokenizer& tokenizer, const std::string& line) {
  std::vector<int32_t> ids = {7, 7, 7};
  tokenizer.encode(line, ids);
  return tokenizer.decode(ids);
}

TEST_CASE("text comes back from its ids", "[text]") {
  const Tokenizer& tokenizer = sample_tokenizer();
  CHECK(tokenizer.size() == 90);
  for (const std::string& line : test::sample_sentences(50, 2)) {
    CHECK(there_and_back(tokenizer, line) == line);
  }
  CHECK(there_and_back(tokenizer, "  the   dog ") == "the dog");
}

TEST_CASE("pieces begin where their text does, whatever normalisation made of it", "[text]") {
  const Tokenizer& tokenizer = sample_tokenizer();
  // Two spaces, a space of no width, and an accent that becomes a space and another accent.
  for (const std::string line : {"the dog", " the  dog", "the\u200bdog", "the\u00b4s dog"}) {
    std::vector<int32_t> ids;
    std::vector<int32_t> same;
    std::vector<size_t> begins;
    tokenizer.encode(line, ids, begins);
    tokenizer.encode(line, same);
    CHECK(ids == same);
    REQUIRE(begins.size() == ids.size());
    CHECK(std::ranges::is_sorted(begins));
    CHECK(words_at(line, begins).front() == 0);
    CHECK(words_at(line, begins).back() == count_words(line) - 1);
  }
}

TEST_CASE("a tokenizer tells its pieces, which of them are ordinary, and their scores", "[text]") {
  const std::vector<TextPiece> pieces = sample_tokenizer().pieces();
  REQUIRE(std::ssize(pieces) == sample_tokenizer().size());
  double all = 0;
  for (size_t id = 0; id < pieces.size(); ++id) {
    CHECK(pieces[id].text == sample_tokenizer().piece(static_cast<int32_t>(id)));
    CHECK(pieces[id].ordinary == (id > kEndId));
    if (pieces[id].ordinary) all += std::exp(pieces[id].score);
  }
  CHECK(all == Approx(1).epsilon(0.1));  // probabilities
}

TEST_CASE("text without pieces gives no ids", "[text]") {
  std::vector<int32_t> ids;
  for (const char* line : {"", " ", "\t  \r"}) {
    ids = {7};
    sample_tokenizer().encode(line, ids);
    CHECK(ids.empty());
  }
  CHECK(sample_tokenizer().decode({}).empty());
}

TEST_CASE("special ids are passed over in text, and text never becomes one", "[text]") {
  const Tokenizer& tokenizer = sample_tokenizer();
  std::vector<int32_t> ids;
  tokenizer.encode("the dog", ids);
  ids.insert(ids.begin(), kBeginId);
  ids.push_back(kEndId);
  CHECK(tokenizer.decode(ids) == "the dog");
  tokenizer.encode("<s> the </s>", ids);
  CHECK(std::count(ids.begin(), ids.end(), kBeginId) == 0);
  CHECK(std::count(ids.begin(), ids.end(), kEndId) == 0);
  tokenizer.encode("Ж", ids);
  CHECK(std::count(ids.begin(), ids.end(), kUnknownId) == 1);
}

TEST_CASE("pieces have the names that SentencePiece gives them", "[text]") {
  const Tokenizer& tokenizer = sample_tokenizer();
  CHECK(tokenizer.piece(kUnknownId) == "<unk>");
  CHECK(tokenizer.piece(kBeginId) == "<s>");
  CHECK(tokenizer.piece(kEndId) == "</s>");
  CHECK_THROWS_AS(tokenizer.piece(90), InternalError);
  CHECK_THROWS_AS(tokenizer.piece(-1), InternalError);
  CHECK_THROWS_AS(tokenizer.decode(std::vector<int32_t>{90}), InternalError);
}

TEST_CASE("a tokenizer is its bytes", "[text]") {
  const Tokenizer copy(sample_tokenizer().serialized());
  std::vector<int32_t> expected;
  std::vector<int32_t> ids;
  for (const std::string& line : test::sample_sentences(20, 3)) {
    sample_tokenizer().encode(line, expected);
    copy.encode(line, ids);
    CHECK(ids == expected);
  }
}

TEST_CASE("bytes that are no model are refused, silently but for the error", "[text]") {
  test::StderrCapture capture(test::StderrCapture::Kind::kPipe);
  const std::string empty = user_error([] { Tokenizer("", "a.model"); });
  const std::string garbage = user_error([] { Tokenizer("no such thing", "b.model"); });
  const std::string cut = user_error([] {
    const std::string& whole = sample_tokenizer().serialized();
    Tokenizer(whole.substr(0, whole.size() / 2), "c.model");
  });
  const std::string noise = capture.take();
  CHECK(noise == "");
  contains(empty, "a.model: expected a SentencePiece model but it is empty");
  contains(garbage, "b.model: expected a SentencePiece model but it cannot be read as one");
  contains(cut, "c.model: expected a SentencePiece model but it cannot be read as one");
}

TEST_CASE("nmt_nfkc writes plainly, and leaves German as it is, identity leaves all", "[text]") {
  test::TemporaryFolder folder;
  const std::string text = "„Größe“ – ‚Straße‘ ’s";
  const std::string fancy = "ﬁnd  ½ … ";
  const std::string file =
      test::write_text(folder / "text", text + "\n" + fancy + "find 1⁄2 ...\n");
  VocabularyOptions options;
  options.type = VocabularyType::kBpe;
  options.size = 50;
  const Tokenizer nfkc(train_vocabulary(options, {file}, 1));
  CHECK(there_and_back(nfkc, text) == text);
  CHECK(there_and_back(nfkc, fancy) == "find 1⁄2 ...");
  options.normalization = Normalization::kIdentity;
  const Tokenizer identity(train_vocabulary(options, {file}, 1));
  CHECK(there_and_back(identity, text) == text);
  CHECK(there_and_back(identity, fancy) == fancy);
}

/// A model without rules of its own, and with those given.
std::string model_with_rules(const std::string& rules) {
  static const std::string model = [] {
    VocabularyOptions options;
    options.size = 90;
    options.normalization = Normalization::kIdentity;
    return train(options);
  }();
  return model + test::normalizer_field(rules);
}

TEST_CASE("rules that a model carries are obeyed when they are sound", "[text]") {
  std::vector<uint32_t> units(768, 0x8000'0000U);
  units[0] = 256 << 10;
  units[256 ^ 'Z'] = 'Z' | 1 << 8 | ((256 ^ 'Z' ^ 512) << 10);
  const std::string texts("the dog\0", 8);
  const Tokenizer tokenizer(model_with_rules(test::make_rules(units, texts)));
  CHECK(there_and_back(tokenizer, "Z") == "the dog");

  units[512] = 0xFFFF'FFFFU;
  contains(user_error([&] { Tokenizer(model_with_rules(test::make_rules(units, texts)), "x"); }),
           "x: expected a SentencePiece model but its normalization rules are broken");
  contains(user_error([&] {  // the same in a message that only SentencePiece would read on
             Tokenizer("\x0B\x0C" + model_with_rules(test::make_rules(units, texts)), "x");
           }),
           "x: expected a SentencePiece model but it cannot be read as one");
}

TEST_CASE("a model gives one line that can be shown, whatever its pieces are", "[text]") {
  const std::string user_defined = "\x18\x04";  // SentencePiece.type = 3
  const Tokenizer tokenizer(
      model_with_rules("") +
      test::message_field(1, test::message_field(1, "a\nb\x1B[31m") + user_defined));
  REQUIRE(tokenizer.size() == 91);
  CHECK(tokenizer.decode(std::vector<int32_t>{90}) == "a b\uFFFD[31m");
}

TEST_CASE("a damaged model is refused, or is a model", "[text]") {
  const std::string whole = model_with_rules("");
  const RandomKey key{1, 0, 0};
  int refused = 0;
  for (uint64_t i = 0; i < 400; ++i) {
    std::string damaged = whole;
    if (i % 4 == 0) damaged.resize(random_u64(key, 2 * i) % whole.size());
    const size_t place = random_u64(key, 2 * i) % whole.size();
    const auto bits = static_cast<char>(random_u64(key, 2 * i + 1) % 255 + 1);
    if (i % 4 != 0) damaged[place] = static_cast<char>(damaged[place] ^ bits);
    try {
      const Tokenizer tokenizer(damaged);
      std::vector<int32_t> ids;
      tokenizer.encode("the old dog sleeps, und wächst", ids);
      CHECK(tokenizer.decode(ids).find('\n') == std::string::npos);
    } catch (const UserError&) {
      ++refused;
    }
  }
  CHECK(refused > 100);
}

}  // namespace
}  // namespace calque
