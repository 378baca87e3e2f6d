#include "base/parallel.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <system_error>
#include <thread>
#include <vector>

#include "base/error.h"

namespace calque {
namespace {

thread_local bool in_loop = false;  // guards against nested loops

/// The libraries that matrices are multiplied with may use OpenMP: on this thread, they get a team
/// of one.
void make_libraries_serial() { omp_set_num_threads(1); }

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Waits until `value` is no longer `old`: at first without sleeping, because the next loop of a
/// training step follows soon and a sleeper takes long to wake, but not for longer than it takes to
/// wake one, so that a waiting thread leaves its processor to whoever has work.
uint32_t wait_for_change(const std::atomic<uint32_t>& value, uint32_t old) {
  constexpr auto kAwake = std::chrono::microseconds(100);
  constexpr int kPausesPerLook = 16;
  const auto begin = std::chrono::steady_clock::now();
  do {
    for (int i = 0; i < kPausesPerLook; ++i) {
      const uint32_t now = value.load(std::memory_order_acquire);
      if (now != old) return now;
      pause();
    }
  } while (std::chrono::steady_clock::now() - begin < kAwake);
  value.wait(old, std::memory_order_acquire);
  return value.load(std::memory_order_acquire);
}

/// The tasks of a loop that one worker takes first.
struct alignas(64) Share {
  std::atomic<int64_t> next{0};
  int64_t end = 0;
};

/// One loop. Its tasks are shared out evenly and in order; whoever is done with his share helps
/// with those of others.
class Loop {
 public:
  using Call = void (*)(const void*, int64_t, int);

  /// `shares`: one for each worker.
  Loop(int64_t tasks, const void* body, Call call, std::span<Share> shares)
      : body_(body), call_(call), shares_(shares) {
    const auto workers = static_cast<int64_t>(shares.size());
    for (int64_t w = 0; w < workers; ++w) {
      shares[static_cast<size_t>(w)].next = tasks * w / workers;
      shares[static_cast<size_t>(w)].end = tasks * (w + 1) / workers;
    }
  }

  /// Runs tasks until none is left.
  void work(int worker) {
    in_loop = true;
    try {
      for (size_t i = 0; i < shares_.size(); ++i) {
        Share& share = shares_[(static_cast<size_t>(worker) + i) % shares_.size()];
        for (int64_t task = share.next++; task < share.end; task = share.next++) {
          call_(body_, task, worker);
        }
      }
    } catch (...) {
      for (Share& share : shares_) share.next = share.end;
      const std::lock_guard lock(error_mutex_);
      if (!error_) error_ = std::current_exception();
    }
    in_loop = false;
  }

  /// After the last worker left.
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  const void* body_;
  Call call_;
  std::span<Share> shares_;
  std::mutex error_mutex_;
  std::exception_ptr error_;
};

/// Threads that help the caller of a loop. Helping is voluntary: whoever opens a loop works on it
/// at once and, when no task is left, closes it and waits for those helpers alone that are inside.
/// So a helper that another program keeps from running delays nobody, and no thread waits at a
/// barrier.
class Helpers {
 public:
  explicit Helpers(int count) : shares_(static_cast<size_t>(count) + 1) {
    try {
      for (int i = 0; i < count; ++i) threads_.emplace_back([this, i] { help(/*worker=*/i + 1); });
    } catch (const std::system_error& error) {
      const size_t made = threads_.size();
      end();
      throw UserError(fmt::format("the system gives no more than {} of {} threads ({}): use fewer",
                                  made + 1, count + 1, error.code().message()));
    }
  }
  ~Helpers() { end(); }
  Helpers(const Helpers&) = delete;
  Helpers& operator=(const Helpers&) = delete;

  int count() const { return static_cast<int>(threads_.size()); }
  /// Of the loop that runs: the caller's and each helper's.
  std::span<Share> shares() { return shares_; }

  /// Runs a loop, the caller being worker 0. One at a time.
  void run(Loop& loop) {
    loop_ = &loop;
    state_ = (state_ + kLoop) | kOpen;
    state_.notify_all();
    loop.work(0);
    uint32_t state = state_.fetch_and(~kOpen) & ~kOpen;
    while ((state & kInside) != 0) state = wait_for_change(state_, state);
  }

 private:
  // The bits of state_: whether a loop is open, how many helpers are inside it, and which one it
  // is.
  static constexpr uint32_t kOpen = 1;
  static constexpr uint32_t kOneInside = 2;
  static constexpr uint32_t kLoop = uint32_t{1} << 16;
  static constexpr uint32_t kInside = kLoop - kOneInside;

  alignas(64) std::atomic<uint32_t> state_{0};
  Loop* loop_ = nullptr;  // what helpers inside work on
  std::vector<Share> shares_;
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;

  void end() {
    stop_ = true;
    state_ += kLoop;
    state_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void help(int worker) {
    make_libraries_serial();
    uint32_t done = 0;  // the loop that this helper has seen to its end
    for (uint32_t state = state_.load(); !stop_;) {
      if ((state & kOpen) == 0 || state / kLoop == done) {
        state = wait_for_change(state_, state);
      } else if (state_.compare_exchange_weak(state, state + kOneInside)) {
        done = state / kLoop;
        loop_->work(worker);
        state = state_.fetch_sub(kOneInside) - kOneInside;
        if ((state & (kOpen | kInside)) == 0) state_.notify_all();
      }
    }
  }
};

std::atomic<int> threads_{0};      // 0: not set yet
std::mutex helpers_mutex;          // held while a loop uses them
std::unique_ptr<Helpers> helpers;  // threads() - 1, made by the first loop that needs them

}  // namespace

void set_threads(int count) {
  CALQUE_CHECK(count >= 1, "threads = {}", count);
  CALQUE_CHECK(!in_loop, "set_threads inside a parallel loop");
  threads_ = count;
}

int threads() {
  if (threads_ == 0) threads_ = available_processors();
  return threads_;
}

int64_t rows_per_task(int64_t rows, int64_t work_per_row) {
  constexpr int64_t kElementsPerTask = 16384;
  const int64_t step = kElementsPerTask / (work_per_row > 0 ? work_per_row : 1);
  const int64_t bounded = step < rows ? step : rows;
  return bounded > 0 ? bounded : 1;
}

namespace detail {

void run_parallel(int64_t tasks, const void* body, void (*call)(const void*, int64_t, int)) {
  CALQUE_CHECK(!in_loop, "parallel loops do not nest");
  make_libraries_serial();  // the setting is each thread's own
  std::unique_lock lock(helpers_mutex, std::defer_lock);
  if (tasks > 1 && threads() > 1 && lock.try_lock()) {
    if (!helpers || helpers->count() != threads() - 1) {
      helpers.reset();
      helpers = std::make_unique<Helpers>(threads() - 1);
    }
    Loop loop(tasks, body, call, helpers->shares());
    helpers->run(loop);
    loop.rethrow();
  } else {  // also while another thread's loop has the helpers
    Share share;
    Loop loop(tasks, body, call, {&share, 1});
    loop.work(0);
    loop.rethrow();
  }
}

}  // namespace detail
}  // namespace calque
