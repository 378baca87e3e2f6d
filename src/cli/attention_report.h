#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/rollout.h"
#include "decode/alignment.h"

namespace calque {

/// What all attentions of a model did with one sentence and its translation.
struct AttentionReport {
  std::string model;  // which one, for people
  std::string source;
  std::string target;
  std::string target_as_read;  // by the model, whose words the alignment has
  bool translated = false;                  // the target is the model's own translation
  double log_probability = 0;               // of the target, with its end
  std::vector<std::string> source_tokens;   // pieces, the end
  std::vector<std::string> target_inputs;   // the begin, pieces: what the decoder reads
  std::vector<std::string> target_outputs;  // pieces, the end: what it is to say there
  WordAlignment alignment;
  int64_t aligning_layer = 0;  // the decoder's, from 0
  TappedAttention attention;   // of this pair alone
  Rollout rollout;

  AttentionReport(TappedAttention weights, Rollout rolled_out)
      : attention(std::move(weights)), rollout(std::move(rolled_out)) {}
};

/// "Encoder self-attention".
std::string_view title_of(AttentionPlace place);

/// All of it for programs. Matrices are lists of rows, rounded to six decimals:
///   {"model", "source": {"text", "tokens", "words"},
///    "target": {"text", "translated", "log_probability", "inputs", "outputs", "words"},
///    "alignment": {"layer", "weights": [target words, source words]},
///    "attentions": [{"name", "title", "layers", "heads", "queries", "keys", "causal",
///                    "figures": [layers, heads] of {"entropy", ...},
///                    "weights": [layers, heads, queries, keys],
///                    "rollout": [layers, queries, keys]}, ...]}
std::string attention_json(const AttentionReport& report);

/// A page that shows all of it in a browser, from a file and without a network. Its sources are in
/// cli/attention_page; the numbers come with it as the JSON above, in which each list of matrices
/// is one string: 16 bits a number, of 65535ths, the lower byte first, in base64.
std::string attention_page(const AttentionReport& report);

/// A quick look for a terminal, at the heads' figures and the alignment, with or without colours.
std::string attention_text(const AttentionReport& report, bool colours);

}  // namespace calque
