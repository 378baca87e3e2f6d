#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

namespace calque {

/// Number of processors that this process may use: its affinity mask, further limited by the
/// cgroup's CPU quota (v1 and v2), at least 1.
int available_processors();

/// Sets the number of threads that `parallel_for` uses from now on (>= 1). Called once at the start
/// and by tests; never inside a parallel loop. Libraries never thread by themselves: they are
/// called tile by tile, each call on one thread.
void set_threads(int threads);

/// The number set; `available_processors()` before the first `set_threads`.
int threads();

namespace detail {
void run_parallel(int64_t tasks, const void* body, void (*call)(const void*, int64_t, int));
}  // namespace detail

/// Runs `body(task, worker)` for every task in [0, tasks), with `worker` in [0, threads()). Each
/// worker begins with an even share of neighbouring tasks, the same in every loop of as many: so
/// what it wrote in one loop it finds in its own cache in the next. Whoever is done helps the
/// others, so tasks may differ in length; which worker runs which task is not defined, and a result
/// may depend on the task only, never on the worker (use `worker` for scratch memory alone). Loops
/// do not nest; when two threads each run a loop, one of them has the helpers and the other one
/// works alone. The first exception that a task throws is thrown here again after the loop. Throws
/// UserError when the system gives no threads. One task, or one thread, needs no helpers.
template <class Body>
void parallel_for(int64_t tasks, const Body& body) {
  static_assert(std::is_invocable_v<const Body&, int64_t, int>);
  detail::run_parallel(tasks, std::addressof(body), [](const void* b, int64_t task, int worker) {
    (*static_cast<const Body*>(b))(task, worker);
  });
}

/// Rows per task so that a loop over `rows` rows of `work_per_row` elements is worth its fork: a
/// function of the shape alone. At least 1.
int64_t rows_per_task(int64_t rows, int64_t work_per_row);

/// `parallel_for` over the row ranges that `rows_per_task` gives: `body(begin, end, worker)`.
template <class Body>
void parallel_rows(int64_t rows, int64_t work_per_row, const Body& body) {
  const int64_t step = rows_per_task(rows, work_per_row);
  parallel_for((rows + step - 1) / step, [&](int64_t task, int worker) {
    const int64_t begin = task * step;
    body(begin, begin + step < rows ? begin + step : rows, worker);
  });
}

}  // namespace calque
