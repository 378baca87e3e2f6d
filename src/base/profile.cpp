#include "base/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/stopwatch.h"

namespace calque::profile {
namespace {

struct Part {
  const char* name;
  int64_t calls = 0;
  double seconds = 0;
};

/// Time is charged piece by piece: whenever a scope opens or closes, what passed since the last
/// such moment belongs to the innermost open scope.
struct State {
  bool on = false;
  std::thread::id owner;  // the thread that switched profiling on
  std::vector<Part> parts;
  std::vector<size_t> open;  // indices into parts, innermost last
  Stopwatch since_last_mark;

  void charge_innermost() {
    const double elapsed = since_last_mark.restart();
    if (!open.empty()) parts[open.back()].seconds += elapsed;
  }

  size_t find(const char* name) const {
    const auto same = [name](const Part& part) {
      return part.name == name || std::strcmp(part.name, name) == 0;
    };
    return static_cast<size_t>(std::find_if(parts.begin(), parts.end(), same) - parts.begin());
  }
};

State state;

}  // namespace

void enable(bool on) {
  state.on = on;
  state.owner = std::this_thread::get_id();
}

bool enabled() { return state.on; }

void reset() {
  for (Part& part : state.parts) {
    part.calls = 0;
    part.seconds = 0;
  }
  state.since_last_mark.restart();
}

double seconds(const char* part) {
  const size_t index = state.find(part);
  return index < state.parts.size() ? state.parts[index].seconds : 0;
}

std::string table() {
  std::vector<Part> sorted;
  double total = 0;
  for (const Part& part : state.parts) {
    if (part.calls == 0) continue;
    sorted.push_back(part);
    total += part.seconds;
  }
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Part& a, const Part& b) { return a.seconds > b.seconds; });
  std::string text = fmt::format("{:<28} {:>12} {:>12} {:>7}\n", "part", "calls", "ms", "share");
  for (const Part& part : sorted) {
    text += fmt::format("{:<28} {:>12} {:>12.1f} {:>5.1f} %\n", part.name, part.calls,
                        part.seconds * 1e3, total > 0 ? 100 * part.seconds / total : 0.0);
  }
  return text;
}

void enter(const char* part) {
  CALQUE_CHECK(std::this_thread::get_id() == state.owner,
               "part `{}` entered outside the profiled thread", part);
  state.charge_innermost();
  const size_t index = state.find(part);
  if (index == state.parts.size()) state.parts.push_back({part});
  ++state.parts[index].calls;
  state.open.push_back(index);
}

void leave() {
  state.charge_innermost();
  state.open.pop_back();
}

}  // namespace calque::profile
