#pragma once

#include <functional>
#include <vector>

#include "decode/hypothesis.h"
#include "decode/options.h"
#include "decode/top_candidates.h"
#include "model/transformer.h"

namespace calque {

/// Beam search over a batch of sentences, with key-value caches. Beam 1 is greedy search.
///
/// Each step looks at the 2 * beam best continuations of a sentence's live hypotheses: an end of
/// sentence among the best `beam` finishes a hypothesis, and the best `beam` others live on. A
/// sentence is done when `beam` hypotheses have finished (Ott et al. 2019), or at its length limit,
/// where every live hypothesis ends.
class BeamSearch {
 public:
  /// Values of a pass lie in `arena`, which is rewound to where it was. `weights`, when given,
  /// keeps the model's weights prepared from step to step.
  BeamSearch(Transformer& model, const DecodeOptions& options, Arena& arena, Workspace& workspace,
             kernels::PreparedWeights<Real>* weights = nullptr);

  /// source: [source tokens], each sentence with its end id. Returns the finished hypotheses of
  /// each sentence, best score first. `before_step`, when given, is called before every decoding
  /// step; what it throws ends the search, and the next one begins afresh.
  std::vector<std::vector<Hypothesis>> search(Ids source, const SequenceLayout& layout,
                                              const std::function<void()>& before_step = {});

  /// Most tokens of a translation of `source_tokens` tokens, the end counted: max_length_ratio *
  /// source tokens + 10, but no more than max_length and than the model's longest sentence.
  int64_t length_limit(int64_t source_tokens) const;

  /// Places of the key-value cache that a sentence needs: one for each token of each hypothesis.
  int64_t cache_slots(int64_t source_tokens) const {
    return length_limit(source_tokens) * options_.beam;
  }

 private:
  /// A token of a hypothesis and what stands before it.
  struct Node {
    int32_t token;
    int32_t parent;  // index of a node, or -1 behind the begin id
  };
  struct Live {
    double log_probability;
    int32_t node;
  };
  struct Sentence {
    int64_t index = 0;       // in the batch
    int64_t limit = 0;       // most tokens, the end counted
    int64_t first_slot = 0;  // its slots of the cache: [first_slot, first_slot + limit * beam)
    int64_t first_row = 0;   // of this step
    std::vector<Live> live;
    std::vector<Candidate> candidates;
    std::vector<Hypothesis> finished;
  };

  Transformer& model_;
  DecodeOptions options_;
  Arena& arena_;
  Workspace& workspace_;
  kernels::PreparedWeights<Real>* weights_;

  // Of the search that is running.
  std::vector<Sentence> sentences_;  // those that are not done
  std::vector<Node> nodes_;
  std::vector<int32_t> ids_;             // [rows], the newest token of each live hypothesis
  std::vector<int32_t> ancestors_;       // [rows, stride_]: CacheSlots::ancestors
  std::vector<int32_t> next_ancestors_;  // the table being built for the next step
  int64_t stride_ = 0;
  SequenceLayoutBuffer queries_;  // the live rows of each sentence
  SequenceLayoutBuffer keys_;     // the source rows of each sentence

  /// Makes a Sentence of each row range of `layout`; returns the slots that all need.
  int64_t begin(const SequenceLayout& layout);
  /// Numbers the rows of this step and gives each a slot for its newest token.
  void lay_out_rows(int64_t length, const SequenceLayout& source);
  /// Turns the candidates of a sentence into finished and live hypotheses.
  void advance(Sentence& sentence, int64_t length);
  /// At the limit: every live hypothesis ends. log_probabilities: [rows, vocab].
  void end_all(Sentence& sentence, int64_t length, MatrixView<const Real> log_probabilities);
  void finish(Sentence& sentence, double log_probability, int32_t node, int64_t length) const;
};

}  // namespace calque
