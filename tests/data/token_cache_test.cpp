#include "data/token_cache.h"

#include "base/temporary_folder.h"
#include "support/catch.h"

namespace calque {
namespace {

using Sentences = std::vector<std::vector<int32_t>>;

void write_cache(const std::filesystem::path& stem, const Sentences& sentences, int64_t vocab) {
  TokenCacheWriter writer(stem, 42, vocab, vocab);
  for (size_t i = 0; i + 1 < sentences.size(); ++i) {
    writer.add(static_cast<int64_t>(i) + 1, sentences[i], sentences[i + 1]);
  }
  writer.finish({});
}

std::string reason_against(const std::filesystem::path& stem, uint64_t fingerprint, int64_t vocab) {
  try {
    const TokenCache cache(stem, fingerprint, vocab, vocab);
  } catch (const BadCache& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("ids come back, in two bytes or four", "[data]") {
  const test::TemporaryFolder folder;
  Sentences sentences = {{3, 4, 5}, {65535}, {}, std::vector<int32_t>(1000, 7), {65534, 3}};
  for (const int64_t vocab : {65536, 65537, 1000000}) {
    if (vocab == 1000000) sentences[0][0] = 999999;
    write_cache(folder / "x", sentences, vocab);
    const TokenCache cache(folder / "x", 42, vocab, vocab);
    REQUIRE(cache.size() == 4);
    for (int64_t i = 0; i < 4; ++i) {
      std::vector<int32_t> source = {1};
      std::vector<int32_t> target;
      cache.append_source(i, source);
      cache.append_target(i, target);
      source.erase(source.begin());
      CHECK(source == sentences[static_cast<size_t>(i)]);
      CHECK(target == sentences[static_cast<size_t>(i) + 1]);
      CHECK(cache.line(i) == i + 1);
    }
    CHECK(cache.totals().longest_source == 1000);
    CHECK(cache.totals().source_pieces == 1004);
    const size_t bytes = vocab == 65536 ? 2 : 4;
    CHECK(std::filesystem::file_size(folder / "x.ids") == 2007 * bytes);
  }
}

TEST_CASE("a cache of something else, unfinished, or with alien ids is refused", "[data]") {
  const test::TemporaryFolder folder;
  CHECK(reason_against(folder / "x", 42, 100) == "there is none yet");
  write_cache(folder / "x", {{3, 4}, {99}}, 100);
  CHECK(reason_against(folder / "x", 42, 100) == "");
  CHECK(reason_against(folder / "x", 43, 100) ==
        "the text, the vocabulary or a key of data has changed");
  CHECK(reason_against(folder / "x", 42, 99) == "it holds ids outside the vocabulary");
  { TokenCacheWriter unfinished(folder / "x", 42, 100, 100); }
  CHECK(reason_against(folder / "x", 42, 100) == "there is none yet");
}

}  // namespace
}  // namespace calque
