#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace calque {

/// The name of the processor, "Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz"; "unknown processor" where
/// the system does not tell it.
std::string processor_name();

/// Bytes of memory that this process may still take without swapping: what the system has left,
/// bounded by the memory limits of its cgroups. 0 where it cannot be told.
double available_memory();

/// What the memory limits of this process's cgroup and of those above it leave, in bytes; infinity
/// where there is no limit. Arguments as of `cgroup_folders`.
double cgroup_memory_left(const std::filesystem::path& mount, std::string_view membership);

}  // namespace calque
