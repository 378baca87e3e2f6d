#include "decode/beam_search.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "decode/teacher_forcing.h"
#include "support/catch.h"
#include "support/each_engine.h"
#include "support/example_batch.h"
#include "support/own_engine_scope.h"
#include "text/special_ids.h"

namespace calque {
namespace {

using Tokens = std::vector<int32_t>;

/// Source sentences, each with its end.
struct Sources {
  std::vector<SearchInput> all;

  Sources() = default;
  explicit Sources(const std::vector<int64_t>& lengths, int64_t vocab, uint64_t seed = 1) {
    const std::vector<int64_t> no_words(lengths.size(), 0);
    const test::ExampleBatch batch(lengths, no_words, vocab, seed);
    const TrainingExample example = batch.view();
    for (size_t s = 0; s < lengths.size(); ++s) {
      const auto begin = example.source.begin() + example.source_layout.begins[s];
      all.push_back({{begin, begin + example.source_layout.lengths[s]}, {}, std::ssize(all)});
    }
  }
  /// The sentence `s` alone.
  Sources single(int64_t s) const {
    Sources one;
    one.all.push_back(all[static_cast<size_t>(s)]);
    return one;
  }
  int64_t sentences() const { return std::ssize(all); }
  int64_t tokens(int64_t s) const { return std::ssize(all[static_cast<size_t>(s)].source); }
};

using Found = std::vector<std::vector<Hypothesis>>;

Found search(const Ensemble& models, const DecodeOptions& options, const Sources& sources) {
  Arena arena;
  Workspace workspace(8);
  Found found = BeamSearch(models, options, arena, workspace).search(sources.all);
  CHECK(arena.used() == 0);
  return found;
}

/// log p(token | source, prefix) of every token, by teacher forcing.
std::vector<double> next_log_probabilities(Transformer& model, const Sources& source,
                                           const Tokens& prefix) {
  Arena arena;
  Workspace workspace(8);
  Context context(arena, workspace);
  Tokens input{kBeginId};
  input.insert(input.end(), prefix.begin(), prefix.end());
  SequenceLayoutBuffer target;
  target.append(static_cast<int64_t>(input.size()));
  SequenceLayoutBuffer layout;
  layout.append(source.tokens(0));
  const Var memory = model.encode(context, source.all[0].source, layout.view());
  const Var x = model.decode(context, input, target.view(), memory, layout.view());
  const Var logits = model.logits(context, x);
  const Real* last = logits.matrix().row(logits.rows() - 1);
  std::vector<double> result(last, last + logits.cols());
  double sum = 0;
  for (const double logit : result) sum += std::exp(logit);
  for (double& logit : result) logit -= std::log(sum);
  return result;
}

/// Greedy search as the textbook has it: the likeliest token, until the end or the limit.
std::pair<Tokens, double> greedy(Transformer& model, const Sources& source, int64_t limit) {
  Tokens ids;
  double log_probability = 0;
  while (true) {
    const std::vector<double> next = next_log_probabilities(model, source, ids);
    const auto best = std::max_element(next.begin(), next.end());
    const auto token = static_cast<int32_t>(best - next.begin());
    if (token == kEndId || static_cast<int64_t>(ids.size()) + 1 == limit) {
      return {ids, log_probability + next[kEndId]};
    }
    ids.push_back(token);
    log_probability += *best;
  }
}

/// The log-probability of every possible output of at most `limit` tokens, the end counted.
/// model: a Transformer, or what else next_log_probabilities takes.
template <class Model>
void enumerate(Model& model, const Sources& source, int64_t limit, const Tokens& prefix,
               double log_probability, std::map<Tokens, double>& all) {
  const std::vector<double> next = next_log_probabilities(model, source, prefix);
  all[prefix] = log_probability + next[kEndId];
  if (static_cast<int64_t>(prefix.size()) + 1 == limit) return;
  for (int32_t token = 0; token < static_cast<int32_t>(next.size()); ++token) {
    if (token == kEndId) continue;
    Tokens longer = prefix;
    longer.push_back(token);
    enumerate(model, source, limit, longer, log_probability + next[static_cast<size_t>(token)],
              all);
  }
}

/// Models whose probabilities are averaged, with weights that sum up to 1.
struct Mixture {
  std::vector<Ensemble::Member> members;
};

std::vector<double> next_log_probabilities(const Mixture& mixture, const Sources& source,
                                           const Tokens& prefix) {
  std::vector<double> mean;
  for (const Ensemble::Member& member : mixture.members) {
    const std::vector<double> next = next_log_probabilities(*member.model, source, prefix);
    mean.resize(next.size());
    for (size_t i = 0; i < next.size(); ++i) mean[i] += member.weight * std::exp(next[i]);
  }
  for (double& p : mean) p = std::log(p);
  return mean;
}

constexpr int64_t kToyVocab = 5;
constexpr int64_t kToyLimit = 4;

/// A model of five tokens that cannot write more than four.
Transformer toy_model(uint64_t seed) {
  TransformerOptions options = test::tiny_options();
  options.positions = Positions::kLearned;
  options.max_positions = kToyLimit;
  return test::random_model(options, kToyVocab, kToyVocab, seed);
}

constexpr int64_t kVocab = 23;

Transformer some_model(uint64_t seed = 7) {
  TransformerOptions options = test::tiny_options();
  options.model = 32;
  options.heads = 4;
  options.decoder_layers = 2;
  return test::random_model(options, kVocab, kVocab, seed);
}

DecodeOptions with_beam(int64_t beam) {
  DecodeOptions options;
  options.beam = beam;
  options.max_length_ratio = 0.5;
  return options;
}

int64_t limit_of(const Sources& sources, int64_t s) {
  return static_cast<int64_t>(0.5 * static_cast<double>(sources.tokens(s))) + 10;
}

TEST_CASE("with a beam that prunes nothing, search finds every output, the best first",
          "[decode]") {
  DecodeOptions options;
  options.beam = 100;  // more than the 1 + 4 + 16 + 64 outputs
  options.length_penalty = GENERATE(0.0, 0.6, 1.0, 2.0);
  Transformer model = toy_model(GENERATE(1u, 2u));
  REQUIRE(model.longest_sentence() == kToyLimit);
  const Sources sources({2, 0, 3}, kToyVocab);
  const Found found = search(model, options, sources);
  for (int64_t s = 0; s < sources.sentences(); ++s) {
    std::map<Tokens, double> all;
    enumerate(model, sources.single(s), kToyLimit, {}, 0, all);
    const std::vector<Hypothesis>& hypotheses = found[static_cast<size_t>(s)];
    REQUIRE(all.size() == 85);
    REQUIRE(hypotheses.size() == all.size());
    double best = -INFINITY;
    for (const auto& [ids, log_probability] : all) {
      const auto length = static_cast<double>(ids.size() + 1);
      best = std::max(best, log_probability / std::pow(length, options.length_penalty));
    }
    CHECK(hypotheses.front().score == Approx(best).epsilon(1e-5));
    for (const Hypothesis& h : hypotheses) {
      REQUIRE(all.count(h.ids) == 1);
      CHECK(h.log_probability == Approx(all[h.ids]).epsilon(1e-5));
      all.erase(h.ids);  // each is found once
    }
    CHECK(all.empty());
  }
}

/// Checks that a search that prunes nothing finds what `allowed` is true of, and nothing else.
template <class Model, class Allowed>
void check_exhaustive(Model& model, const Found& found, const Sources& sources, int64_t limit,
                      const Allowed& allowed) {
  for (int64_t s = 0; s < sources.sentences(); ++s) {
    std::map<Tokens, double> all;
    enumerate(model, sources.single(s), limit, {}, 0, all);
    std::erase_if(all, [&](const auto& output) { return !allowed(output.first); });
    const std::vector<Hypothesis>& hypotheses = found[static_cast<size_t>(s)];
    REQUIRE(!all.empty());
    CHECK(hypotheses.size() == all.size());
    for (const Hypothesis& h : hypotheses) {
      REQUIRE(all.count(h.ids) == 1);
      CHECK(h.log_probability == Approx(all[h.ids]).epsilon(1e-5));
      all.erase(h.ids);
    }
  }
}

DecodeOptions exhaustive() {
  DecodeOptions options;
  options.beam = 100;
  return options;
}

TEST_CASE("constraints leave of all outputs those that they allow, with the same probabilities",
          "[decode]") {
  Transformer model = toy_model(GENERATE(1u, 2u));
  Sources sources({2, 0, 3}, kToyVocab);
  DecodeOptions options = exhaustive();
  const auto check = [&](int64_t limit, const auto& allowed) {
    check_exhaustive(model, search(model, options, sources), sources, limit, allowed);
  };
  SECTION("min_length") {
    options.constraints.min_length = 3;
    check(kToyLimit, [](const Tokens& ids) { return ids.size() >= 2; });
  }
  SECTION("min_length beyond the limit") {
    options.constraints.min_length = 9;
    check(kToyLimit, [](const Tokens& ids) { return ids.size() == 3; });
  }
  SECTION("max_output") {
    options.max_output = 3;
    check(3, [](const Tokens&) { return true; });
  }
  SECTION("a single token") {
    options.max_output = 1;
    check(1, [](const Tokens&) { return true; });
  }
  SECTION("no unknown") {
    options.constraints.allow_unknown = false;
    check(kToyLimit, [](const Tokens& ids) { return std::ranges::count(ids, kUnknownId) == 0; });
  }
  SECTION("no token twice") {
    options.constraints.no_repeat_ngram = 1;
    check(kToyLimit, [](const Tokens& ids) {
      return std::ranges::all_of(ids, [&](int32_t id) { return std::ranges::count(ids, id) == 1; });
    });
  }
  SECTION("no pair twice") {
    options.constraints.no_repeat_ngram = 2;
    check(kToyLimit,
          [](const Tokens& ids) { return ids.size() < 3 || ids[0] != ids[1] || ids[1] != ids[2]; });
  }
  SECTION("prefixes, and one that fills the whole limit") {
    sources.all[0].prefix = {3};
    sources.all[1].prefix = {4, 4};
    sources.all[2].prefix = {0, 3, 4};
    const Found found = search(model, options, sources);
    for (int64_t s = 0; s < 3; ++s) {
      const Tokens& prefix = sources.all[static_cast<size_t>(s)].prefix;
      check_exhaustive(model, {found[static_cast<size_t>(s)]}, sources.single(s), kToyLimit,
                       [&](const Tokens& ids) {
                         return ids.size() >= prefix.size() &&
                                std::equal(prefix.begin(), prefix.end(), ids.begin());
                       });
    }
  }
  SECTION("a prefix beyond the limit is cut") {
    for (SearchInput& input : sources.all) input.prefix = {3, 4, 3, 4, 3};
    check(kToyLimit, [](const Tokens& ids) { return ids == Tokens{3, 4, 3}; });
  }
  SECTION("several at once") {
    options.constraints = {.min_length = 3, .no_repeat_ngram = 1, .allow_unknown = false};
    check(kToyLimit, [](const Tokens& ids) {
      return ids.size() >= 2 && std::ranges::count(ids, kUnknownId) == 0 &&
             std::ranges::all_of(ids, [&](int32_t id) { return std::ranges::count(ids, id) == 1; });
    });
  }
}

TEST_CASE("where every token is ruled out, the translation ends", "[decode]") {
  Transformer model = some_model();
  DecodeOptions options = with_beam(GENERATE(1, 3, 30));
  options.max_length_ratio = 100;
  options.constraints = {.min_length = 100, .no_repeat_ngram = 1};
  const Sources sources({5, 9}, kVocab);
  for (const std::vector<Hypothesis>& hypotheses : search(model, options, sources)) {
    REQUIRE(!hypotheses.empty());
    for (const Hypothesis& h : hypotheses) {
      CHECK(h.ids.size() == kVocab - 1);  // every token once, but the end
      CHECK(std::isfinite(h.score));
    }
  }
}

TEST_CASE("an ensemble finds every output, with the mean of its models' probabilities",
          "[decode]") {
  Transformer first = toy_model(1);
  Transformer second = toy_model(2);
  const Sources sources({2, 0, 3}, kToyVocab);
  const Mixture mixture{{{&first, 0.75}, {&second, 0.25}}};
  const Ensemble ensemble({{&first, 3}, {&second, 1}});
  CHECK(ensemble.longest_sentence() == kToyLimit);
  check_exhaustive(mixture, search(ensemble, exhaustive(), sources), sources, kToyLimit,
                   [](const Tokens&) { return true; });
}

TEST_CASE("an ensemble of a model with itself is the model", "[decode]") {
  Transformer model = some_model();
  const Sources sources({5, 0, 9, 2}, kVocab);
  const DecodeOptions options = with_beam(4);
  const Found alone = search(model, options, sources);
  const Found twice = search(Ensemble({{&model}, {&model}}), options, sources);
  for (size_t s = 0; s < alone.size(); ++s) {
    CHECK(twice[s].front().ids == alone[s].front().ids);
    CHECK(twice[s].front().score == Approx(alone[s].front().score).epsilon(1e-5));
  }
}

TEST_CASE("a hypothesis has the log-probability of each token, as teacher forcing has them",
          "[decode]") {
  Transformer model = some_model();
  DecodeOptions options = with_beam(4);
  options.constraints.no_repeat_ngram = GENERATE(0, 2);
  options.sampling.on = GENERATE(false, true);
  options.sampling.temperature = 1.7;
  Sources sources({5, 0, 9, 2}, kVocab);
  sources.all[2].prefix = {7, 7, 8};
  const Found found = search(model, options, sources);
  std::vector<ForcedPair> pairs;
  std::vector<Hypothesis> flat;
  for (size_t s = 0; s < found.size(); ++s) {
    for (const Hypothesis& h : found[s]) flat.push_back(h);
    for (const Hypothesis& h : found[s]) pairs.push_back({sources.all[s].source, h.ids});
  }
  Arena arena;
  Workspace workspace(8);
  const auto forced = score_pairs(model, pairs, 100, {arena, workspace});
  REQUIRE(forced.size() == flat.size());
  for (size_t i = 0; i < flat.size(); ++i) {
    REQUIRE(flat[i].token_log_probabilities.size() == flat[i].ids.size() + 1);
    REQUIRE(forced[i].size() == flat[i].ids.size() + 1);
    double sum = 0;
    for (size_t t = 0; t < forced[i].size(); ++t) {
      CHECK(flat[i].token_log_probabilities[t] == Approx(forced[i][t]).epsilon(1e-4));
      sum += static_cast<double>(flat[i].token_log_probabilities[t]);
    }
    CHECK(flat[i].log_probability == Approx(sum).epsilon(1e-5));
  }
}

TEST_CASE("samples are as likely as the model finds them", "[decode]") {
  Transformer model = toy_model(1);
  const Sources sources({2}, kToyVocab);
  std::map<Tokens, double> all;
  enumerate(model, sources, kToyLimit, {}, 0, all);
  DecodeOptions options;
  options.beam = 1000;
  options.sampling.on = true;
  std::map<Tokens, double> counts;
  constexpr int kCalls = 10;
  for (options.sampling.seed = 1; options.sampling.seed <= kCalls; ++options.sampling.seed) {
    const Found found = search(model, options, sources);
    REQUIRE(found.front().size() == 1000);
    for (const Hypothesis& h : found.front()) counts[h.ids] += 1;
  }
  // At the limit the end is forced, so an output is as likely as all that go on from there.
  double chi_square = 0;
  double rare = 0;  // those expected less than five times are taken together
  double rare_expected = 0;
  for (const auto& [ids, log_probability] : all) {
    const bool forced = static_cast<int64_t>(ids.size()) + 1 == kToyLimit;
    const double end = forced ? next_log_probabilities(model, sources, ids)[kEndId] : 0;
    const double expected = 1000 * kCalls * std::exp(log_probability - end);
    if (expected < 5) {
      rare += counts[ids];
      rare_expected += expected;
    } else {
      chi_square += std::pow(counts[ids] - expected, 2) / expected;
    }
  }
  if (rare_expected > 0) chi_square += std::pow(rare - rare_expected, 2) / rare_expected;
  CHECK(chi_square < 140);  // at most 84 degrees of freedom: 1 in 10,000
}

TEST_CASE("a sample depends on seed, line and number, not on its batch or on other samples",
          "[decode]") {
  const test::OwnEngineScope engine;
  Transformer model = some_model();
  DecodeOptions options = with_beam(1);
  options.sampling = {.on = true, .temperature = 1.3, .top_k = 15, .top_p = 0.95};
  const Sources sources({5, 0, 9, 2, 14, 5}, kVocab);
  const Found one = search(model, options, sources);
  options.beam = 3;
  options.batch_tokens = GENERATE(1, 50, 4096);
  const Found three = search(model, options, sources);
  std::set<Tokens> different;
  for (size_t s = 0; s < one.size(); ++s) {
    REQUIRE(three[s].size() == 3);
    CHECK(three[s][0].ids == one[s][0].ids);
    CHECK(three[s][0].log_probability == one[s][0].log_probability);
    for (const Hypothesis& h : three[s]) different.insert(h.ids);
  }
  CHECK(different.size() > 12);
  options.sampling.seed = 2;
  CHECK(search(model, options, sources)[0][0].ids != one[0][0].ids);
}

TEST_CASE("beam 1 is greedy search", "[decode]") {
  const DecodeOptions options = with_beam(1);
  Transformer model = some_model(GENERATE(1u, 2u, 3u));
  const Sources sources({5, 0, 9, 2}, kVocab);
  test::with_each_engine([&] {
    const Found found = search(model, options, sources);
    for (int64_t s = 0; s < sources.sentences(); ++s) {
      const auto [ids, log_probability] = greedy(model, sources.single(s), limit_of(sources, s));
      REQUIRE(found[static_cast<size_t>(s)].size() == 1);
      const Hypothesis& h = found[static_cast<size_t>(s)].front();
      CHECK(h.ids == ids);
      CHECK(h.log_probability == Approx(log_probability).epsilon(1e-4));
    }
  });
}

TEST_CASE("a batch gives what its sentences give one by one", "[decode]") {
  const DecodeOptions options = with_beam(GENERATE(1, 4));
  Transformer model = some_model();
  const Sources sources({5, 0, 9, 2, 14, 1}, kVocab);
  test::with_each_engine([&] {
    const Found together = search(model, options, sources);
    for (int64_t s = 0; s < sources.sentences(); ++s) {
      const std::vector<Hypothesis> alone = search(model, options, sources.single(s)).front();
      const std::vector<Hypothesis>& batched = together[static_cast<size_t>(s)];
      REQUIRE(batched.size() == alone.size());
      for (size_t i = 0; i < alone.size(); ++i) {
        CHECK(batched[i].ids == alone[i].ids);
        CHECK(batched[i].score == Approx(alone[i].score).epsilon(1e-5));
      }
    }
  });
}

TEST_CASE("waiting sentences take the place of those that are done, and change no bit",
          "[decode]") {
  const test::OwnEngineScope engine;
  DecodeOptions options = with_beam(GENERATE(1, 4));
  Transformer model = some_model();
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < 40; ++i) lengths.push_back(i * 5 % 13);
  const Sources sources(lengths, kVocab);
  const Found together = search(model, options, sources);
  options.batch_tokens = GENERATE(1, 30, 100);  // a sentence at a time, two, ...
  Arena arena;
  Workspace workspace(8);
  std::vector<int64_t> done;
  const Found found =
      BeamSearch(model, options, arena, workspace).search(sources.all, [&](int64_t now) {
        done.push_back(now);
      });
  CHECK(std::ranges::is_sorted(done));
  CHECK(done.back() >= 35);
  for (size_t s = 0; s < found.size(); ++s) {
    REQUIRE(found[s].size() == together[s].size());
    for (size_t i = 0; i < found[s].size(); ++i) {
      CHECK(found[s][i].ids == together[s][i].ids);
      CHECK(found[s][i].log_probability == together[s][i].log_probability);
    }
  }
}

TEST_CASE("a sentence larger than a batch makes no other batch larger", "[decode]") {
  DecodeOptions options = with_beam(2);
  options.batch_tokens = 40;
  Transformer model = some_model();
  const auto peak_of = [&](const std::vector<int64_t>& lengths) {
    Arena arena;
    Workspace workspace(8);
    BeamSearch(model, options, arena, workspace).search(Sources(lengths, kVocab).all);
    return arena.peak();
  };
  std::vector<int64_t> lengths(60, 3);
  const size_t without = peak_of(lengths);
  const size_t alone = peak_of({120});
  lengths.insert(lengths.begin(), 120);
  CHECK(peak_of(lengths) < without + alone);
}

TEST_CASE("every sentence ends within its limit, best hypothesis first", "[decode]") {
  DecodeOptions options = with_beam(GENERATE(1, 2, 5, 30));  // 30: more than there are tokens
  options.length_penalty = GENERATE(0.0, 1.0, 3.0);
  Transformer model = some_model(GENERATE(1u, 2u, 3u));
  const Sources sources({5, 0, 9, 2}, kVocab);
  const Found found = search(model, options, sources);
  REQUIRE(found.size() == 4);
  for (int64_t s = 0; s < sources.sentences(); ++s) {
    const std::vector<Hypothesis>& hypotheses = found[static_cast<size_t>(s)];
    REQUIRE(static_cast<int64_t>(hypotheses.size()) >= std::min<int64_t>(options.beam, kVocab));
    for (size_t i = 0; i < hypotheses.size(); ++i) {
      const Hypothesis& h = hypotheses[i];
      const auto length = static_cast<int64_t>(h.ids.size()) + 1;
      CHECK(length <= limit_of(sources, s));
      CHECK(std::count(h.ids.begin(), h.ids.end(), kEndId) == 0);
      CHECK(h.score == length_normalized(h.log_probability, length, options.length_penalty));
      if (i > 0) CHECK(h.score <= hypotheses[i - 1].score);
    }
  }
}

TEST_CASE("the number of threads changes no hypothesis", "[decode]") {
  const DecodeOptions options = with_beam(4);
  Transformer model = some_model();
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < 30; ++i) lengths.push_back(i * 7 % 17);
  const Sources sources(lengths, kVocab);
  const auto flat = [&] {
    std::vector<std::pair<Tokens, double>> all;
    for (const std::vector<Hypothesis>& hypotheses : search(model, options, sources)) {
      for (const Hypothesis& h : hypotheses) all.emplace_back(h.ids, h.log_probability);
    }
    return all;
  };
  const int threads_before = threads();
  test::with_each_engine([&] {
    set_threads(1);
    const auto one = flat();
    for (const int count : {2, 3}) {
      set_threads(count);
      CHECK(flat() == one);
    }
  });
  set_threads(threads_before);
}

