#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "data/batch.h"
#include "data/batcher.h"

namespace calque {

/// Prepares batches on a thread of its own while the model trains, a few ahead, in order. Its
/// batches are reused, so that nothing is allocated once they have grown. A batch carries its
/// position; how far the thread has read ahead does not matter to a saved state.
class Prefetcher {
 public:
  /// Fills a batch with the next one.
  using Source = std::function<void(Batch&)>;

  /// At most `depth` >= 1 batches stand ready.
  explicit Prefetcher(Source source, int depth = kDefaultDepth);
  /// Batches of `batcher`, which it takes over; seek before.
  explicit Prefetcher(Batcher batcher, int depth = kDefaultDepth);
  /// Stops the thread, which finishes the batch it is working on.
  ~Prefetcher();
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  /// The next batch, valid until the next call. Waits for it when need be. Throws what the source
  /// threw, once the batches before it have been given, and again at every further call.
  const Batch& next();

  static constexpr int kDefaultDepth = 4;

 private:
  Source source_;
  std::vector<Batch> ring_;  // one more than stand ready: the one that the caller holds
  size_t given_ = 0;         // batches that `next` gave so far
  size_t filled_ = 0;        // batches that the source filled so far
  bool stop_ = false;
  std::exception_ptr failure_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread thread_;

  void fill();
};

}  // namespace calque
