#include "data/corpus.h"

#include <zlib.h>

#include "base/parallel.h"
#include "base/stderr_capture.h"
#include "data/corpus_fixture.h"
#include "support/catch.h"

namespace calque {
namespace {

using test::contains;
using test::CorpusFolder;
using Kind = test::StderrCapture::Kind;

void write_gzip(const std::string& path, const std::string& text) {
  gzFile file = gzopen(path.c_str(), "wb");
  REQUIRE(file != nullptr);
  REQUIRE(gzwrite(file, text.data(), static_cast<unsigned>(text.size())) > 0);
  REQUIRE(gzclose(file) == Z_OK);
}

TEST_CASE("a corpus holds the pairs of its files in order", "[data]") {
  const CorpusFolder folder(100);
  const ParallelCorpus corpus = folder.open();
  const std::vector<std::string> source = test::sample_sentences(100, 11);
  const std::vector<std::string> target = test::sample_sentences(100, 12);
  REQUIRE(corpus.size() == 100);
  int64_t pieces = 0;
  int64_t longest = 0;
  for (int64_t i = 0; i < corpus.size(); ++i) {
    CHECK(test::source_text(corpus, i) == source[static_cast<size_t>(i)]);
    CHECK(test::target_text(corpus, i) == target[static_cast<size_t>(i)]);
    CHECK(corpus.line(i) == i + 1);
    pieces += corpus.source_length(i);
    longest = std::max(longest, corpus.target_length(i));
  }
  CHECK(corpus.source_pieces() == pieces);
  CHECK(corpus.longest_target() == longest);
  CHECK(corpus.drop_report().kept() == 100);
  CHECK(corpus.drop_report().left_out == 0);
}

TEST_CASE("several files of a side are one text, plain or gzip", "[data]") {
  CorpusFolder folder;
  folder.write("the dog\n", "the cat\nshe sleeps\n");
  folder.files.source.push_back((folder.folder / "more.en.gz").string());
  write_gzip(folder.files.source[1], "she walks\n\nseven houses\n");
  folder.files.target.push_back((folder.folder / "more.de").string());
  test::write_text(folder.files.target[1], "over\nseven gardens\n");
  contains(folder.error(), "unequal numbers of lines: " + folder.files.source[0] + " has 1 but " +
                               folder.files.target[0] + " has 2");
  folder.options.max_dropped = 0.5;
  folder.files.source.push_back(test::write_text(folder.folder / "last.en", ""));
  const ParallelCorpus corpus = folder.open();
  REQUIRE(corpus.size() == 3);
  CHECK(test::source_text(corpus, 1) == "she walks");
  CHECK(test::target_text(corpus, 1) == "she sleeps");
  CHECK(corpus.line(2) == 4);
}

TEST_CASE("unequal numbers of lines name the files and their lines", "[data]") {
  CorpusFolder folder;
  folder.write("a\nb\nc\n", "a\nb\n");
  contains(folder.error(), "unequal numbers of lines: " + folder.files.source[0] + " has 3 but " +
                               folder.files.target[0] + " has 2; line n of the one must be");
  folder.files.source.push_back(test::write_text(folder.folder / "x", "d\n"));
  contains(folder.error(), folder.files.source[0] + ", " + folder.files.source[1] + " has 4 but ");
}

TEST_CASE("files that cannot be read are errors", "[data]") {
  CorpusFolder folder;
  contains(folder.error(), "data.train.source should name at least one file but is empty");
  folder.write("a\nb\n", "a\nM\xFCll\n");
  contains(folder.error(), folder.files.target[0] + ":2: byte 2 of the line (0xFC) is not UTF-8");
  folder.files.target[0] = (folder.folder / "nowhere").string();
  contains(folder.error(), folder.files.target[0]);
}

TEST_CASE("pairs that cannot be trained on are counted and named", "[data]") {
  CorpusFolder folder;
  folder.write("dog\n\n \n\ndog\nthe dog walks the dog walks\ncat\n",
               "dog\ncat\ncat\n\t\n\ncat\nthe dog walks the dog walks\n");
  folder.options.max_length = 6;
  folder.options.max_dropped = 0.9;
  const ParallelCorpus corpus = folder.open();
  const DropReport& report = corpus.drop_report();
  CHECK(corpus.size() == 1);
  CHECK(report.read == 7);
  CHECK(report.kept() == 1);
  CHECK(report.of(Fault::kEmptySource).count == 2);
  CHECK(report.of(Fault::kEmptyBoth).count == 1);
  CHECK(report.of(Fault::kEmptyTarget).count == 1);
  CHECK(report.of(Fault::kSourceTooLong).count == 1);
  CHECK(report.of(Fault::kTargetTooLong).count == 1);
  const std::string source = folder.files.source[0];
  const std::string target = folder.files.target[0];
  CHECK(report.lines("train", folder.options) ==
        std::vector<std::string>{
            "train: 1 of 7 pairs kept",
            "train: left out: 2 with an empty source (" + source + ":2, " + source + ":3)",
            "train: left out: 1 with an empty target (" + target + ":5)",
            "train: left out: 1 with both sides empty (" + source + ":4)",
            "train: left out: 1 with too long a source (" + source + ":6)",
            "train: left out: 1 with too long a target (" + target + ":7)",
            "train: noted: 1 with a target equal to the source (" + source + ":1)"});
}

TEST_CASE("max_length counts the end id", "[data]") {
  CorpusFolder folder(20);
  const int64_t longest = std::max(folder.open().longest_source(), folder.open().longest_target());
  folder.options.max_length = longest + 1;
  CHECK(folder.open().size() == 20);
  folder.options.max_length = longest;
  CHECK(folder.open().size() < 20);
}

TEST_CASE("policies refuse what the user does not want left out", "[data]") {
  CorpusFolder folder;
  folder.write("dog\n\nthe dog walks\ncat\n", "dog\ncat\ncat\ncat\n");
  folder.options.max_length = 3;
  contains(folder.error(),
           "50.00 % of the pairs of data.train would be left out, more than "
           "data.max_dropped (10.00 %) allows");
  folder.options.max_dropped = 0.5;
  CHECK(folder.open().size() == 2);
  folder.options.empty = FaultPolicy::kError;
  contains(folder.error(), "pairs of data.train cannot be used: 1 with an empty source (" +
                               folder.files.source[0] +
                               ":2); mend these lines, or set data.empty: skip");
  folder.options.empty = FaultPolicy::kSkip;
  folder.options.too_long = FaultPolicy::kError;
  contains(folder.error(), "1 with too long a source (" + folder.files.source[0] +
                               ":3); raise data.max_length, or set data.too_long: skip");
  folder.write("\n\n", "a\n\n");
  contains(folder.error(), "no sentence pair is left in data.train");
}

TEST_CASE("what is wrong with lines is mended, left out or refused, and counted", "[data]") {
  CorpusFolder folder;
  folder.write("\xEF\xBB\xBFthe dog\r\nthe\x01 cat\nM\xFCll\nshe\n",
               "a dog\na\xE2\x80\xA8"
               "cat\nover\nhe\n");
  const std::string source = folder.files.source[0];
  const std::string target = folder.files.target[0];
  contains(folder.error(), source + ":3: byte 2 of the line (0xFC) is not UTF-8");
  folder.options.max_dropped = 0.5;
  folder.options.lines.invalid_utf8 = FaultPolicy::kSkip;
  {
    const ParallelCorpus corpus = folder.open();
    REQUIRE(corpus.size() == 3);
    CHECK(test::source_text(corpus, 0) == "the dog");
    CHECK(test::source_text(corpus, 1) == "the cat");
    CHECK(test::target_text(corpus, 1) == "a cat");
    CHECK(corpus.line(2) == 4);
    CHECK(corpus.drop_report().lines("train", folder.options) ==
          std::vector<std::string>{
              "train: 3 of 4 pairs kept",
              "train: left out: 1 line with bytes that are not UTF-8 (" + source + ":3 byte 2)",
              "train: mended: 1 line with a byte order mark (" + source + ":1 byte 1)",
              "train: mended: 1 line with a carriage return (" + source + ":1 byte 11)",
              "train: mended: 1 line with U+0085, U+2028 or U+2029 (" + target + ":2 byte 2)",
              "train: mended: 1 line with a control character (" + source + ":2 byte 4)"});
    CHECK(corpus.summary() ==
          "3 of 4 pairs; left out: 1 line with bytes that are not UTF-8; mended: 1 line with a "
          "byte order "
          "mark; mended: 1 line with a carriage return; mended: 1 line with U+0085, U+2028 or "
          "U+2029; mended: 1 line with a control character");
  }
  folder.options.lines.invalid_utf8 = FaultPolicy::kReplace;
  CHECK(folder.open().size() == 4);
  folder.options.lines.control_character = FaultPolicy::kError;
  contains(folder.error(), source + ":2: byte 4 of the line (0x01) is, or begins, a control");
}

TEST_CASE("long pairs can be cut, uneven ones and copies left out", "[data]") {
  CorpusFolder folder;
  std::string many_words;
  for (int i = 0; i < 10; ++i) many_words += "the dog walks ";
  folder.write("dog\n" + many_words + "\nshe sleeps\n", "dog\ncat\nhe sleeps\n");
  folder.options.max_dropped = 0.9;
  folder.options.max_length = 6;
  folder.options.too_long = FaultPolicy::kTruncate;
  CHECK(folder.open().size() == 3);
  CHECK(folder.open().source_length(1) == 5);
  folder.options.max_length = 256;
  folder.options.max_length_ratio = 3;
  CHECK(folder.open().drop_report().of(Fault::kLengthRatio).count == 1);
  CHECK(folder.open().drop_report().of(Fault::kCopy).count == 1);
  CHECK(folder.open().size() == 3);
  folder.options.length_ratio = FaultPolicy::kSkip;
  CHECK(folder.open().size() == 2);
  folder.options.copy = FaultPolicy::kSkip;
  CHECK(folder.open().size() == 1);
  CHECK(test::source_text(folder.open(), 0) == "she sleeps");
  folder.options.copy = FaultPolicy::kError;
  contains(folder.error(), "1 with a target equal to the source (" + folder.files.source[0] +
                               ":1); translate these lines, or set data.copy: skip");
}

TEST_CASE("what is done with the text decides about its fingerprint", "[data]") {
  CorpusFolder folder(30);
  const uint64_t before = folder.open().fingerprint();
  folder.options.too_long = FaultPolicy::kError;
  folder.options.empty = FaultPolicy::kError;
  CHECK(folder.open().fingerprint() == before);  // nothing else is read
  folder.options.too_long = FaultPolicy::kTruncate;
  CHECK(folder.open().fingerprint() != before);
  folder.options.too_long = FaultPolicy::kSkip;
  folder.options.lines.carriage_return = FaultPolicy::kSkip;
  CHECK(folder.open().fingerprint() != before);
}

TEST_CASE("the cache is used again, with its report, until something changes", "[data]") {
  CorpusFolder folder(30);
  const auto log_of_opening = [&] {
    test::StderrCapture capture(Kind::kPipe);
    folder.open();
    return capture.take();
  };
  contains(log_of_opening(), "there is none yet");
  const std::string again = log_of_opening();
  CHECK(again.find("token cache") == std::string::npos);
  contains(again, "train: 30 of 30 pairs kept");

  const uint64_t fingerprint = folder.open().fingerprint();
  folder.options.max_length = 200;
  contains(log_of_opening(), "the text, the vocabulary or a key of data has changed");
  CHECK(folder.open().fingerprint() != fingerprint);
  folder.options.max_length = 256;
  CHECK(folder.open().fingerprint() == fingerprint);
  folder.write("the dog\n\n", "a cat\nb\n");
  folder.options.max_dropped = 1;
  contains(log_of_opening(), "has changed");
  contains(log_of_opening(), "train: left out: 1 with an empty source");
  CHECK(test::source_text(folder.open(), 0) == "the dog");
}

TEST_CASE("a damaged cache is found and made again", "[data]") {
  const CorpusFolder folder(30);
  folder.open();
  for (const char* ending : {".ids", ".index", ".json"}) {
    const std::filesystem::path path = folder.folder / (std::string("cache/train") + ending);
    const std::string whole = read_file(path);
    for (const int damage : {0, 1, 2}) {
      std::string content = whole;
      if (damage == 0) content[content.size() / 2] ^= 1;
      if (damage == 1) content.resize(content.size() - 2);
      if (damage == 2) content.clear();
      write_file_atomically(path, content);
      test::StderrCapture capture(Kind::kPipe);
      const ParallelCorpus corpus = folder.open();
      const std::string log = capture.take();
      INFO(ending << ", damage " << damage);
      contains(log, "making the token cache");
      contains(log, std::string("train") + ending);
      CHECK(corpus.size() == 30);
      CHECK(read_file(path) == whole);
    }
  }
}

TEST_CASE("any number of threads makes the same cache", "[data]") {
  const CorpusFolder folder(5000);
  const int before = threads();
  set_threads(1);
  folder.open();
  const std::string ids = read_file(folder.folder / "cache/train.ids");
  const std::string index = read_file(folder.folder / "cache/train.index");
  std::filesystem::remove(folder.folder / "cache/train.json");
  set_threads(3);
  folder.open();
  set_threads(before);
  CHECK(read_file(folder.folder / "cache/train.ids") == ids);
  CHECK(read_file(folder.folder / "cache/train.index") == index);
}

}  // namespace
}  // namespace calque
