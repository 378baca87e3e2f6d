#include "data/repeats.h"

#include "base/temporary_folder.h"
#include "support/catch.h"
#include "text/sample_text.h"

namespace calque {
namespace {

TextCheck write_pairs(const test::TemporaryFolder& folder, const std::string& name,
                      const std::vector<std::string>& source,
                      const std::vector<std::string>& target) {
  TextCheck text;
  text.name = name;
  text.files.source = {test::write_text(folder / (name + ".en"), test::join_lines(source))};
  text.files.target = {test::write_text(folder / (name + ".de"), test::join_lines(target))};
  text.source_lines = {std::ssize(source)};
  text.target_lines = {std::ssize(target)};
  return text;
}

std::vector<std::string> places(const DropReport::Count& count) {
  std::vector<std::string> result;
  for (const FaultExample& example : count.examples) {
    result.push_back(std::to_string(example.place.line) + " like " +
                     std::to_string(example.like->line));
  }
  return result;
}

TEST_CASE("repeated pairs are found, however few fit into memory at once", "[data]") {
  const test::TemporaryFolder folder;
  std::vector<std::string> source;
  std::vector<std::string> target;
  for (int i = 0; i < 500; ++i) {
    source.push_back("line " + std::to_string(i % 490));  // ten pairs occur twice
    target.push_back("zeile " + std::to_string(i % 490));
  }
  source[5] = target[5] = source[6] = target[6] = "";  // no pairs that count
  target[499] = "another translation";
  for (const int64_t at_once : {kPairsAtOnce, int64_t{100}, int64_t{7}}) {
    std::vector<TextCheck> texts{
        write_pairs(folder, "train", source, target),
        write_pairs(folder, "test", {"new", "line 3", "line 495", "line 3"},
                    {"neu", "zeile 3", "zeile 5", "zeile 3"})};
    count_repeats(texts, {}, 4, at_once);
    const DropReport::Count& train = texts[0].report.of(Fault::kDuplicate);
    CHECK(train.count == 7);  // of ten: lines 6 and 7 are empty, line 500 is another
    CHECK(places(train) ==
          std::vector<std::string>{"491 like 1", "492 like 2", "493 like 3", "494 like 4"});
    CHECK(texts[0].report.of(Fault::kInTraining).count == 0);
    CHECK(places(texts[1].report.of(Fault::kDuplicate)) == std::vector<std::string>{"4 like 2"});
    CHECK(places(texts[1].report.of(Fault::kInTraining)) ==
          std::vector<std::string>{"2 like 4", "4 like 4"});
  }
}

TEST_CASE("a pair is the same when its text is the same after mending", "[data]") {
  const test::TemporaryFolder folder;
  std::vector<TextCheck> texts{
      write_pairs(folder, "train", {"one", "one\r", "one"}, {"eins", "eins", "ein\xC2\x85s"})};
  count_repeats(texts, {}, 4);
  CHECK(places(texts[0].report.of(Fault::kDuplicate)) == std::vector<std::string>{"2 like 1"});
}

}  // namespace
}  // namespace calque
