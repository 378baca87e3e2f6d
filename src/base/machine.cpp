#include "base/machine.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>

#include "base/cgroup.h"

namespace calque {
namespace {

constexpr double kNoLimit = std::numeric_limits<double>::infinity();

/// The text behind the first line's "key <spaces> : <spaces>" of a file such as /proc/cpuinfo.
std::string value_of(const char* path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(':');
    if (!line.starts_with(key) || colon == std::string::npos) continue;
    const size_t begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? std::string() : line.substr(begin);
  }
  return {};
}

/// The number that `key` has in a file of lines "key number"; 0 without it.
double number_of(const std::filesystem::path& path, const std::string& key) {
  std::ifstream file(path);
  std::string name;
  for (double value = 0; file >> name >> value;) {
    if (name == key) return value;
  }
  return 0;
}

/// Limit less use of one cgroup. Pages of files that nobody used of late can be given back, so they
/// do not count as used.
double folder_memory_left(const CgroupFolder& folder) {
  std::ifstream limit_file(folder.path / (folder.v2 ? "memory.max" : "memory.limit_in_bytes"));
  std::ifstream used_file(folder.path / (folder.v2 ? "memory.current" : "memory.usage_in_bytes"));
  double limit = 0;
  double used = 0;
  if (!(limit_file >> limit) || !(used_file >> used)) return kNoLimit;  // "max": no number
  const double files =
      number_of(folder.path / "memory.stat", folder.v2 ? "inactive_file" : "total_inactive_file");
  return std::max(0.0, limit - std::max(0.0, used - files));
}

}  // namespace

std::string processor_name() {
  const std::string name = value_of("/proc/cpuinfo", "model name");
  return name.empty() ? "unknown processor" : name;
}

double cgroup_memory_left(const std::filesystem::path& mount, std::string_view membership) {
  double least = kNoLimit;
  for (const CgroupFolder& folder : cgroup_folders(mount, membership, "memory")) {
    least = std::min(least, folder_memory_left(folder));
  }
  return least;
}

double available_memory() {
  const std::string text = value_of("/proc/meminfo", "MemAvailable");
  if (text.empty()) return 0;
  const double system = std::strtod(text.c_str(), nullptr) * 1024;  // "12345 kB"
  return std::min(system, cgroup_memory_left("/sys/fs/cgroup", cgroup_membership()));
}

}  // namespace calque
