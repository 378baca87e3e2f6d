#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace calque::test {

/// A way to damage a file's bytes, and its name for messages.
struct Damage {
  std::string name;  // "cut to 17 bytes", "byte 4 xor 80"
  std::string bytes;
};

/// The damages that each file is tried with: cut at 50 places that are spread over it, the first
/// leaving nothing, and one of 200 bytes changed at random. The same for the same bytes.
inline constexpr int kCuts = 50;
inline constexpr int kChanges = 200;
inline constexpr int kDamages = kCuts + kChanges;
void for_each_damage(const std::string& good, const std::function<void(const Damage&)>& body);

/// Gives a file that is there other bytes, in place: much faster than a new file that is synced.
void overwrite(const std::filesystem::path& path, const std::string& bytes);

}  // namespace calque::test
