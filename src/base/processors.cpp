#include "base/processors.h"

#include <fmt/format.h>
#include <sched.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "base/parallel.h"

namespace calque {
namespace {

namespace fs = std::filesystem;

/// Quota over period of one cgroup, or 0 where it sets no limit.
double folder_quota(const fs::path& folder) {
  double quota = 0;
  double period = 0;
  if (std::ifstream v2(folder / "cpu.max"); v2 >> quota >> period) {  // "max 100000": no number
    return quota > 0 && period > 0 ? quota / period : 0;
  }
  std::ifstream v1_quota(folder / "cpu.cfs_quota_us");  // -1: no limit
  std::ifstream v1_period(folder / "cpu.cfs_period_us");
  if (!(v1_quota >> quota) || !(v1_period >> period)) return 0;
  return quota > 0 && period > 0 ? quota / period : 0;
}

/// The smallest quota from the cgroup `inside` up to the top of `hierarchy`. A container often sees
/// its own cgroup as the top, under the path that it has outside: folders that are not there count
/// as no limit.
double smallest_quota(const fs::path& hierarchy, fs::path inside) {
  double smallest = 0;
  for (;;) {
    const double quota = folder_quota(inside.empty() ? hierarchy : hierarchy / inside);
    if (quota > 0 && (smallest == 0 || quota < smallest)) smallest = quota;
    if (inside.empty()) return smallest;
    inside = inside.parent_path();
  }
}

int affinity_processors() {
  // The kernel refuses a mask that is smaller than its own.
  for (int processors = CPU_SETSIZE; processors <= (1 << 20); processors *= 2) {
    std::vector<cpu_set_t> mask(CPU_ALLOC_SIZE(processors) / sizeof(cpu_set_t));
    const size_t bytes = mask.size() * sizeof(cpu_set_t);
    if (sched_getaffinity(0, bytes, mask.data()) == 0) return CPU_COUNT_S(bytes, mask.data());
  }
  return 1;
}

/// Is "cpu" one of the comma-separated controllers?
bool has_cpu(std::string_view controllers) {
  return fmt::format(",{},", controllers).find(",cpu,") != std::string::npos;
}

}  // namespace

double quota_processors(const fs::path& mount, std::string_view membership) {
  double smallest = 0;
  std::istringstream lines{std::string(membership)};
  std::string id;
  std::string controllers;
  std::string inside;
  while (std::getline(lines, id, ':') && std::getline(lines, controllers, ':') &&
         std::getline(lines, inside)) {
    const bool v2 = id == "0";
    if (!v2 && !has_cpu(controllers)) continue;
    // A path with ".." lies outside of what this process sees.
    const bool visible = inside.find("..") == std::string::npos;
    const fs::path folder = visible ? fs::path(inside).relative_path() : fs::path();
    const double quota = smallest_quota(v2 ? mount : mount / controllers, folder);
    if (quota > 0 && (smallest == 0 || quota < smallest)) smallest = quota;
  }
  return smallest;
}

int available_processors() {
  std::ifstream file("/proc/self/cgroup");
  const std::string membership(std::istreambuf_iterator<char>(file), {});
  const auto quota = static_cast<int>(std::ceil(quota_processors("/sys/fs/cgroup", membership)));
  const int affinity = affinity_processors();
  const int count = quota > 0 && quota < affinity ? quota : affinity;
  return count > 0 ? count : 1;
}

}  // namespace calque
