#include "decode/translator.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/log.h"
#include "text/special_ids.h"

namespace calque {

namespace {

/// Text beyond this is cut before it is tokenised: a piece has 16 characters at most.
constexpr size_t kMostBytesPerToken = 64;

/// A batch may need so many places of the key-value cache for each of its `batch_tokens`, and so
/// many in all, which are numbered in 32 bits. Only a large max_length_ratio comes near.
constexpr int64_t kMostSlotsPerToken = 8;
constexpr int64_t kMostSlots = std::numeric_limits<int32_t>::max();

/// The longest prefix of UTF-8 `text` with at most `bytes` bytes that cuts no character.
std::string_view cut_to_bytes(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
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
  std::vector<std::string> translations(lines.size());
  std::vector<std::vector<int32_t>> sources(lines.size());
  std::vector<size_t> order;  // lines with text, the longest first
  for (size_t i = 0; i < lines.size(); ++i) {
    sources[i] = encode(lines[i], first_line_ + static_cast<int64_t>(i));
    if (!sources[i].empty()) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return sources[a].size() > sources[b].size(); });

  auto done = static_cast<int64_t>(lines.size() - order.size());
  const auto report = [&] {
    if (progress) progress(done);
  };
  std::vector<int32_t> ids;
  SequenceLayoutBuffer layout;
  for (size_t first = 0; first < order.size();) {
    ids.clear();
    layout.clear();
    int64_t slots = 0;
    size_t last = first;
    for (; last < order.size(); ++last) {
      const std::vector<int32_t>& source = sources[order[last]];
      const auto tokens = static_cast<int64_t>(ids.size() + source.size());
      slots += search_.cache_slots(std::ssize(source));
      const bool full = tokens * options_.beam > options_.batch_tokens ||
                        slots > std::min(kMostSlotsPerToken * options_.batch_tokens, kMostSlots);
      if (last > first && full) break;
      ids.insert(ids.end(), source.begin(), source.end());
      layout.append(std::ssize(source));
    }
    const auto found = search_.search(ids, layout.view(), report);
    for (size_t i = first; i < last; ++i) {
      const std::vector<int32_t>& best = found[i - first].front().ids;
      translations[order[i]] = tokenizers_.target().decode(best);
      output_tokens_ += static_cast<int64_t>(best.size()) + 1;
    }
    done += static_cast<int64_t>(last - first);
    first = last;
  }
  report();
  first_line_ += static_cast<int64_t>(lines.size());
  return translations;
}

}  // namespace calque
