#include "cli/attention_report.h"

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <span>

#include "analysis/head_figures.h"
#include "base/error.h"
#include "base/version.h"
#include "cli/attention_page.h"
#include "cli/text_output.h"
#include "text/words.h"

namespace calque {
namespace {

using Json = nlohmann::ordered_json;

/// Matrices of one size, one behind the other.
struct Matrices {
  std::vector<double> values;
  int64_t rows;
  int64_t cols;
};

/// How matrices are put into the JSON; `outer` are the sizes of the list around them.
using WriteMatrices = std::function<Json(const Matrices&, std::vector<int64_t> outer)>;

/// Nested lists of these sizes.
Json nest(std::span<const double> values, std::span<const int64_t> sizes) {
  Json list = Json::array();
  const size_t part = values.size() / static_cast<size_t>(std::max<int64_t>(sizes[0], 1));
  for (size_t i = 0; i < static_cast<size_t>(sizes[0]); ++i) {
    if (sizes.size() == 1) {
      list.push_back(std::round(values[i] * 1e6) / 1e6);
    } else {
      list.push_back(nest(values.subspan(i * part, part), sizes.subspan(1)));
    }
  }
  return list;
}

Json nested_lists(const Matrices& matrices, std::vector<int64_t> sizes) {
  sizes.insert(sizes.end(), {matrices.rows, matrices.cols});
  return nest(matrices.values, sizes);
}

std::string base64(std::span<const uint8_t> bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t bits = 0;
    const size_t count = std::min<size_t>(bytes.size() - i, 3);
    for (size_t k = 0; k < 3; ++k) bits = bits << 8 | (k < count ? bytes[i + k] : 0u);
    for (size_t k = 0; k < 4; ++k) {
      text += k <= count ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

Json packed(const Matrices& matrices, const std::vector<int64_t>& /*outer*/) {
  std::vector<uint8_t> bytes;
  for (const double value : matrices.values) {
    const auto number = static_cast<uint32_t>(std::lround(std::clamp(value, 0.0, 1.0) * 65535));
    bytes.push_back(static_cast<uint8_t>(number & 255));
    bytes.push_back(static_cast<uint8_t>(number >> 8));
  }
  return base64(bytes);
}

Json figures_json(const HeadFigures& figures) {
  return {{"entropy", figures.entropy},
          {"relative_entropy", figures.relative_entropy},
          {"largest_weight", figures.largest_weight},
          {"character", name_of(figures.character)}};
}

Json place_json(const AttentionReport& report, AttentionPlace place, const WriteMatrices& write) {
  const TappedAttention& attention = report.attention;
  const AttentionMap any = attention.map(place, 0, 0);
  const int64_t layers = attention.layers(place);
  Json json{{"name", name_of(place)},     {"title", title_of(place)}, {"layers", layers},
            {"heads", attention.heads()}, {"queries", any.queries()}, {"keys", any.keys()},
            {"causal", any.causal},       {"figures", Json::array()}};
  Matrices weights{{}, any.queries(), any.keys()};
  Matrices rollout = weights;
  for (int64_t layer = 0; layer < layers; ++layer) {
    Json& of_layer = json["figures"].emplace_back(Json::array());
    for (int64_t head = 0; head < attention.heads(); ++head) {
      const AttentionMap map = attention.map(place, layer, head);
      of_layer.push_back(figures_json(measure_head(place, map)));
      for (int64_t query = 0; query < map.queries(); ++query) {
        for (int64_t key = 0; key < map.keys(); ++key) {
          weights.values.push_back(map.weight(query, key));
        }
      }
    }
    const std::vector<double>& rolled = report.rollout.at(place, layer);
    rollout.values.insert(rollout.values.end(), rolled.begin(), rolled.end());
  }
  json["weights"] = write(weights, {layers, attention.heads()});
  json["rollout"] = write(rollout, {layers});
  return json;
}

Json to_json(const AttentionReport& report, const WriteMatrices& write) {
  const WordAlignment& alignment = report.alignment;
  const Matrices aligned{{alignment.weights.begin(), alignment.weights.end()},
                         alignment.target_words,
                         alignment.source_words};
  Json json{{"calque", kVersion},
            {"model", report.model},
            {"source",
             {{"text", report.source},
              {"tokens", report.source_tokens},
              {"words", words_of(report.source)}}},
            {"target",
             {{"text", report.target},
              {"translated", report.translated},
              {"log_probability", report.log_probability},
              {"inputs", report.target_inputs},
              {"outputs", report.target_outputs},
              {"words", words_of(report.target_as_read)}}},
            {"alignment", {{"layer", report.aligning_layer + 1}, {"weights", write(aligned, {})}}},
            {"attentions", Json::array()}};
  for (const AttentionPlace place : kAttentionPlaces) {
    json["attentions"].push_back(place_json(report, place, write));
  }
  return json;
}

/// JSON that may stand inside a <script> of a page: what could end it is written as \u003c.
std::string script_text(const Json& json) {
  const std::string text =
      json.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
  std::string escaped;
  for (const char c : text) {
    if (c == '<' || c == '>' || c == '&') {
      escaped += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace

std::string_view title_of(AttentionPlace place) {
  constexpr std::array<std::string_view, kAttentionPlaces.size()> kTitles{
      "Encoder self-attention", "Decoder self-attention", "Cross-attention"};
  return kTitles[static_cast<size_t>(place)];
}

std::string attention_json(const AttentionReport& report) {
  return to_json(report, nested_lists)
             .dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace) +
         "\n";
}

std::string attention_page(const AttentionReport& report) {
  constexpr std::string_view kPlace = "null<!-- the numbers -->";
  const size_t place = kAttentionPage.find(kPlace);
  CALQUE_CHECK(place != std::string_view::npos, "the page has no place for its numbers");
  return std::string(kAttentionPage.substr(0, place)) + script_text(to_json(report, packed)) +
         std::string(kAttentionPage.substr(place + kPlace.size()));
}

}  // namespace calque
