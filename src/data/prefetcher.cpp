#include "data/prefetcher.h"

#include <utility>

#include "base/error.h"

namespace calque {

Prefetcher::Prefetcher(Source source, int depth) : source_(std::move(source)) {
  CALQUE_CHECK(depth >= 1, "depth = {}", depth);
  ring_.resize(static_cast<size_t>(depth) + 1);
  thread_ = std::thread([this] { fill(); });
}

Prefetcher::Prefetcher(Batcher batcher, int depth)
    : Prefetcher([owned = std::move(batcher)](Batch& batch) mutable { owned.next(batch); }, depth) {
}

Prefetcher::~Prefetcher() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Prefetcher::fill() {
  while (true) {
    Batch* batch = nullptr;
    {
      std::unique_lock lock(mutex_);
      // The batch given last is still in the caller's hands.
      changed_.wait(lock, [&] { return stop_ || filled_ + 1 < given_ + ring_.size(); });
      if (stop_) return;
      batch = &ring_[filled_ % ring_.size()];
    }
    std::exception_ptr failure;
    try {
      source_(*batch);
    } catch (...) {
      failure = std::current_exception();
    }
    {
      const std::lock_guard lock(mutex_);
      failure_ = failure;
      if (!failure) ++filled_;
    }
    changed_.notify_all();
    if (failure) return;
  }
}

const Batch& Prefetcher::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return filled_ > given_ || failure_; });
  if (filled_ == given_) std::rethrow_exception(failure_);
  const Batch& batch = ring_[given_++ % ring_.size()];
  lock.unlock();
  changed_.notify_all();
  return batch;
}

}  // namespace calque
