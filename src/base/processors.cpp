#include "base/processors.h"

#include <sched.h>

#include <cmath>
#include <fstream>
#include <vector>

#include "base/cgroup.h"
#include "base/parallel.h"

namespace calque {
namespace {

namespace fs = std::filesystem;

/// Quota over period of one cgroup, or 0 where it sets no limit.
double folder_quota(const CgroupFolder& folder) {
  double quota = 0;
  double period = 0;
  if (folder.v2) {
    std::ifstream file(folder.path / "cpu.max");  // "max 100000": no number
    file >> quota >> period;
  } else {
    std::ifstream(folder.path / "cpu.cfs_quota_us") >> quota;  // -1: no limit
    std::ifstream(folder.path / "cpu.cfs_period_us") >> period;
  }
  return quota > 0 && period > 0 ? quota / period : 0;
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

}  // namespace

double quota_processors(const fs::path& mount, std::string_view membership) {
  double smallest = 0;
  for (const CgroupFolder& folder : cgroup_folders(mount, membership, "cpu")) {
    const double quota = folder_quota(folder);
    if (quota > 0 && (smallest == 0 || quota < smallest)) smallest = quota;
  }
  return smallest;
}

int available_processors() {
  const auto quota =
      static_cast<int>(std::ceil(quota_processors("/sys/fs/cgroup", cgroup_membership())));
  const int affinity = affinity_processors();
  const int count = quota > 0 && quota < affinity ? quota : affinity;
  return count > 0 ? count : 1;
}

}  // namespace calque
