#include "data/batch_export.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/file.h"

namespace calque {
namespace {

/// "[[17, 5, 2], [9, 2]]".
std::string sentences_text(std::span<const int32_t> ids, const SequenceLayout& layout) {
  std::string text;
  for (size_t s = 0; s < layout.lengths.size(); ++s) {
    const auto begin = static_cast<size_t>(layout.begins[s]);
    const auto length = static_cast<size_t>(layout.lengths[s]);
    text += fmt::format("{}[{}]", s == 0 ? "" : ", ", fmt::join(ids.subspan(begin, length), ", "));
  }
  return "[" + text + "]";
}

}  // namespace

void export_batches(Batcher batcher, int64_t count, const std::filesystem::path& file) {
  FileWriter writer(file);
  Batch batch;
  for (int64_t i = 0; i < count; ++i) {
    batcher.next(batch);
    writer.write(fmt::format("{{\"source\": {}, \"target\": {}}}\n",
                             sentences_text(batch.source_ids, batch.source_layout.view()),
                             sentences_text(batch.target_output_ids, batch.target_layout.view())));
  }
  writer.finish();
}

}  // namespace calque
