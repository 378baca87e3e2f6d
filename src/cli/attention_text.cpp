#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "analysis/head_figures.h"
#include "base/printable.h"
#include "cli/attention_report.h"
#include "text/words.h"

namespace calque {
namespace {

/// Columns of a map that stand side by side.
constexpr size_t kMostColumns = 96;

/// Characters of UTF-8.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/// What brings `text` to a width.
std::string padding(std::string_view text, size_t width) {
  return std::string(width - std::min(width, width_of(text)), ' ');
}

/// `text` on a ground that is the brighter the nearer `weight` is to 1: steps of the 256 colours of
/// terminals, from none over blue to yellow.
std::string shaded(const std::string& text, double weight, bool colours) {
  struct Ground {
    double least;
    int colour;
    int ink;
  };
  constexpr Ground kGrounds[] = {{0.75, 220, 16}, {0.5, 178, 16},  {0.3, 133, 231},
                                 {0.15, 61, 231}, {0.05, 18, 231}, {0, 0, 0}};
  if (!colours || weight < kGrounds[4].least) return text;
  const Ground& ground =
      *std::ranges::find_if(kGrounds, [&](const Ground& g) { return weight >= g.least; });
  return fmt::format("\x1b[48;5;{};38;5;{}m{}\x1b[0m", ground.colour, ground.ink, text);
}

/// A row for each layer, a column for each head.
std::string heads_text(const AttentionReport& report, AttentionPlace place, bool colours) {
  const TappedAttention& attention = report.attention;
  std::string text = fmt::format("\n{}\n  layer", title_of(place));
  for (int64_t head = 1; head <= attention.heads(); ++head) {
    text += fmt::format("  {:<14}", fmt::format("head {}", head));
  }
  for (int64_t layer = 0; layer < attention.layers(place); ++layer) {
    text += fmt::format("\n  {:>5}", layer + 1);
    for (int64_t head = 0; head < attention.heads(); ++head) {
      const HeadFigures figures = measure_head(place, attention.map(place, layer, head));
      text +=
          "  " + shaded(fmt::format("{:<8} {:>5.2f}", name_of(figures.character), figures.entropy),
                        1 - figures.relative_entropy, colours);
    }
  }
  return text + "\n";
}

/// Columns of a word of the source: its percentages need three.
size_t column_width(std::string_view word) { return std::max<size_t>(width_of(word), 3); }

/// Percentages of the words [first, last) of the source for each word of the target.
std::string alignment_block(const WordAlignment& alignment,
                            std::span<const std::string_view> source,
                            std::span<const std::string_view> target, size_t first, size_t last,
                            bool colours) {
  size_t label = 0;
  for (const std::string_view word : target) label = std::max(label, width_of(word));
  std::string text = "\n  " + std::string(label, ' ');
  for (size_t s = first; s < last; ++s) {
    text += "  " + padding(source[s], 3) + std::string(source[s]);
  }
  for (size_t t = 0; t < target.size(); ++t) {
    text += "\n  " + std::string(target[t]) + padding(target[t], label);
    for (size_t s = first; s < last; ++s) {
      const double weight =
          static_cast<double>(alignment.weight(static_cast<int64_t>(t), static_cast<int64_t>(s)));
      const auto percent = std::lround(100 * weight);
      const std::string number = percent > 0 ? fmt::format("{}", percent) : "\u00b7";
      text +=
          " " + shaded(" " + padding(number, column_width(source[s])) + number, weight, colours);
    }
  }
  return text + "\n";
}

std::string alignment_text(const AttentionReport& report, bool colours) {
  const std::string source_text = printable(report.source);
  const std::string target_text = printable(report.target_as_read);
  const std::vector<std::string_view> source = words_of(source_text);
  const std::vector<std::string_view> target = words_of(target_text);
  std::string text = fmt::format(
      "\nAlignment: of each word, what decoder layer {} takes from each word of the source, in "
      "percent\n",
      report.aligning_layer + 1);
  for (size_t first = 0; first < source.size();) {
    size_t last = first;
    size_t columns = 0;
    do {
      columns += 2 + column_width(source[last++]);
    } while (last < source.size() && columns + 2 + column_width(source[last]) <= kMostColumns);
    text += alignment_block(report.alignment, source, target, first, last, colours);
    first = last;
  }
  return text;
}

}  // namespace

std::string attention_text(const AttentionReport& report, bool colours) {
  std::string text = fmt::format(
      "model   {}\nsource  {}\ntarget  {}\n        {}, log-probability {:.4f}\n\n"
      "Each head in a word, and its entropy in bits{}\n",
      printable(report.model), printable(report.source), printable(report.target),
      report.translated ? "the model's own translation" : "as given", report.log_probability,
      colours ? "; the brighter, the sharper" : "");
  for (const AttentionPlace place : kAttentionPlaces) text += heads_text(report, place, colours);
  return text + alignment_text(report, colours);
}

}  // namespace calque
