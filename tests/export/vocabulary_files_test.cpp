#include "export/vocabulary_files.h"

#include "export/exported_model.h"
#include "support/catch.h"
#include "support/sentencepiece_message.h"

namespace calque {
namespace {

TEST_CASE("the pieces of a vocabulary are listed by id", "[export]") {
  const Tokenizer tokenizer = test::sample_tokenizer(90);
  const std::vector<std::string> all = pieces(tokenizer);
  REQUIRE(all.size() == 90);
  CHECK(all[0] == "<unk>");
  CHECK(all[2] == "</s>");
  CHECK(all[89] == tokenizer.piece(89));
}

TEST_CASE("a piece that JSON cannot hold is refused", "[export]") {
  const std::string piece = test::message_field(1, "\xC3");
  const Tokenizer tokenizer(test::sample_tokenizer(90).serialized() +
                            test::message_field(1, piece));
  CHECK_THAT(test::user_error([&] { pieces(tokenizer); }),
             ContainsSubstring("piece 90 of the vocabulary is not UTF-8"));
}

}  // namespace
}  // namespace calque