TEST_CASE("a search is left before any step, and the next one is as good as the first",
          "[decode]") {
  Transformer model = some_model();
  const Sources sources({5, 0, 9, 2}, kVocab);
  Arena arena;
  Workspace workspace(8);
  BeamSearch beam_search(model, with_beam(3), arena, workspace);
  int64_t steps = 0;
  const Found whole = beam_search.search(sources.all, [&](int64_t) { ++steps; });
  size_t longest = 0;
  for (const std::vector<Hypothesis>& hypotheses : whole) {
    for (const Hypothesis& h : hypotheses) longest = std::max(longest, h.ids.size() + 1);
  }
  CHECK(steps == static_cast<int64_t>(longest));

  struct Stop {};
  for (const int64_t last : {int64_t{1}, steps / 2, steps}) {
    int64_t step = 0;
    const auto stop_at_last = [&](int64_t) {
      if (++step == last) throw Stop();
    };
    CHECK_THROWS_AS(beam_search.search(sources.all, stop_at_last), Stop);
    CHECK(step == last);
    CHECK(arena.used() == 0);
    const Found again = beam_search.search(sources.all);
    for (size_t s = 0; s < whole.size(); ++s) {
      REQUIRE(again[s].size() == whole[s].size());
      CHECK(again[s].front().ids == whole[s].front().ids);
      CHECK(again[s].front().score == whole[s].front().score);
    }
  }
}

