#include "base/stream_hash.h"

#include <xxhash.h>

#include "base/error.h"

namespace calque {

StreamHash::StreamHash()
    : state_(XXH3_createState(), [](XXH3_state_t* state) { XXH3_freeState(state); }) {
  CALQUE_CHECK(state_ != nullptr, "no memory for a hash");
  XXH3_64bits_reset(state_.get());
}

StreamHash::~StreamHash() = default;
StreamHash::StreamHash(StreamHash&&) noexcept = default;

void StreamHash::update(std::span<const std::byte> bytes) {
  XXH3_64bits_update(state_.get(), bytes.data(), bytes.size());
}

uint64_t StreamHash::digest() const { return XXH3_64bits_digest(state_.get()); }

}  // namespace calque
