// What can be done with a trained model, through the real binary.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "support/catch.h"
#include "support/run_contents.h"
#include "support/trained_corpus.h"

using calque::read_file;
using calque::read_lines;
using calque::write_file_atomically;
using calque::test::checkpoint_folder;
using calque::test::kTrainedSteps;
using calque::test::lines_of;
using calque::test::run_binary;
using calque::test::RunResult;
using calque::test::set;
using calque::test::tiny_sentences;
using calque::test::TinyCorpus;
using calque::test::trained_corpus;
using calque::test::translate;

TEST_CASE("translations come line for line, the same for any batch and number of threads",
          "[train][translate]") {
  const TinyCorpus& corpus = trained_corpus();
  const std::string model = corpus.path("run");
  std::vector<std::string> sentences = tiny_sentences(12, 3);
  sentences.insert(sentences.begin() + 4, {"", "   ", sentences[0]});
  sentences.push_back("");
  const std::string input = lines_of(sentences);
  const std::string output = translate(model, input, {"--threads", "1"});

  write_file_atomically(corpus / "output", output);
  const std::vector<std::string> lines = read_lines(corpus / "output");
  REQUIRE(lines.size() == sentences.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    INFO(i << ": " << sentences[i] << " -> " << lines[i]);
    const bool blank = sentences[i].find_first_not_of(' ') == std::string::npos;
    CHECK(lines[i].empty() == blank);
  }
  CHECK(lines[6] == lines[0]);

  CHECK(translate(model, input, {"--threads", "2"}) == output);
  CHECK(translate(model, input, {"--threads", "3", "--line-buffered"}) == output);
  CHECK(translate(model, input, {"--beam", "1"}) ==
        translate(model, input, {"--beam", "1", "--line-buffered"}));
  CHECK(translate(model, "").empty());
  CHECK(translate(model, sentences[0]) == lines[0] + "\n");
}

TEST_CASE("text that a model was not made for is translated somehow", "[train][translate]") {
  const TinyCorpus& corpus = trained_corpus();
  std::string endless;
  for (int i = 0; i < 200; ++i) endless += "ba ";
  const std::string odd =
      read_file(corpus / "validation.target") + "\xf0\x9f\x98\x80 \xc3\xa4 ba\n" + endless + "\n";
  const std::string output = translate(corpus.path("run"), odd, {"--beam", "3"});
  CHECK(std::count(output.begin(), output.end(), '\n') == 22);
}

TEST_CASE("a checkpoint folder alone translates", "[train][translate]") {
  const TinyCorpus& corpus = trained_corpus();
  const std::string input = lines_of(tiny_sentences(5, 4));
  std::filesystem::copy(checkpoint_folder(corpus / "run", kTrainedSteps), corpus / "moved");
  std::filesystem::remove(corpus / "moved" / "optimizer.safetensors");
  CHECK(translate(corpus.path("moved"), input) ==
        translate(checkpoint_folder(corpus / "run", kTrainedSteps), input));
}

TEST_CASE("evaluate scores what it writes, as metrics does, and names the model",
          "[train][translate]") {
  const TinyCorpus& corpus = trained_corpus();
  const std::string source = corpus.path("validation.source");
  const std::string reference = corpus.path("validation.target");
  const std::string hypothesis = corpus.path("hypothesis");
  const RunResult evaluated =
      run_binary({"evaluate", "--model", corpus.path("run"), "--source", source, "--reference",
                  reference, "--hypothesis", hypothesis});
  INFO(evaluated.err);
  REQUIRE(evaluated.exit_code == 0);
  const RunResult scored = run_binary({"metrics", hypothesis, reference});
  for (const char* metric : {"BLEU = ", "chrF2 = ", "chrF2++ = ", "TER = "}) {
    CHECK_THAT(scored.out, ContainsSubstring(metric));
  }
  CHECK_THAT(scored.out, ContainsSubstring("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp"));
  CHECK(evaluated.out.starts_with(scored.out));
  const std::string model =
      fmt::format("{} (step {}, model ", checkpoint_folder(corpus / "run", kTrainedSteps).string(),
                  kTrainedSteps);
  CHECK_THAT(evaluated.out, ContainsSubstring("\nmodel: " + model));
  CHECK_THAT(evaluated.out, ContainsSubstring("\nprecision: float32\n"));
  CHECK_THAT(evaluated.out, ContainsSubstring("\nspeed: 20 sentences, "));
  CHECK(read_file(hypothesis) == translate(corpus.path("run"), read_file(source)));
  CHECK_THAT(scored.out, !ContainsSubstring("BLEU = 0.00"));

  const RunResult json = run_binary({"evaluate", "--model", corpus.path("run"), "--source", source,
                                     "--reference", reference, "--metric", "ter", "--json"});
  REQUIRE(json.exit_code == 0);
  const auto figures = nlohmann::json::parse(json.out);
  CHECK_THAT(figures["model"].get<std::string>(), Catch::Matchers::StartsWith(model));
  CHECK_THAT(figures["speed"].get<std::string>(), Catch::Matchers::StartsWith("20 sentences, "));
  CHECK(figures["precision"] == "float32");
  REQUIRE(figures["metrics"].size() == 1);
  CHECK(figures["metrics"][0]["name"] == "TER");

  const RunResult unequal = run_binary({"evaluate", "--model", corpus.path("run"), "--source",
                                        source, "--reference", corpus.path("train.target")});
  CHECK(unequal.exit_code == 2);
  CHECK_THAT(unequal.err, ContainsSubstring(source + " has 20 lines"));
}

