#pragma once

#include <functional>
#include <span>
#include <vector>

#include "decode/ensemble.h"
#include "decode/hypothesis.h"
#include "decode/options.h"
#include "decode/row_pool.h"
#include "decode/top_candidates.h"
#include "model/transformer.h"

namespace calque {

/// A sentence to be translated.
struct SearchInput {
  std::vector<int32_t> source;  // with its end
  std::vector<int32_t> prefix;  // what its translations begin with, without begin
  // What random numbers depend on.
  int64_t line = 0;
  int64_t part = 0;  // of a line that was split
};

/// Beam search over many sentences, with key-value caches. Beam 1 is greedy search.
///
/// Each step looks at the 2 * beam best continuations of a sentence's live hypotheses: an end of
/// sentence among the best `beam` finishes a hypothesis, and the best `beam` others live on. A
/// sentence is done when `beam` hypotheses have finished (Ott et al. 2019), or at its length limit,
/// where every live hypothesis ends.
///
/// Constraints rule continuations out (decode/constraints.h). With sampling, `beam` translations
/// are drawn at random instead, none of which depends on another (decode/sampling.h).
///
/// A batch of sentences is decoded side by side, each at its own position. When a part of it is
/// done, waiting sentences take its place. What a sentence is decoded with changes no bit of it.
class BeamSearch {
 public:
  /// A sentence takes slots of the cache for so many tokens at a time: few reach their limit.
  static constexpr int64_t kBlockTokens = 8;
  /// Slots for each of `batch_tokens`. A larger max_length_ratio than the default makes batches
  /// smaller, for the memory's sake.
  static constexpr int64_t kSlotsPerToken = 4;
  /// Sentences are encoded together until there are so many tokens, for the memory's sake.
  static constexpr int64_t kEncodedTokens = 256;

  /// Values of a pass lie in `arena`, which is rewound to where it was. `weights`, when given,
  /// keeps the models' weights prepared from step to step.
  BeamSearch(const Ensemble& models, const DecodeOptions& options, Arena& arena,
             Workspace& workspace, kernels::PreparedWeights<Real>* weights = nullptr);

  /// Called with the number of sentences done.
  using BeforeStep = std::function<void(int64_t)>;

  /// Sentences are begun in this order: best the longest first, since the last ones are decoded
  /// side by side with ever fewer others. Returns the finished hypotheses of each, best score
  /// first; those drawn at random as they were numbered. `before_step`, when given, is called
  /// before every decoding step; what it throws ends the search, and the next one begins afresh.
  std::vector<std::vector<Hypothesis>> search(std::span<const SearchInput> inputs,
                                              const BeforeStep& before_step = {});

  /// Most tokens of a translation of `source_tokens` tokens, the end counted: behind the prefix
  /// max_length_ratio * source tokens + 10, but in all no more than max_length, max_output and the
  /// models' longest sentence. A longer prefix is cut there.
  int64_t length_limit(int64_t source_tokens, int64_t prefix_tokens = 0) const;

 private:
  /// A token of a hypothesis and what stands before it.
  struct Node {
    int32_t token;
    int32_t parent;          // index of a node, or -1 behind the begin id
    double log_probability;  // of the hypothesis up to here
  };
  struct Live {
    double log_probability;
    int32_t node;
    int32_t sample = 0;
  };
  struct Sentence {
    size_t index = 0;    // among the inputs
    int64_t length = 0;  // tokens of its hypotheses, this step's included
    int64_t limit = 0;   // most tokens, the end counted
    int64_t source_row = 0;
    int64_t source_tokens = 0;
    int64_t first_row = 0;             // of this step
    std::vector<int64_t> slot_blocks;  // first slots, of `beam` slots for each token
    std::vector<Node> nodes;
    std::vector<Live> live;
    std::vector<Candidate> candidates;  // candidate k is where live hypothesis k is from
    std::vector<Hypothesis> finished;
    std::vector<int32_t> history;  // of the row that is being constrained
  };

  Ensemble models_;
  DecodeOptions options_;
  Arena& arena_;
  Workspace& workspace_;
  kernels::PreparedWeights<Real>* weights_;

  // Of the search that is running.
  std::span<const SearchInput> inputs_;
  size_t begun_ = 0;                 // inputs
  std::vector<Sentence> sentences_;  // those that are not done
  int64_t batch_rows_ = 0;           // source rows of a batch, the most
  int64_t batch_slots_ = 0;          // and its slots
  int64_t source_rows_ = 0;          // of the cache
  RowPool free_source_rows_;
  int64_t promised_slots_ = 0;  // to the running sentences, at most; taken bit by bit
  RowPool free_slots_;
  int64_t stride_ = 0;                   // of the ancestors: the longest hypothesis
  std::vector<int32_t> ids_;             // [rows], the newest token of each live hypothesis
  std::vector<double> scores_;           // [rows], its log-probability
  std::vector<int32_t> lengths_;         // [rows]
  std::vector<int32_t> ancestors_;       // [rows, stride_]: CacheSlots::ancestors
  std::vector<int32_t> next_ancestors_;  // the table being built for the next step
  SequenceLayoutBuffer queries_;         // the live rows of each sentence
  SequenceLayoutBuffer keys_;            // the source rows of each sentence

  /// The most slots of the cache that a source's hypotheses may take.
  int64_t cache_slots(int64_t limit) const;
  /// A cache that holds as much as is ever decoded side by side.
  Ensemble::Cache begin(std::span<const SearchInput> inputs);
  /// Begins sentences, as many as there is room for, when there is room for some.
  void refill(Context& context, Ensemble::Cache& cache);
  /// Begins those that are encoded together; false when there are none, or no room.
  bool begin_sentences(Context& context, Ensemble::Cache& cache);
  int64_t rows_in_use() const { return source_rows_ - free_source_rows_.free_rows(); }
  /// Makes room for a sentence; false when there is none.
  bool take_rows(Sentence& sentence);
  /// Numbers the rows of this step and gives each a slot for its newest token.
  void lay_out_rows();
  /// Applies what constrains the sentence to the logits of its rows.
  void constrain(Sentence& sentence, MatrixView<Real> logits);
  /// Finds the best candidates of a sentence and turns them into finished and live hypotheses.
  void advance(Sentence& sentence, const ScoredRows& rows);
  /// The same with a token drawn at random for each live hypothesis.
  void advance_samples(Sentence& sentence, const ScoredRows& rows);
  /// At the limit: every live hypothesis ends.
  void end_all(Sentence& sentence, const ScoredRows& rows);
  void go_on(Sentence& sentence, const Candidate& candidate, const Live& parent);
  void finish(Sentence& sentence, double log_probability, const Live& last);
  bool is_done(const Sentence& sentence) const;
};

}  // namespace calque
