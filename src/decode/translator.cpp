#include "decode/translator.h"

#include <algorithm>
#include <numeric>

#include "base/log.h"
#include "text/special_ids.h"

namespace calque {

namespace {

/// Text beyond this is cut before it is tokenised: a piece has 16 characters at most.
constexpr size_t kMostBytesPerToken = 64;

/// The longest prefix of UTF-8 `text` with at most `bytes` bytes that cuts no character.
std::string_view cut_to_bytes(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

/// The longest first: at the end, when no sentence is left to fill the batch, few steps remain.
void sort_longest_first(std::vector<std::vector<int32_t>>& sources, std::vector<size_t>& line_of) {
  std::vector<size_t> order(sources.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, std::greater<>(), [&](size_t i) { return sources[i].size(); });
  std::vector<std::vector<int32_t>> sorted;
  std::vector<size_t> lines;
  for (const size_t i : order) {
    sorted.push_back(std::move(sources[i]));
    lines.push_back(line_of[i]);
  }
  sources.swap(sorted);
  line_of.swap(lines);
}

}  // namespace

Translator::Translator(Transformer& model, const TokenizerPair& tokenizers,
                       const DecodeOptions& options, Arena& arena, Workspace& workspace,
                       kernels::PreparedWeights<Real>* weights)
    : tokenizers_(tokenizers),
      options_(options),
      longest_source_(std::min(model.longest_sentence(), options.max_length)),
      search_(model, options, arena, workspace, weights) {}

std::vector<int32_t> Translator::encode(const std::string& line, int64_t number) const {
  const std::string_view text =
      cut_to_bytes(line, static_cast<size_t>(options_.max_length) * kMostBytesPerToken);
  std::vector<int32_t> ids;
  tokenizers_.source().encode(text, ids);
  const bool cut = text.size() < line.size();
  if (std::ssize(ids) >= longest_source_) {
    log::warning(
        "line {} has {}{} tokens: only the first {} are translated, as many as the model or "
        "validation.max_length allows; split it into sentences",
        number, cut ? "more than " : "", ids.size(), longest_source_ - 1);
    ids.resize(static_cast<size_t>(longest_source_ - 1));
  } else if (cut) {
    log::warning("line {} has {} bytes: only the first {} are translated; split it into sentences",
                 number, line.size(), text.size());
  }
  if (!ids.empty()) ids.push_back(kEndId);
  return ids;
}

std::vector<std::string> Translator::translate(std::span<const std::string> lines,
                                               const std::function<void(int64_t)>& progress) {
  std::vector<std::vector<int32_t>> sources;
  std::vector<size_t> line_of;  // of each source
  for (size_t i = 0; i < lines.size(); ++i) {
    std::vector<int32_t> ids = encode(lines[i], first_line_ + static_cast<int64_t>(i));
    if (ids.empty()) continue;
    sources.push_back(std::move(ids));
    line_of.push_back(i);
  }
  sort_longest_first(sources, line_of);

  const auto empty = std::ssize(lines) - std::ssize(sources);
  const auto found = search_.search(sources, [&](int64_t done) {
    if (progress) progress(empty + done);
  });
  std::vector<std::string> translations(lines.size());
  for (size_t i = 0; i < found.size(); ++i) {
    const std::vector<int32_t>& best = found[i].front().ids;
    translations[line_of[i]] = tokenizers_.target().decode(best);
    output_tokens_ += std::ssize(best) + 1;
  }
  if (progress) progress(std::ssize(lines));
  first_line_ += std::ssize(lines);
  return translations;
}

}  // namespace calque
