#include "base/parallel.h"

#include <omp.h>

#include <atomic>
#include <exception>
#include <mutex>

#include "base/error.h"

namespace calque {
namespace {

std::atomic<int> threads_{0};       // 0: not set yet
thread_local bool in_loop = false;  // guards against nested loops

/// Our own loops name their team size. Whatever a library starts by itself on this thread, or on a
/// worker of its loops, gets a team of one.
void make_libraries_serial() { omp_set_num_threads(1); }

}  // namespace

void set_threads(int count) {
  CALQUE_CHECK(count >= 1, "threads = {}", count);
  CALQUE_CHECK(!in_loop, "set_threads inside a parallel loop");
  threads_ = count;
  omp_set_dynamic(0);
  make_libraries_serial();
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
  const int team = static_cast<int>(tasks < threads() ? tasks : threads());
  struct LoopMark {
    LoopMark() { in_loop = true; }
    ~LoopMark() { in_loop = false; }
  };
  if (team <= 1) {
    const LoopMark mark;
    for (int64_t task = 0; task < tasks; ++task) call(body, task, 0);
    return;
  }
  std::atomic<int64_t> next{0};
  std::exception_ptr error;
  std::mutex error_mutex;
#pragma omp parallel num_threads(team)
  {
    const LoopMark mark;
    const int worker = omp_get_thread_num();
    try {
      for (int64_t task = next++; task < tasks; task = next++) call(body, task, worker);
    } catch (...) {
      next = tasks;
      const std::lock_guard lock(error_mutex);
      if (!error) error = std::current_exception();
    }
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace detail
}  // namespace calque
