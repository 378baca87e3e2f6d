#include "base/stopwatch.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace calque {

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds)) return "unknown";
  if (seconds < 0) return "-" + format_duration(-seconds);
  // Each bound is where the shorter form would round up to the next unit.
  if (seconds < 0.9995) return fmt::format("{:.0f} ms", seconds * 1e3);
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  if (seconds < 3599.5) {
    const auto whole = static_cast<int>(std::lround(seconds));
    return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  }
  const long long minutes = std::llround(seconds / 60);
  return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
}

std::string format_bytes(double bytes) {
  struct Unit {
    const char* name;
    int digits;
  };
  constexpr std::array<Unit, 5> kUnits{{{"B", 0}, {"KB", 1}, {"MB", 1}, {"GB", 2}, {"TB", 2}}};
  size_t unit = 0;
  // The bound is what would print as 1024 of the smaller unit.
  while (unit + 1 < kUnits.size() && bytes >= (unit == 0 ? 1023.5 : 1023.95)) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", bytes, kUnits[unit].digits, kUnits[unit].name);
}

std::string format_count(long long count) {
  const std::string plain = std::to_string(count);
  const size_t sign = count < 0 ? 1 : 0;
  std::string grouped;
  for (size_t i = 0; i < plain.size(); ++i) {
    if (i > sign && (plain.size() - i) % 3 == 0) grouped += ',';
    grouped += plain[i];
  }
  return grouped;
}

std::string format_count(long long count, std::string_view thing) {
  return fmt::format("{} {}{}", format_count(count), thing, count == 1 ? "" : "s");
}

}  // namespace calque
