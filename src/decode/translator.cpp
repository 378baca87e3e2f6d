#include "decode/translator.h"

#include <algorithm>
#include <numeric>

#include "base/log.h"
#include "text/special_ids.h"

namespace calque {

Translator::Translator(Transformer& model, const TokenizerPair& tokenizers,
                       const DecodeOptions& options, Arena& arena, Workspace& workspace)
    : tokenizers_(tokenizers),
      options_(options),
      longest_source_(model.longest_sentence()),
      search_(model, options, arena, workspace) {}

std::vector<std::string> Translator::translate(std::span<const std::string> lines,
                                               const std::function<void(int64_t)>& progress) {
  std::vector<std::string> translations(lines.size());
  std::vector<std::vector<int32_t>> sources(lines.size());
  std::vector<size_t> order;  // lines with text, the longest first
  for (size_t i = 0; i < lines.size(); ++i) {
    tokenizers_.source().encode(lines[i], sources[i]);
    if (sources[i].empty()) continue;
    if (std::ssize(sources[i]) >= longest_source_) {
      log::warning(
          "line {} has {} tokens, more than the positions that this model has learned: only the "
          "first {} are translated",
          first_line_ + static_cast<int64_t>(i), sources[i].size(), longest_source_ - 1);
      sources[i].resize(static_cast<size_t>(longest_source_ - 1));
    }
    sources[i].push_back(kEndId);
    order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return sources[a].size() > sources[b].size(); });

  auto done = static_cast<int64_t>(lines.size() - order.size());
  std::vector<int32_t> ids;
  SequenceLayoutBuffer layout;
  for (size_t first = 0; first < order.size();) {
    ids.clear();
    layout.clear();
    size_t last = first;
    for (; last < order.size(); ++last) {
      const std::vector<int32_t>& source = sources[order[last]];
      const auto tokens = static_cast<int64_t>(ids.size() + source.size());
      if (last > first && tokens * options_.beam > options_.batch_tokens) break;
      ids.insert(ids.end(), source.begin(), source.end());
      layout.append(static_cast<int64_t>(source.size()));
    }
    const auto found = search_.search(ids, layout.view());
    for (size_t i = first; i < last; ++i) {
      const std::vector<int32_t>& best = found[i - first].front().ids;
      translations[order[i]] = tokenizers_.target().decode(best);
      output_tokens_ += static_cast<int64_t>(best.size()) + 1;
    }
    done += static_cast<int64_t>(last - first);
    if (progress) progress(done);
    first = last;
  }
  first_line_ += static_cast<int64_t>(lines.size());
  return translations;
}

}  // namespace calque
