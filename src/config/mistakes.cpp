#include "config/mistakes.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace calque {

std::string Place::text() const { return line > 0 ? fmt::format("{}:{}", source, line) : source; }

void Mistakes::add(const Place& place, const std::string& key, const std::string& message) {
  const std::string subject = key.empty() || place.names_key ? "" : key + ": ";
  mistakes_.push_back({place, fmt::format("{}: {}{}", place.text(), subject, message)});
  keys_.insert(key);
}

void Mistakes::throw_if_any(const std::string& file) const {
  if (mistakes_.empty()) return;
  if (mistakes_.size() == 1) throw UserError(mistakes_.front().text);
  auto sorted = mistakes_;
  const auto rank = [](const Mistake& mistake) {
    return mistake.place.line > 0 ? mistake.place.line : std::numeric_limits<int>::max();
  };
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const Mistake& a, const Mistake& b) { return rank(a) < rank(b); });
  std::string message = fmt::format("{}: {} mistakes", file, sorted.size());
  for (const Mistake& mistake : sorted) message += "\n  " + mistake.text;
  throw UserError(message);
}

}  // namespace calque
