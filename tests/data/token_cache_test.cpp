#include "data/token_cache.h"

#include "base/resident_memory.h"
#include "base/stderr_capture.h"
#include "base/temporary_folder.h"
#include "support/catch.h"
#include "support/damage.h"
#include "text/sample_text.h"

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

TEST_CASE("each damaged file of a cache is noticed", "[data][damage]") {
  const test::TemporaryFolder folder;
  Sentences sentences;
  for (int32_t i = 0; i < 40; ++i) sentences.emplace_back(1 + i % 7, 3 + i);
  write_cache(folder / "x", sentences, 100);
  for (const std::string ending : {".ids", ".index", ".json"}) {
    const std::filesystem::path path = folder / ("x" + ending);
    const std::string good = read_file(path);
    int noticed = 0;
    test::for_each_damage(good, [&](const test::Damage& damage) {
      INFO(ending << " " << damage.name);
      test::overwrite(path, damage.bytes);
      const std::string reason = reason_against(folder / "x", 42, 100);
      CHECK_THAT(reason, ContainsSubstring(path.string() + " is damaged"));
      if (!reason.empty()) ++noticed;
    });
    CHECK(noticed == test::kDamages);
    test::overwrite(path, good);
    CHECK(reason_against(folder / "x", 42, 100) == "");
  }
}

/// The files of a cache, one behind the other.
std::string contents(const std::filesystem::path& stem) {
  std::string all;
  for (const char* ending : {".ids", ".index", ".json"}) all += read_file(stem.string() + ending);
  return all;
}

/// Pairs as many as the buffers of the writer do not hold.
Sentences many_sentences() {
  Sentences sentences;
  for (int32_t i = 0; i < 60000; ++i) {
    sentences.emplace_back(static_cast<size_t>(i % 40), 3 + i % 30000);
  }
  return sentences;
}

/// Adds the pairs that a writer has not read yet, up to `end`.
DropReport add_until(TokenCacheWriter& writer, const Sentences& sentences, int64_t end) {
  DropReport report = writer.saved();
  while (report.read < end) {
    const auto at = static_cast<size_t>(report.read++);
    if (at % 7 == 3) {
      report.add(Fault::kEmptyBoth, {{"x", report.read}, 0, {}});
      ++report.left_out;
    } else {
      writer.add(report.read, sentences[at], sentences[sentences.size() - 1 - at]);
    }
  }
  return report;
}

TEST_CASE("the pages of a cache stay within its bound", "[data]") {
  const test::TemporaryFolder folder;
  constexpr int64_t kPairs = 400000;
  constexpr int64_t kSlack = int64_t{12}
                             << 20;  // what is read between two looks, and is counted late
  const std::vector<int32_t> sentence(30, 7);
  {
    TokenCacheWriter writer(folder / "x", 42, 100, 100);
    for (int64_t line = 1; line <= kPairs; ++line) writer.add(line, sentence, sentence);
    writer.finish({});
  }
  const int64_t bytes = kPairs * (30 + 30) * 2;
  const int64_t before = resident_file_bytes();
  std::vector<int32_t> ids;
  const auto read_all = [&](const TokenCache& cache, auto after_each) {
    for (int64_t pair = 0; pair < cache.size(); ++pair) {
      ids.clear();
      cache.append_source(pair, ids);
      after_each();
    }
    CHECK(ids == sentence);
  };
  {
    const TokenCache cache(folder / "x", 42, 100, 100);
    read_all(cache, [] {});
    CHECK(resident_file_bytes() - before > bytes);
  }
  const TokenCache cache(folder / "x", 42, 100, 100, before + kSlack);
  CHECK(resident_file_bytes() - before < 2 * kSlack);
  read_all(cache, [&, read = 0]() mutable {
    if (++read % 1000 == 0) cache.keep_within_bound();
  });
  CHECK(resident_file_bytes() - before < 2 * kSlack);
}

TEST_CASE("a cache that was broken off is made on from what was saved", "[data]") {
  const test::TemporaryFolder folder;
  const Sentences sentences = many_sentences();
  const auto all = std::ssize(sentences);
  for (const int64_t vocab : {40000, 400000}) {
    {
      TokenCacheWriter writer(folder / "whole", 42, vocab, vocab);
      writer.finish(add_until(writer, sentences, all));
    }
    int64_t saved = 0;
    for (const int64_t end : {0, 1, 20000, 20000, 45000}) {
      TokenCacheWriter writer(folder / "x", 42, vocab, vocab);
      CHECK(writer.saved().read == saved);
      writer.save(add_until(writer, sentences, end));
      saved = end;
      add_until(writer, sentences, all);  // lost
      CHECK(reason_against(folder / "x", 42, vocab) == "there is none yet");
    }
    {
      TokenCacheWriter writer(folder / "x", 42, vocab, vocab);
      writer.finish(add_until(writer, sentences, all));
    }
    CHECK(contents(folder / "x") == contents(folder / "whole"));
    CHECK_FALSE(std::filesystem::exists(folder / "x.part.json"));
    CHECK(reason_against(folder / "x", 42, vocab) == "");
  }
}

TEST_CASE("what was saved counts for nothing when it is damaged, or of something else", "[data]") {
  const test::TemporaryFolder folder;
  const Sentences sentences = many_sentences();
  const auto save = [&] {
    TokenCacheWriter writer(folder / "x", 42, 40000, 40000);
    writer.save(add_until(writer, sentences, 1000));
  };
  const auto log_of_opening = [&](uint64_t fingerprint, int64_t expected) {
    test::StderrCapture capture(test::StderrCapture::Kind::kPipe);
    const TokenCacheWriter writer(folder / "x", fingerprint, 40000, 40000);
    CHECK(writer.saved().read == expected);
    return capture.take();
  };
  for (const char* ending : {".ids", ".index", ".part.json"}) {
    for (const bool cut : {false, true}) {
      save();
      const std::string path = (folder / "x").string() + ending;
      std::string content = read_file(path);
      if (cut) {
        content.pop_back();
      } else {
        content[content.size() / 3] ^= 4;
      }
      write_file_atomically(path, content);
      test::contains(log_of_opening(42, 0), "x is made from its start again: " + path);
      CHECK_FALSE(std::filesystem::exists(folder / "x.part.json"));
    }
  }
  save();
  CHECK(log_of_opening(42, 1000).empty());
  test::contains(log_of_opening(43, 0), "the vocabulary or a key of data has changed");
}

}  // namespace
}  // namespace calque
