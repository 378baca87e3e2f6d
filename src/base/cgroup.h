#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace calque {

/// A folder of a hierarchy of control groups (cgroups(7)) that bounds what this process may use.
struct CgroupFolder {
  std::filesystem::path path;
  bool v2 = false;
};

/// The folders of this process's cgroup and of those above it, in every hierarchy that may hold
/// `controller` ("cpu", "memory"). `mount` is /sys/fs/cgroup and `membership` the content of
/// /proc/self/cgroup; version 1 and version 2 may be mixed. A container often sees its own cgroup
/// as the top, under the path that it has outside: some folders may not be there.
std::vector<CgroupFolder> cgroup_folders(const std::filesystem::path& mount,
                                         std::string_view membership,
                                         const std::string& controller);

/// The content of /proc/self/cgroup; empty where there is none.
std::string cgroup_membership();

}  // namespace calque
