#pragma once

#include <filesystem>
#include <string_view>

namespace calque {

/// Processors granted by the CPU quotas of this process's cgroup and of those above it; 0 where
/// nothing limits them. `mount` is /sys/fs/cgroup and `membership` the content of /proc/self/cgroup
/// (cgroups(7)); version 1 and version 2 may be mixed.
double quota_processors(const std::filesystem::path& mount, std::string_view membership);

}  // namespace calque
