#include "tensor/workspace.h"

#include <algorithm>

#include "base/error.h"

namespace calque {

Workspace::Workspace(int threads) {
  CALQUE_CHECK(threads >= 1, "a workspace for {} threads", threads);
  for (int i = 0; i < threads; ++i) workers_.push_back(std::make_unique<Arena>());
}

Workspace::~Workspace() = default;

Arena& Workspace::worker(int worker) {
  CALQUE_CHECK(worker >= 0 && worker < workers(), "worker {} of a workspace for {}", worker,
               workers());
  return *workers_[static_cast<size_t>(worker)];
}

void Workspace::even_out() {
  size_t most = 0;
  for (const auto& arena : workers_) most = std::max(most, arena->capacity());
  for (const auto& arena : workers_) arena->reserve(most);
}

size_t Workspace::peak() const {
  size_t bytes = shared_.peak();
  for (const auto& arena : workers_) bytes += arena->peak();
  return bytes;
}

}  // namespace calque