TEST_CASE("checkpoints are averaged over harmless changes of the config, not over others",
          "[train][translate]") {
  const TinyCorpus corpus;
  const auto train = [&](const std::string& run, std::vector<std::string> values) {
    values.push_back("train.save_every=1");
    REQUIRE(run_binary(corpus.train(run, set(values))).exit_code == 0);
  };
  train("run", {"train.max_steps=1"});
  train("run", {"train.max_steps=2", "train.log_every=1"});
  train("other", {"train.max_steps=1", "seed=8"});
  const std::string first = checkpoint_folder(corpus / "run", 1);
  const auto average = [&](const std::filesystem::path& second) {
    return run_binary({"average", "--output", corpus.path("average"), first, second});
  };
  const std::string other = checkpoint_folder(corpus / "other", 1);
  const RunResult refused = average(other);
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.err, ContainsSubstring(first + " and " + other +
                                            " are not of one run, and cannot be averaged:\n  seed "
                                            "is 7 in the first and 8 in the second\n"));
  CHECK(average(checkpoint_folder(corpus / "run", 2)).exit_code == 0);
}

TEST_CASE("the average of two checkpoints translates and is inspected", "[train][translate]") {
  const TinyCorpus& corpus = trained_corpus();
  const std::string average = corpus.path("average");
  const RunResult averaged =
      run_binary({"average", "--run", corpus.path("run"), "--last", "2", "--output", average});
  INFO(averaged.err);
  REQUIRE(averaged.exit_code == 0);
  CHECK_THAT(averaged.out, ContainsSubstring("step_00000150"));
  CHECK_THAT(averaged.out, ContainsSubstring("step_00000300"));
  const std::string output = translate(average, lines_of(tiny_sentences(5, 4)));
  CHECK(std::count(output.begin(), output.end(), '\n') == 5);
  const std::string first = checkpoint_folder(corpus / "run", 150);
  const RunResult twice = run_binary({"average", "--output", corpus.path("twice"), first, first});
  CHECK(twice.exit_code == 2);
  CHECK_THAT(twice.err, ContainsSubstring(first + " is named twice; name each checkpoint once"));
  for (const std::string& folder : {average, corpus.path("run")}) {
    const RunResult inspected = run_binary({"inspect", folder});
    CHECK(inspected.exit_code == 0);
    CHECK_THAT(inspected.out, ContainsSubstring("1+1 layers, model 32, hidden 64, 2 heads"));
    CHECK_THAT(inspected.out, ContainsSubstring("60 pieces, unigram"));
  }
}

TEST_CASE("translate and evaluate refuse to overwrite what they read", "[train][translate]") {
  const TinyCorpus& corpus = trained_corpus();
  const std::string source = corpus.path("validation.source");
  const std::string reference = corpus.path("validation.target");
  const std::string before = read_file(source) + read_file(reference);
  for (const std::string& file : {source, reference}) {
    const RunResult result = run_binary({"evaluate", "--model", "/nowhere", "--source", source,
                                         "--reference", reference, "--hypothesis", file});
    CHECK(result.exit_code == 2);
    CHECK(result.err == "calque: error: --hypothesis " + file + " is also read, as " + file +
                            ": writing would destroy it; name another file\n");
  }
  const RunResult translated =
      run_binary({"translate", "--model", "/nowhere", "--input", source, "--output", source});
  CHECK(translated.exit_code == 2);
  CHECK_THAT(translated.err, ContainsSubstring("--output " + source + " is also read"));
  CHECK(read_file(source) + read_file(reference) == before);
}

TEST_CASE("inspect says that training cannot go on from a damaged checkpoint, and why",
          "[train][translate]") {
  const TinyCorpus& corpus = trained_corpus();
  const std::string copy = corpus.path("damaged");
  std::filesystem::copy(checkpoint_folder(corpus / "run", kTrainedSteps), copy);
  CHECK_THAT(run_binary({"inspect", copy}).out,
             ContainsSubstring("translates; training can go on from it\n"));
  std::filesystem::resize_file(copy + "/optimizer.safetensors", 0);
  const RunResult text = run_binary({"inspect", copy});
  CHECK(text.exit_code == 0);
  CHECK_THAT(text.out, ContainsSubstring("translates; training cannot go on from it: " + copy +
                                         "/optimizer.safetensors is damaged: it has 0 bytes"));
  const RunResult json = run_binary({"inspect", copy, "--json"});
  CHECK_THAT(json.out, ContainsSubstring("\"resumable\": false"));
  CHECK_THAT(json.out, ContainsSubstring("\"damage\": \"" + copy));
}

TEST_CASE("more threads than processors and a single sentence are said well",
          "[train][translate]") {
  const TinyCorpus& corpus = trained_corpus();
  const RunResult result =
      run_binary({"translate", "--model", corpus.path("run"), "--threads", "300"}, "ba di\n");
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.err, ContainsSubstring("warning: 300 threads share "));
  CHECK_THAT(result.err, ContainsSubstring("1 sentence, "));
}
