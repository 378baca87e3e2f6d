#include "decode/translator.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

#include "base/log.h"
#include "text/special_ids.h"
#include "text/words.h"

namespace calque {
namespace {

template <class T>
void append(std::vector<T>& whole, const std::vector<T>& part) {
  whole.insert(whole.end(), part.begin(), part.end());
}

/// The hypothesis with that of the line's next part behind it.
void append(Hypothesis& whole, const Hypothesis& part) {
  if (!whole.token_log_probabilities.empty()) whole.ids.push_back(kEndId);
  append(whole.ids, part.ids);
  append(whole.token_log_probabilities, part.token_log_probabilities);
  whole.log_probability += part.log_probability;
  whole.sample = part.sample;
}

/// What the hypothesis of a line has of each part: the ids between ends.
std::vector<std::span<const int32_t>> parts_of(const std::vector<int32_t>& ids) {
  std::vector<std::span<const int32_t>> parts;
  for (auto begin = ids.begin();; ++begin) {
    const auto end = std::find(begin, ids.end(), kEndId);
    parts.emplace_back(begin, end);
    if (end == ids.end()) return parts;
    begin = end;
  }
}

/// Of a model whose numbers are none: the end, which it finds impossible.
Hypothesis nothing_found() {
  constexpr Real kNever = -std::numeric_limits<Real>::infinity();
  return {{}, {kNever}, kNever, 0, kNever};
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
          length_bound(models.longest_sentence(), options.max_length, options.max_source),
          "translated", options.long_line_advice),
      prefix_encoder_(
          tokenizers.target(),
          length_bound(models.longest_sentence(), options.max_length, options.max_output), "forced",
          "shorten it"),
      search_(models, options, arena, workspace, weights) {}

std::vector<std::string> Translator::translate(std::span<const std::string> lines,
                                               const OnProgress& progress) {
  return best_texts(translate_n_best({lines}, progress));
}

std::vector<std::vector<Translation>> Translator::translate_n_best(
    const TranslationRequest& request, const OnProgress& progress) {
  std::vector<std::vector<Part>> lines;
  for (size_t line = 0; line < request.lines.size(); ++line) {
    lines.push_back(encode(request, line));
  }
  std::vector<std::vector<Translation>> translations;
  for (const Found& found : search(lines, progress)) {
    std::vector<Hypothesis> hypotheses = join(found);
    if (hypotheses.empty()) hypotheses.emplace_back();  // a line without text
    if (std::ssize(hypotheses) > request.most) {
      hypotheses.resize(static_cast<size_t>(request.most));
    }
    std::vector<Translation>& of_line = translations.emplace_back();
    for (Hypothesis& h : hypotheses) {
      output_tokens_ += std::ssize(h.token_log_probabilities);
      of_line.push_back(to_text(std::move(h)));
    }
  }
  if (request.alignment != nullptr) align(request, lines, translations);
  if (progress) progress(std::ssize(lines));
  first_line_ += std::ssize(lines);
  return translations;
}

std::vector<Translator::Part> Translator::encode(const TranslationRequest& request,
                                                 size_t line) const {
  const int64_t number = first_line_ + static_cast<int64_t>(line);
  const std::string place = fmt::format("line {}", number);
  const std::string& text = request.lines[line];
  std::vector<EncodedLine> encoded;
  if (options_.split_long_lines) {
    encoded = source_encoder_.encode_in_parts(text, place);
  } else {
    encoded.push_back(source_encoder_.encode(text, place));
  }
  std::erase_if(encoded, [](const EncodedLine& part) { return part.ids.empty(); });
  std::vector<Part> parts;
  for (EncodedLine& part : encoded) {
    part.ids.push_back(kEndId);
    SearchInput input{std::move(part.ids), {}, number, std::ssize(parts)};
    parts.push_back({std::move(input), std::move(part.begins)});
  }
  if (!request.prefixes.empty()) {
    std::vector<int32_t> prefix = encode_prefix(request.prefixes[line], number, parts.size());
    if (!parts.empty()) parts.front().input.prefix = std::move(prefix);
  }
  return parts;
}

std::vector<int32_t> Translator::encode_prefix(const std::string& prefix, int64_t line,
                                               size_t parts) const {
  std::vector<int32_t> ids =
      prefix_encoder_.encode(prefix, fmt::format("the prefix of line {}", line)).ids;
  if (!ids.empty() && parts == 0) {
    log::warning("line {} has no text: its prefix is left out", line);
  } else if (std::ranges::count(ids, kUnknownId) > 0) {
    log::warning(
        "the prefix of line {} has characters that the vocabulary lacks: they read \u2047 in the "
        "translation",
        line);
  }
  return ids;
}

std::vector<Translator::Found> Translator::search(std::span<const std::vector<Part>> lines,
                                                  const OnProgress& progress) {
  struct Place {
    size_t line;
    size_t part;
  };
  std::vector<Place> order;
  for (size_t line = 0; line < lines.size(); ++line) {
    for (size_t part = 0; part < lines[line].size(); ++part) order.push_back({line, part});
  }
  // The longest first: at the end, when no sentence is left to fill the batch, few steps remain.
  std::ranges::stable_sort(order, std::greater<>(), [&](const Place& place) {
    return lines[place.line][place.part].input.source.size();
  });
  std::vector<SearchInput> inputs;
  for (const Place& place : order) inputs.push_back(lines[place.line][place.part].input);

  // A line that is split may count as several that are done, so the number is bounded.
  const auto empty = std::max<int64_t>(std::ssize(lines) - std::ssize(inputs), 0);
  auto hypotheses = search_.search(inputs, [&](int64_t done) {
    if (progress) progress(std::min(empty + done, std::ssize(lines)));
  });
  std::vector<Found> found;
  for (const std::vector<Part>& parts : lines) found.emplace_back(parts.size());
  for (size_t i = 0; i < order.size(); ++i) {
    if (hypotheses[i].empty()) hypotheses[i].push_back(nothing_found());
    found[order[i].line][order[i].part] = std::move(hypotheses[i]);
  }
  return found;
}

std::vector<Hypothesis> Translator::join(const Found& parts) const {
  size_t count = 0;
  for (const std::vector<Hypothesis>& part : parts) count = std::max(count, part.size());
  std::vector<Hypothesis> joined(count);
  for (size_t k = 0; k < count; ++k) {
    Hypothesis& whole = joined[k];
    // Where a part has fewer, its last one stands in: nothing of another part is lost.
    for (const std::vector<Hypothesis>& part : parts) {
      append(whole, part[std::min(k, part.size() - 1)]);
    }
    whole.score = length_normalized(
        whole.log_probability, std::ssize(whole.token_log_probabilities), options_.length_penalty);
  }
  if (!options_.sampling.on) {
    std::ranges::stable_sort(joined, std::greater<>(), &Hypothesis::score);
  }
  return joined;
}

Translation Translator::to_text(Hypothesis hypothesis) const {
  std::string text;
  for (const std::span<const int32_t> part : parts_of(hypothesis.ids)) {
    const std::string words = tokenizers_.target().decode(part);
    if (!text.empty() && !words.empty()) text += ' ';
    text += words;
  }
  return {std::move(text), std::move(hypothesis), {}};
}

void Translator::align(const TranslationRequest& request, std::span<const std::vector<Part>> lines,
                       std::vector<std::vector<Translation>>& translations) {
  std::vector<ForcedPair> pairs;
  std::vector<SourceWords> words;
  std::vector<WordAlignment*> alignments;  // that each pair is a part of
  for (size_t line = 0; line < lines.size(); ++line) {
    const int64_t count = count_words(request.lines[line]);
    for (Translation& t : translations[line]) {
      const auto targets = parts_of(t.hypothesis.ids);
      for (size_t i = 0; i < lines[line].size(); ++i) {
        const Part& part = lines[line][i];
        pairs.push_back({part.input.source, targets[i]});
        words.push_back({count, words_at(request.lines[line], part.begins)});
        alignments.push_back(&t.alignment);
      }
    }
  }
  const auto found = align_words(models_.first(), tokenizers_.target(), pairs, words,
                                 *request.alignment, options_.batch_tokens, tools_);
  for (size_t i = 0; i < found.size(); ++i) alignments[i]->append(found[i]);
}

}  // namespace calque
