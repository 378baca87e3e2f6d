#include "support/damage.h"

#include <fmt/format.h>

#include <fstream>
#include <random>

namespace calque::test {

void for_each_damage(const std::string& good, const std::function<void(const Damage&)>& body) {
  for (size_t i = 0; i < kCuts; ++i) {
    const size_t size = i * good.size() / kCuts;
    body({fmt::format("cut to {} bytes", size), good.substr(0, size)});
  }
  std::mt19937 random(1);
  for (int i = 0; i < kChanges; ++i) {
    const size_t place = random() % good.size();
    const auto difference = static_cast<unsigned char>(1 + random() % 255);
    std::string bytes = good;
    bytes[place] = static_cast<char>(bytes[place] ^ difference);
    body({fmt::format("byte {} xor {:02x}", place, difference), std::move(bytes)});
  }
}

void overwrite(const std::filesystem::path& path, const std::string& bytes) {
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary)
      .write(bytes.data(), std::ssize(bytes));
  std::filesystem::resize_file(path, bytes.size());
}

}  // namespace calque::test
