#include "text/subword_sampler.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/printable.h"

namespace calque {
namespace {

constexpr std::string_view kSpace = "\u2581";

/// A piece that lies in a word, from its character `begin` to some other.
struct Span {
  int32_t id;
  uint32_t begin;
  /// bpe: the piece's score; unigram: the probability that the last piece of a cut up to this end
  /// is this one or one listed before it.
  double value;
};

/// A word with all pieces that lie in it.
struct Word {
  std::string text;
  std::vector<Span> spans;      // by their ends
  std::vector<uint32_t> first;  // [characters + 2]: spans first[e] to first[e + 1] end at e

  uint32_t characters() const { return static_cast<uint32_t>(first.size()) - 2; }
  std::span<const Span> ending_at(uint32_t end) const {
    return std::span(spans).subspan(first[end], first[end + 1] - first[end]);
  }
  std::span<Span> ending_at(uint32_t end) {
    return std::span(spans).subspan(first[end], first[end + 1] - first[end]);
  }
  const Span* find(uint32_t begin, uint32_t end) const {
    for (const Span& span : ending_at(end)) {
      if (span.begin == begin) return &span;
    }
    return nullptr;
  }
};

/// log(exp(a) + exp(b)).
double log_sum(double a, double b) {
  const double larger = std::max(a, b);
  if (larger == -std::numeric_limits<double>::infinity()) return larger;
  return larger + std::log1p(std::exp(std::min(a, b) - larger));
}

}  // namespace

/// The words of a vocabulary, and what they are worked on in.
class SubwordSampler::Words {
 public:
  Words(const Tokenizer& tokenizer, double strength)
      : is_unigram_(tokenizer.type() == "unigram"),
        strength_(strength),
        pieces_(tokenizer.pieces()),
        kept_(kKept) {
    CALQUE_CHECK(can_cut(tokenizer), "a {} vocabulary", tokenizer.type());
    sampled_.reserve(kAmple);
    plain_.reserve(kAmple);
    text_.reserve(kAmple);
    begins_.reserve(kAmple);
    log_sums_.reserve(kAmple);
    cuts_.reserve(kAmple);
    for (size_t id = 0; id < pieces_.size(); ++id) {
      if (!pieces_[id].ordinary) continue;
      if (!std::isfinite(pieces_[id].score)) {
        throw UserError(fmt::format(
            "data.subword_sampling: the vocabulary's piece {}, \"{}\", has a score of {}, by which "
            "no cuts are drawn; expected a finite number, or data.subword_sampling: 0",
            id, printable(pieces_[id].text), pieces_[id].score));
      }
      ids_.emplace(pieces_[id].text, static_cast<int32_t>(id));
      longest_ = std::max(longest_, pieces_[id].text.size());
    }
  }

  void resample(RandomSequence& random, std::vector<int32_t>& ids) {
    const std::lock_guard lock(mutex_);
    sampled_.clear();
    for (const int32_t id : ids) {
      const TextPiece& piece = pieces_.at(static_cast<size_t>(id));
      if (!piece.ordinary || piece.text.starts_with(kSpace)) finish_word(random);
      if (!piece.ordinary) {
        sampled_.push_back(id);
        continue;
      }
      text_ += piece.text;
      plain_.push_back(id);
    }
    finish_word(random);
    ids.assign(sampled_.begin(), sampled_.end());
  }

 private:
  static constexpr size_t kKept = size_t{1} << 16;
  static constexpr size_t kLongestKept = 32;  // bytes
  static constexpr size_t kAmple = 4096;      // for a sentence of ordinary length

  bool is_unigram_;
  double strength_;
  std::vector<TextPiece> pieces_;
  std::unordered_map<std::string_view, int32_t> ids_;  // of ordinary pieces
  size_t longest_ = 0;                                 // of them, in bytes

  std::mutex mutex_;        // of all below
  std::vector<Word> kept_;  // each in the place that its text's hash says
  Word long_word_;
  std::string text_;            // of the word that is being read
  std::vector<int32_t> plain_;  // its pieces
  std::vector<int32_t> sampled_;
  std::vector<uint32_t> begins_;  // of a word's characters, in bytes, and of its end
  std::vector<double> log_sums_;  // over all cuts up to a character
  std::vector<uint32_t> cuts_;    // where symbols begin, and the end

