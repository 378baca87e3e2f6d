#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

struct XXH3_state_s;

namespace calque {

/// XXH3-64 of bytes that come part by part: the same as `hash_bytes` of all of them.
class StreamHash {
 public:
  StreamHash();
  ~StreamHash();
  StreamHash(StreamHash&&) noexcept;

  void update(std::span<const std::byte> bytes);
  /// The hash of what came so far; more may follow.
  uint64_t digest() const;

 private:
  std::unique_ptr<XXH3_state_s, void (*)(XXH3_state_s*)> state_;
};

}  // namespace calque
