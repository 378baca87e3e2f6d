#include "decode/token_attack.h"

#include <numeric>

#include "base/parallel.h"
#include "decode/small_tokenizers.h"
#include "model/embedding_gradient.h"
#include "support/catch.h"
#include "support/example_batch.h"
#include "support/own_engine_scope.h"
#include "text/sample_text.h"
#include "text/special_ids.h"

namespace calque {
namespace {

using test::kSmallVocab;

const Tokenizer& tokenizer() { return test::small_tokenizers().source(); }

Transformer inference_model() {
  TransformerOptions options = test::tiny_options();
  options.model = 32;
  options.heads = 4;
  Transformer trained = test::random_model(options, kSmallVocab, kSmallVocab);
  Transformer model(options, kSmallVocab, kSmallVocab, /*inference=*/true);
  std::ranges::copy(trained.parameters().values(), model.parameters().values().begin());
  return model;
}

struct Attack {
  Transformer model = inference_model();
  Arena arena;
  Workspace workspace{8};
  TokenAttack attack;

  explicit Attack(int64_t candidates = 10, uint64_t seed = 1)
      : attack(model, tokenizer(), candidates, seed, {arena, workspace}) {}

  double log_probability(const std::vector<AttackedSentence>& sentences) {
    double sum = 0;
    for (const AttackedSentence& sentence : sentences) {
      std::vector<int32_t> source = sentence.source;
      source.push_back(kEndId);
      const std::vector<ForcedPair> pair{{source, sentence.target}};
      const auto scores = score_pairs(model, pair, 1000, {arena, workspace});
      for (const Real token : scores.front()) sum += static_cast<double>(token);
    }
    return sum;
  }
};

std::vector<AttackedSentence> sample(int64_t count) {
  const auto sources = test::sample_sentences(count, 5);
  const auto targets = test::sample_sentences(count, 6);
  std::vector<AttackedSentence> sentences(static_cast<size_t>(count));
  for (size_t i = 0; i < sentences.size(); ++i) {
    tokenizer().encode(sources[i], sentences[i].source);
    tokenizer().encode(targets[i], sentences[i].target);
    sentences[i].replaced.resize(sentences[i].source.size());
  }
  return sentences;
}

bool begins_word(int32_t piece) { return tokenizer().piece(piece).starts_with("\u2581"); }

TEST_CASE("near pieces are of one kind, nearest by the cosine first", "[decode][attack]") {
  Attack a;
  const MatrixView<const Real> embeddings = a.model.source_embeddings().matrix();
  NearPieces near(a.model, tokenizer(), 7);
  std::vector<int32_t> all(kSmallVocab);
  std::iota(all.begin(), all.end(), 0);
  near.find(all, {a.arena, a.workspace});
  const auto cosine = [&](int32_t x, int32_t y) {
    double xy = 0;
    double xx = 0;
    double yy = 0;
    for (int64_t i = 0; i < embeddings.cols; ++i) {
      const double vx = embeddings.row(x)[i];
      const double vy = embeddings.row(y)[i];
      xy += vx * vy;
      xx += vx * vx;
      yy += vy * vy;
    }
    return xy / std::sqrt(xx * yy);
  };
  for (const int32_t piece : all) {
    if (piece <= kEndId) {
      CHECK(near.of(piece).empty());
      continue;
    }
    REQUIRE(near.of(piece).size() == 7);
    double last = 1;
    for (const int32_t other : near.of(piece)) {
      CHECK(other != piece);
      CHECK(other > kEndId);
      CHECK(begins_word(other) == begins_word(piece));
      CHECK(cosine(piece, other) < last + 1e-5);
      last = cosine(piece, other);
    }
    for (const int32_t other : all) {  // and all others are farther
      if (other == piece || other <= kEndId || begins_word(other) != begins_word(piece)) continue;
      if (std::ranges::count(near.of(piece), other) == 0) CHECK(cosine(piece, other) < last + 1e-5);
    }
  }
  CHECK(a.arena.used() == 0);
}

TEST_CASE("an attack replaces one token more a time, and leaves text", "[decode][attack]") {
  const auto kind = GENERATE(AttackKind::kGradient, AttackKind::kRandom);
  Attack a;
  const std::vector<AttackedSentence> clean = sample(12);
  std::vector<AttackedSentence> sentences = clean;
  for (int64_t tokens = 1; tokens <= 3; ++tokens) {
    a.attack.replace_one(sentences, kind);
    int64_t replacements = 0;
    for (size_t s = 0; s < sentences.size(); ++s) {
      const AttackedSentence& sentence = sentences[s];
      CHECK(sentence.replacements <= tokens);  // a short sentence may have no more to give
      replacements += sentence.replacements;
      CHECK(sentence.source.size() == clean[s].source.size());
      for (size_t t = 0; t < sentence.source.size(); ++t) {
        CHECK((sentence.source[t] != clean[s].source[t]) == (sentence.replaced[t] != 0));
      }
      std::vector<int32_t> again;
      tokenizer().encode(tokenizer().decode(sentence.source), again);
      CHECK(again == sentence.source);
    }
    CHECK(replacements > tokens * std::ssize(sentences) * 3 / 4);
  }
  CHECK(a.arena.used() == 0);
}

TEST_CASE("the gradient finds worse replacements than chance", "[decode][attack]") {
  Attack a;
  const std::vector<AttackedSentence> clean = sample(40);
  std::vector<AttackedSentence> by_gradient = clean;
  const double before = a.log_probability(clean);
  std::vector<double> of_random;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    Attack random(10, seed);
    std::vector<AttackedSentence> sentences = clean;
    random.attack.replace_one(sentences, AttackKind::kRandom);
    of_random.push_back(a.log_probability(sentences));
  }
  a.attack.replace_one(by_gradient, AttackKind::kGradient);
  const double after = a.log_probability(by_gradient);
  CHECK(after < before);
  for (const double random : of_random) CHECK(after < random);
}

TEST_CASE("with one candidate the first order's choice is the greatest promise",
          "[decode][attack]") {
  Attack a(1);
  std::vector<AttackedSentence> sentences = sample(1);
  const AttackedSentence clean = sentences[0];
  std::vector<int32_t> source = clean.source;
  source.push_back(kEndId);
  const std::vector<ForcedPair> pairs{{source, clean.target}};
  NearPieces near(a.model, tokenizer(), 1);
  near.find(clean.source, {a.arena, a.workspace});
  std::vector<std::pair<double, size_t>> promises;
  for_each_forced_batch(pairs, 1, [&](const TrainingExample& example, auto) {
    const Arena::Scope scope(a.arena);
    const Tensor gradient =
        source_embedding_gradient(a.model, example, a.arena, a.workspace, nullptr);
    const MatrixView<const Real> embeddings = a.model.source_embeddings().matrix();
    for (size_t t = 0; t < clean.source.size(); ++t) {
      double promise = 0;
      const Real* now = embeddings.row(clean.source[t]);
      const Real* next = embeddings.row(near.of(clean.source[t]).front());
      const Real* at = gradient.matrix().row(static_cast<int64_t>(t));
      for (int64_t i = 0; i < embeddings.cols; ++i) {
        promise += static_cast<double>(next[i] - now[i]) * static_cast<double>(at[i]);
      }
      promises.emplace_back(-promise, t);
    }
  });
  std::ranges::sort(promises);
  a.attack.replace_one(sentences, AttackKind::kGradient);
  REQUIRE(sentences[0].replacements == 1);
  for (const auto& [promise, t] : promises) {
    std::vector<int32_t> tried = clean.source;
    tried[t] = near.of(tried[t]).front();
    std::vector<int32_t> again;
    tokenizer().encode(tokenizer().decode(tried), again);
    if (again != tried) continue;
    CHECK(sentences[0].source == tried);
    break;
  }
}

TEST_CASE("random replacements depend on the seed and the sentence, not on threads",
          "[decode][attack]") {
  const test::OwnEngineScope engine;
  const int threads_before = threads();
  const auto attacked = [](AttackKind kind, uint64_t seed, int thread_count) {
    set_threads(thread_count);
    Attack a(10, seed);
    std::vector<AttackedSentence> sentences = sample(12);
    a.attack.replace_one(sentences, kind);
    std::vector<std::vector<int32_t>> sources;
    for (const AttackedSentence& sentence : sentences) sources.push_back(sentence.source);
    return sources;
  };
  const auto random = attacked(AttackKind::kRandom, 1, 1);
  CHECK(attacked(AttackKind::kRandom, 1, 3) == random);
  CHECK(attacked(AttackKind::kRandom, 2, 1) != random);
  CHECK(attacked(AttackKind::kGradient, 1, 3) == attacked(AttackKind::kGradient, 2, 1));
  set_threads(threads_before);
}

TEST_CASE("a sentence that no replacement leaves a text stays as it is", "[decode][attack]") {
  const auto kind = GENERATE(AttackKind::kGradient, AttackKind::kRandom);
  Attack a;
  std::vector<AttackedSentence> sentences = sample(3);
  sentences[0].source[1] = kUnknownId;  // whose text does not give it again
  sentences[1].source.clear();
  sentences[1].replaced.clear();
  const auto before = sentences;
  a.attack.replace_one(sentences, kind);
  for (const size_t s : {0, 1}) {
    CHECK(sentences[s].source == before[s].source);
    CHECK(sentences[s].replacements == 0);
  }
  CHECK(sentences[2].replacements == 1);
}

}  // namespace
}  // namespace calque
