#include "base/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/stopwatch.h"

namespace calque::profile {
namespace {

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
    part = {part.name};
  }
  state.since_last_mark.restart();
}

double seconds(const char* part) {
  const size_t index = state.find(part);
  return index < state.parts.size() ? state.parts[index].seconds : 0;
}

std::vector<Part> parts() {
  std::vector<Part> ran;
  std::copy_if(state.parts.begin(), state.parts.end(), std::back_inserter(ran),
               [](const Part& part) { return part.calls > 0; });
  std::stable_sort(ran.begin(), ran.end(),
                   [](const Part& a, const Part& b) { return a.seconds > b.seconds; });
  return ran;
}

std::string table(const std::vector<Part>& rows) {
  double total = 0;
  for (const Part& part : rows) total += part.seconds;
  const auto rate = [](double work, double seconds) {
    return work > 0 && seconds > 0 ? fmt::format("{:.1f}", work / seconds * 1e-9) : std::string();
  };
  std::string text = fmt::format("{:<28} {:>12} {:>12} {:>7} {:>9} {:>7}\n", "part", "calls", "ms",
                                 "share", "GFLOP/s", "GB/s");
  for (const Part& part : rows) {
    text += fmt::format("{:<28} {:>12} {:>12.1f} {:>5.1f} % {:>9} {:>7}\n", part.name, part.calls,
                        part.seconds * 1e3, total > 0 ? 100 * part.seconds / total : 0.0,
                        rate(part.work.flops, part.seconds), rate(part.work.bytes, part.seconds));
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

void count(const Work& work) {
  Work& sum = state.parts[state.open.back()].work;
  sum.flops += work.flops;
  sum.bytes += work.bytes;
}

void leave() {
  state.charge_innermost();
  state.open.pop_back();
}

}  // namespace calque::profile