  /// Draws the pieces of the word that was read.
  void finish_word(RandomSequence& random) {
    if (text_.empty()) return;
    const Word& word = find_word();
    if (is_unigram_) {
      draw_unigram(word, random);
    } else {
      draw_bpe(word, random);
    }
    text_.clear();
    plain_.clear();
  }

  const Word& find_word() {
    const bool is_long = text_.size() > kLongestKept;
    Word& word = is_long ? long_word_ : kept_[std::hash<std::string_view>()(text_) % kKept];
    if (word.text == text_) return word;
    word.text = text_;
    find_spans(word);
    if (is_unigram_) weigh_spans(word);
    return word;
  }

  void find_spans(Word& word) {
    const std::string_view text = word.text;
    begins_.clear();
    for (uint32_t i = 0; i < text.size(); ++i) {
      if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) begins_.push_back(i);
    }
    begins_.push_back(static_cast<uint32_t>(text.size()));
    word.spans.clear();
    word.first.assign({0, 0});
    for (uint32_t end = 1; end < begins_.size(); ++end) {
      for (uint32_t begin = end; begin-- > 0;) {
        const size_t length = begins_[end] - begins_[begin];
        if (length > longest_) break;
        const auto found = ids_.find(text.substr(begins_[begin], length));
        if (found == ids_.end()) continue;
        word.spans.push_back(
            {found->second, begin, pieces_[static_cast<size_t>(found->second)].score});
      }
      word.first.push_back(static_cast<uint32_t>(word.spans.size()));
    }
  }

  /// Scores become probabilities, added up.
  void weigh_spans(Word& word) {
    log_sums_.assign({0});
    for (uint32_t end = 1; end <= word.characters(); ++end) {
      const auto weight = [&](const Span& span) {
        return log_sums_[span.begin] + strength_ * span.value;
      };
      double all = -std::numeric_limits<double>::infinity();
      for (const Span& span : word.ending_at(end)) all = log_sum(all, weight(span));
      double before = 0;
      for (Span& span : word.ending_at(end)) {
        before += std::exp(weight(span) - all);
        span.value = before;
      }
      log_sums_.push_back(all);
    }
  }

  void draw_unigram(const Word& word, RandomSequence& random) {
    const auto before = std::ssize(sampled_);
    for (uint32_t end = word.characters(); end > 0;) {
      const std::span<const Span> spans = word.ending_at(end);
      const double drawn = random.uniform() * spans.back().value;
      const Span& span = *std::ranges::upper_bound(spans, drawn, {}, &Span::value);
      sampled_.push_back(span.id);
      end = span.begin;
    }
    std::reverse(sampled_.begin() + before, sampled_.end());
  }

  void draw_bpe(const Word& word, RandomSequence& random) {
    cuts_.clear();
    for (uint32_t i = 0; i <= word.characters(); ++i) cuts_.push_back(i);
    while (const size_t cut = draw_merge(word, random)) {
      cuts_.erase(cuts_.begin() + static_cast<std::ptrdiff_t>(cut));
    }
    const size_t before = sampled_.size();
    for (size_t i = 0; i + 1 < cuts_.size(); ++i) {
      const Span* const symbol = word.find(cuts_[i], cuts_[i + 1]);
      if (symbol == nullptr) {  // a character without a piece of its own
        sampled_.resize(before);
        sampled_.insert(sampled_.end(), plain_.begin(), plain_.end());
        return;
      }
      sampled_.push_back(symbol->id);
    }
  }

  /// Which of `cuts_` vanishes as the best pair left is merged; 0: none is left.
  size_t draw_merge(const Word& word, RandomSequence& random) {
    size_t best = 0;
    double best_score = -std::numeric_limits<double>::infinity();
    for (size_t cut = 1; cut + 1 < cuts_.size(); ++cut) {
      const Span* const pair = word.find(cuts_[cut - 1], cuts_[cut + 1]);
      if (pair == nullptr || random.uniform() < strength_ || pair->value <= best_score) continue;
      best = cut;
      best_score = pair->value;
    }
    return best;
  }
};

bool SubwordSampler::can_cut(const Tokenizer& tokenizer) {
  const std::string type = tokenizer.type();
  return type == "unigram" || type == "bpe";
}

SubwordSampler::SubwordSampler(const Tokenizer& tokenizer, double strength)
    : words_(std::make_unique<Words>(tokenizer, strength)) {}

SubwordSampler::~SubwordSampler() = default;

void SubwordSampler::resample(RandomSequence random, std::vector<int32_t>& ids) const {
  words_->resample(random, ids);
}

}  // namespace calque
