#include "decode/translator.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "text/special_ids.h"

namespace calque {
namespace {

/// The longest first: at the end, when no sentence is left to fill the batch, few steps remain.
/// Returns where each one was.
std::vector<size_t> sort_longest_first(std::vector<SearchInput>& inputs) {
  std::vector<size_t> order(inputs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, std::greater<>(),
                           [&](size_t i) { return inputs[i].source.size(); });
  std::vector<SearchInput> sorted;
  for (const size_t i : order) sorted.push_back(std::move(inputs[i]));
  inputs.swap(sorted);
  return order;
}

template <class T>
void append(std::vector<T>& whole, const std::vector<T>& part) {
  whole.insert(whole.end(), part.begin(), part.end());
}

/// A translation of two parts of a line.
void join(Translation& whole, const Translation& part, double length_penalty) {
  if (!whole.text.empty() && !part.text.empty()) whole.text += ' ';
  whole.text += part.text;
  Hypothesis& h = whole.hypothesis;
  append(h.ids, part.hypothesis.ids);
  append(h.token_log_probabilities, part.hypothesis.token_log_probabilities);
  h.log_probability += part.hypothesis.log_probability;
  h.score =
      length_normalized(h.log_probability, std::ssize(h.token_log_probabilities), length_penalty);
  whole.alignment.append(part.alignment);
}

}  // namespace

std::vector<std::string> best_texts(std::vector<std::vector<Translation>> translations) {
  std::vector<std::string> best;
  for (std::vector<Translation>& of_line : translations) {
    best.push_back(std::move(of_line.front().text));
  }
  return best;
}

Translator::Translator(const Ensemble& models, const TokenizerPair& tokenizers,
                       const DecodeOptions& options, Arena& arena, Workspace& workspace,
                       kernels::PreparedWeights<Real>* weights)
    : models_(models),
      tokenizers_(tokenizers),
      options_(options),
      tools_{arena, workspace, weights},
      source_encoder_(
          tokenizers.source(),
          std::min({models.longest_sentence(), options.max_length, options.max_source}) - 1,
          "translated"),
      prefix_encoder_(tokenizers.target(),
                      std::min(models.longest_sentence(), options.max_length) - 1, "forced"),
      search_(models, options, arena, workspace, weights) {}

std::vector<std::string> Translator::translate(std::span<const std::string> lines,
                                               const OnProgress& progress) {
  return best_texts(translate_n_best({lines}, progress));
}

std::vector<std::vector<Translation>> Translator::translate_n_best(
    const TranslationRequest& request, const OnProgress& progress) {
  const std::span<const std::string> lines = request.lines;
  std::vector<SearchInput> inputs;
  for (size_t line = 0; line < lines.size(); ++line) encode(request, line, inputs);
  const std::vector<size_t> order = sort_longest_first(inputs);

  // A line that is split may count as several that are done, so the number is bounded.
  const auto empty = std::max<int64_t>(std::ssize(lines) - std::ssize(inputs), 0);
  auto found = search_.search(inputs, [&](int64_t done) {
    if (progress) progress(std::min(empty + done, std::ssize(lines)));
  });
  std::vector<std::vector<Translation>> of_inputs = to_text(std::move(found), request.most);
  if (request.alignment != nullptr) align(*request.alignment, inputs, of_inputs);

  std::vector<size_t> place(order.size());  // among the sorted inputs, of each in order
  for (size_t i = 0; i < order.size(); ++i) place[order[i]] = i;
  std::vector<std::vector<Translation>> translations(lines.size());
  for (const size_t i : place) {
    auto& of_line = translations[static_cast<size_t>(inputs[i].line - first_line_)];
    if (of_line.empty()) {
      of_line = std::move(of_inputs[i]);
      continue;
    }
    for (size_t k = 0; k < of_line.size(); ++k) {
      join(of_line[k], of_inputs[i][std::min(k, of_inputs[i].size() - 1)], options_.length_penalty);
    }
  }
  for (std::vector<Translation>& of_line : translations) {
    if (of_line.empty()) of_line.emplace_back();  // a line without text
  }
  if (progress) progress(std::ssize(lines));
  first_line_ += std::ssize(lines);
  return translations;
}

void Translator::encode(const TranslationRequest& request, size_t line,
                        std::vector<SearchInput>& inputs) const {
  const int64_t number = first_line_ + static_cast<int64_t>(line);
  const std::string& text = request.lines[line];
  std::vector<std::vector<int32_t>> parts;
  if (options_.split_long_lines) {
    parts = source_encoder_.encode_in_parts(text, number);
  } else {
    parts.push_back(source_encoder_.encode(text, number));
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty()) continue;
    parts[i].push_back(kEndId);
    SearchInput& input = inputs.emplace_back(SearchInput{std::move(parts[i]), {}, number});
    if (i == 0 && !request.prefixes.empty()) {
      input.prefix = prefix_encoder_.encode(request.prefixes[line], number);
    }
  }
}

std::vector<std::vector<Translation>> Translator::to_text(
    std::vector<std::vector<Hypothesis>> found, int64_t most) {
  std::vector<std::vector<Translation>> translations;
  for (std::vector<Hypothesis>& hypotheses : found) {
    std::vector<Translation>& of_input = translations.emplace_back();
    for (Hypothesis& hypothesis : hypotheses) {
      if (std::ssize(of_input) == most) break;
      output_tokens_ += std::ssize(hypothesis.ids) + 1;
      std::string text = tokenizers_.target().decode(hypothesis.ids);
      of_input.push_back({std::move(text), std::move(hypothesis), {}});
    }
    if (of_input.empty()) of_input.emplace_back();  // a model whose numbers are none
  }
  return translations;
}

void Translator::align(const AlignmentOptions& options, std::span<const SearchInput> inputs,
                       std::vector<std::vector<Translation>>& translations) {
  std::vector<ForcedPair> pairs;
  for (size_t i = 0; i < inputs.size(); ++i) {
    for (const Translation& t : translations[i]) {
      pairs.push_back({inputs[i].source, t.hypothesis.ids});
    }
  }
  auto alignments =
      align_words(models_.first(), tokenizers_, pairs, options, options_.batch_tokens, tools_);
  auto next = std::make_move_iterator(alignments.begin());
  for (std::vector<Translation>& of_input : translations) {
    for (Translation& t : of_input) t.alignment = *next++;
  }
}

}  // namespace calque
