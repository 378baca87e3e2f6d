#include "decode/token_attack.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops/linear.h"
#include "base/random.h"
#include "model/embedding_gradient.h"
#include "text/special_ids.h"

namespace calque {
namespace {

constexpr std::string_view kWordBegin = "\u2581";  // SentencePiece's mark

double dot(std::span<const Real> a, std::span<const Real> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i)
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

std::span<const Real> row(const MatrixView<const Real>& matrix, int64_t r) {
  return {matrix.row(r), static_cast<size_t>(matrix.cols)};
}

}  // namespace

NearPieces::NearPieces(const Transformer& model, const Tokenizer& tokenizer, int64_t most)
    : most_(most), model_(model.options().model) {
  const MatrixView<const Real> embeddings = model.source_embeddings().matrix();
  for (int64_t id = 0; id < embeddings.rows; ++id) {
    const auto embedding = row(embeddings, id);
    const double length = std::sqrt(std::max(dot(embedding, embedding), 1e-30));
    for (const Real value : embedding) {
      directions_.push_back(static_cast<Real>(static_cast<double>(value) / length));
    }
    const bool begins_word = tokenizer.piece(static_cast<int32_t>(id)).starts_with(kWordBegin);
    kinds_.push_back(id <= kEndId  ? Kind::kSpecial
                     : begins_word ? Kind::kBeginsWord
                                   : Kind::kInsideWord);
  }
}

void NearPieces::find(std::span<const int32_t> pieces, const ForwardTools& tools) {
  constexpr size_t kPiecesAtOnce = 256;
  std::vector<int32_t> unknown;
  for (const int32_t piece : pieces) {
    if (near_.try_emplace(piece).second) unknown.push_back(piece);
  }
  const auto vocab = std::ssize(kinds_);
  for (size_t begin = 0; begin < unknown.size(); begin += kPiecesAtOnce) {
    const auto part = std::span(unknown).subspan(begin);
    const auto count = static_cast<int64_t>(std::min(part.size(), kPiecesAtOnce));
    const Arena::Scope scope(tools.arena);
    const Tensor rows = tools.arena.tensor({count, model_});
    for (int64_t i = 0; i < count; ++i) {
      const auto from = directions_.begin() + part[static_cast<size_t>(i)] * model_;
      std::copy_n(from, model_, rows.matrix().row(i));
    }
    Context context(tools.arena, tools.workspace);
    const Tensor directions{directions_.data(), {vocab, model_}};
    const Var cosines = ops::linear(context, Var(rows), Var(directions), Var());
    for (int64_t i = 0; i < count; ++i) {
      const int32_t piece = part[static_cast<size_t>(i)];
      near_[piece] = nearest(piece, row(cosines.matrix(), i));
    }
  }
}

std::vector<int32_t> NearPieces::nearest(int32_t piece, std::span<const Real> cosines) const {
  std::vector<int32_t> near;
  const Kind kind = kinds_[static_cast<size_t>(piece)];
  if (kind == Kind::kSpecial) return near;
  for (int32_t other = 0; other < static_cast<int32_t>(kinds_.size()); ++other) {
    if (other != piece && kinds_[static_cast<size_t>(other)] == kind) near.push_back(other);
  }
  const auto most = std::min(most_, std::ssize(near));
  const auto cosine = [&](int32_t id) { return cosines[static_cast<size_t>(id)]; };
  std::partial_sort(near.begin(), near.begin() + most, near.end(), [&](int32_t a, int32_t b) {
    return cosine(a) > cosine(b) || (cosine(a) == cosine(b) && a < b);
  });
  near.resize(static_cast<size_t>(most));
  return near;
}

TokenAttack::TokenAttack(Transformer& model, const Tokenizer& tokenizer, int64_t candidates,
                         uint64_t seed, const ForwardTools& tools)
    : model_(model),
      tokenizer_(tokenizer),
      near_(model, tokenizer, candidates),
      seed_(seed),
      tools_(tools) {}

void TokenAttack::replace_one(std::span<AttackedSentence> sentences, AttackKind kind,
                              const std::function<void(int64_t)>& progress) {
  constexpr int64_t kBatchTokens = 2048;
  std::vector<std::vector<int32_t>> sources;  // with their ends
  std::vector<ForcedPair> pairs;
  for (const AttackedSentence& sentence : sentences) {
    near_.find(sentence.source, tools_);
    sources.push_back(sentence.source);
    sources.back().push_back(kEndId);
  }
  if (kind == AttackKind::kRandom) {
    for (size_t s = 0; s < sentences.size(); ++s) {
      make_best(random_flips(sentences[s], static_cast<int64_t>(s)), sentences[s]);
    }
    return;
  }
  for (size_t s = 0; s < sentences.size(); ++s) pairs.push_back({sources[s], sentences[s].target});
  int64_t done = 0;
  for_each_forced_batch(
      pairs, kBatchTokens, [&](const TrainingExample& example, std::span<const size_t> members) {
        if (progress) progress(done);
        const Arena::Scope scope(tools_.arena);
        const Tensor gradient = source_embedding_gradient(model_, example, tools_.arena,
                                                          tools_.workspace, tools_.weights);
        for (size_t i = 0; i < members.size(); ++i) {
          AttackedSentence& sentence = sentences[members[i]];
          const MatrixView<const Real> rows{gradient.matrix().row(example.source_layout.begins[i]),
                                            std::ssize(sentence.source), gradient.cols()};
          make_best(gradient_flips(sentence, rows), sentence);
        }
        done += std::ssize(members);
      });
  if (progress) progress(done);
}

std::vector<TokenAttack::Flip> TokenAttack::random_flips(const AttackedSentence& sentence,
                                                         int64_t number) const {
  const RandomKey key{seed_, static_cast<uint32_t>(sentence.replacements), streams::kAttack};
  std::vector<Flip> flips;
  for (size_t t = 0; t < sentence.source.size(); ++t) {
    if (sentence.replaced[t]) continue;
    for (const int32_t piece : near_.of(sentence.source[t])) {
      const uint64_t index = (static_cast<uint64_t>(number) << 32) | flips.size();
      flips.push_back({t, piece, random_uniform(key, index)});
    }
  }
  return flips;
}

std::vector<TokenAttack::Flip> TokenAttack::gradient_flips(const AttackedSentence& sentence,
                                                           MatrixView<const Real> gradient) const {
  const MatrixView<const Real> embeddings = model_.source_embeddings().matrix();
  std::vector<Flip> flips;
  for (size_t t = 0; t < sentence.source.size(); ++t) {
    if (sentence.replaced[t]) continue;
    const auto at = row(gradient, static_cast<int64_t>(t));
    const double now = dot(row(embeddings, sentence.source[t]), at);
    for (const int32_t piece : near_.of(sentence.source[t])) {
      flips.push_back({t, piece, dot(row(embeddings, piece), at) - now});
    }
  }
  return flips;
}

void TokenAttack::make_best(std::vector<Flip> flips, AttackedSentence& sentence) const {
  std::ranges::stable_sort(flips, std::greater<>(), &Flip::gain);
  std::vector<int32_t> ids;
  for (const Flip& flip : flips) {
    const int32_t before = std::exchange(sentence.source[flip.position], flip.piece);
    tokenizer_.encode(tokenizer_.decode(sentence.source), ids);
    if (ids == sentence.source) {
      sentence.replaced[flip.position] = 1;
      ++sentence.replacements;
      return;
    }
    sentence.source[flip.position] = before;
  }
}

}  // namespace calque