TEST_CASE("a translation's length is limited by the source, the option and the model", "[decode]") {
  Arena arena;
  Workspace workspace(8);
  DecodeOptions options;
  options.beam = 3;
  options.max_length_ratio = 1.5;
  options.max_length = 100;
  Transformer model = some_model();
  const BeamSearch search(model, options, arena, workspace);
  CHECK(search.length_limit(7) == 20);
  CHECK(search.length_limit(1000) == 100);
  CHECK(search.length_limit(7, 30) == 50);
  CHECK(search.length_limit(7, 95) == 100);
  Transformer learned = toy_model(1);
  CHECK(BeamSearch(learned, options, arena, workspace).length_limit(7) == kToyLimit);
}

TEST_CASE("an empty batch gives nothing", "[decode]") {
  Transformer model = some_model();
  CHECK(search(model, with_beam(4), Sources({}, kVocab)).empty());
}

TEST_CASE("the length penalty divides by a power of the length", "[decode]") {
  CHECK(length_normalized(-6, 9, 0) == -6);
  CHECK(length_normalized(-6, 9, 0.5) == Approx(-2));
  CHECK(length_normalized(-6, 3, 1) == Approx(-2));
  CHECK(length_normalized(-6, 1, 7) == -6);
}

}  // namespace
}  // namespace calque
