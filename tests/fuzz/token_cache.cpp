#include "data/token_cache.h"

#include <cstring>

#include "base/error.h"
#include "fuzz/scratch_file.h"
#include "fuzz/targets.h"

namespace calque::fuzz {
namespace {

constexpr uint64_t kFingerprint = 0x0123456789ABCDEF;

std::string hex(uint64_t hash) { return fmt::format("{:016x}", hash); }

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// The first bytes of `rest`, at most `count`, which it loses.
std::string_view take(std::string_view& rest, size_t count) {
  const std::string_view taken = rest.substr(0, count);
  rest.remove_prefix(taken.size());
  return taken;
}

/// Opens the cache and reads all of it.
bool accepts(const std::filesystem::path& stem, int64_t source_vocab, int64_t target_vocab) {
  try {
    const TokenCache cache(stem, kFingerprint, source_vocab, target_vocab);
    TokenTotals totals;
    std::vector<int32_t> ids;
    const auto check_ids = [&](int64_t length, int64_t vocab) {
      CALQUE_CHECK(std::ssize(ids) == length, "{} ids of {}", ids.size(), length);
      for (const int32_t id : ids) CALQUE_CHECK(id >= 0 && id < vocab, "id {} of {}", id, vocab);
      ids.clear();
    };
    for (int64_t pair = 0; pair < cache.size(); ++pair) {
      cache.append_source(pair, ids);
      check_ids(cache.source_length(pair), source_vocab);
      cache.append_target(pair, ids);
      check_ids(cache.target_length(pair), target_vocab);
      totals.add(cache.source_length(pair), cache.target_length(pair));
    }
    CALQUE_CHECK(totals == cache.totals(), "the totals are wrong");
    CALQUE_CHECK(!cache.drop_report().lines("fuzzed", {}).empty(), "there is no report");
    return true;
  } catch (const BadCache&) {
    return false;
  }
}

}  // namespace

bool token_cache(std::string_view bytes) {
  std::string_view rest = bytes;
  std::string summary(take(rest, rest.find('\n')));
  take(rest, 1);
  uint16_t pairs = 0;
  const std::string_view count = take(rest, sizeof pairs);
  std::memcpy(&pairs, count.data(), count.size());
  const std::string_view index = take(rest, pairs * sizeof(TokenCacheEntry));

  replace_all(summary, "@index@", hex(hash_bytes(index)));
  replace_all(summary, "@ids@", hex(hash_bytes(rest)));
  summary += '\n';
  scratch_file("cache.index", index);
  scratch_file("cache.ids", rest);
  const std::filesystem::path stem =
      scratch_file("cache.json", summary + hex(hash_bytes(summary)) + "\n").replace_extension();
  constexpr int64_t kVocab = 1000;
  constexpr int64_t kLargeVocab = 100'000;  // ids of four bytes
  return accepts(stem, kVocab, kVocab) || accepts(stem, kVocab, kLargeVocab);
}

}  // namespace calque::fuzz
