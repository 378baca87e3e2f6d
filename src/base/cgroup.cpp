#include "base/cgroup.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <sstream>

namespace calque {
namespace {

namespace fs = std::filesystem;

/// Whether `controller` is one of the comma-separated controllers.
bool has_controller(const std::string& controllers, const std::string& controller) {
  return fmt::format(",{},", controllers).find("," + controller + ",") != std::string::npos;
}

}  // namespace

std::vector<CgroupFolder> cgroup_folders(const fs::path& mount, std::string_view membership,
                                         const std::string& controller) {
  std::vector<CgroupFolder> folders;
  std::istringstream lines{std::string(membership)};
  std::string id;
  std::string controllers;
  std::string inside;
  while (std::getline(lines, id, ':') && std::getline(lines, controllers, ':') &&
         std::getline(lines, inside)) {
    const bool v2 = id == "0";
    if (!v2 && !has_controller(controllers, controller)) continue;
    const fs::path hierarchy = v2 ? mount : mount / controllers;
    // A path with ".." lies outside of what this process sees.
    const bool visible = inside.find("..") == std::string::npos;
    fs::path folder = visible ? fs::path(inside).relative_path() : fs::path();
    for (; !folder.empty(); folder = folder.parent_path()) {
      folders.push_back({hierarchy / folder, v2});
    }
    folders.push_back({hierarchy, v2});
  }
  return folders;
}

std::string cgroup_membership() {
  std::ifstream file("/proc/self/cgroup");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace calque
