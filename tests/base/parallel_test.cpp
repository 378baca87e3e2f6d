#include "base/parallel.h"

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/error.h"
#include "support/catch.h"
#include "support/threads_scope.h"

using namespace calque;

TEST_CASE("parallel_for runs every task once, on workers below threads()", "[base]") {
  for (const int team : {1, 2, 3}) {
    const test::ThreadsScope guard(team);
    for (const int64_t tasks : {0, 1, 2, 5, 1000}) {
      std::vector<std::atomic<int>> runs(static_cast<size_t>(tasks));
      std::atomic<bool> worker_inside{true};
      parallel_for(tasks, [&](int64_t task, int worker) {
        ++runs[static_cast<size_t>(task)];
        if (worker < 0 || worker >= team) worker_inside = false;
      });
      CHECK(worker_inside);
      for (const auto& count : runs) REQUIRE(count == 1);
    }
  }
}

TEST_CASE("two tasks of one worker never overlap", "[base]") {
  const test::ThreadsScope guard(3);
  std::vector<std::atomic<int>> busy(3);
  std::atomic<bool> overlapped{false};
  parallel_for(2000, [&](int64_t, int worker) {
    auto& mine = busy[static_cast<size_t>(worker)];
    if (++mine != 1) overlapped = true;
    --mine;
  });
  CHECK_FALSE(overlapped);
}

TEST_CASE("parallel_for throws a task's exception again and works afterwards", "[base]") {
  for (const int team : {1, 2, 3}) {
    const test::ThreadsScope guard(team);
    const auto fail = [](int64_t task, int) {
      if (task == 7) throw UserError("seven");
    };
    CHECK_THROWS_AS(parallel_for(100, fail), UserError);
    std::atomic<int> runs{0};
    parallel_for(10, [&](int64_t, int) { ++runs; });
    CHECK(runs == 10);
  }
}

TEST_CASE("nested loops are refused", "[base]") {
  for (const int team : {1, 2, 3}) {
    const test::ThreadsScope guard(team);
    const auto nested = [](int64_t, int) { parallel_for(2, [](int64_t, int) {}); };
    CHECK_THROWS_AS(parallel_for(4, nested), InternalError);
    const auto resizing = [](int64_t, int) { set_threads(1); };
    CHECK_THROWS_AS(parallel_for(4, resizing), InternalError);
  }
}

TEST_CASE("a loop may run on another thread at the same time", "[base]") {
  const test::ThreadsScope guard(2);
  std::atomic<int> runs{0};
  const auto loops = [&] {
    for (int i = 0; i < 50; ++i) parallel_for(10, [&](int64_t, int) { ++runs; });
  };
  std::thread other(loops);
  loops();
  other.join();
  CHECK(runs == 1000);
}

TEST_CASE("loops that follow at once and after a rest lose no task", "[base]") {
  const test::ThreadsScope guard(4);  // more than there are processors, perhaps
  std::atomic<int64_t> sum{0};
  for (int i = 0; i < 3000; ++i) {
    if (i % 500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));  // helpers sleep
    parallel_for(1 + i % 7, [&](int64_t task, int) { sum += task + 1; });
    if (i % 1000 == 0) set_threads(2 + i / 1000);
  }
  int64_t expected = 0;
  for (int64_t i = 0; i < 3000; ++i) expected += (1 + i % 7) * (2 + i % 7) / 2;
  CHECK(sum == expected);
}

TEST_CASE("the number of threads is at least one", "[base]") {
  CHECK(threads() >= 1);
  CHECK_THROWS_AS(set_threads(0), InternalError);
}

TEST_CASE("row ranges cover all rows and depend on the shape alone", "[base]") {
  for (const int64_t rows : {0, 1, 17, 5000}) {
    for (const int64_t work : {0, 1, 512, 100000}) {
      std::vector<std::vector<int64_t>> cuts;
      for (const int team : {1, 3}) {
        const test::ThreadsScope guard(team);
        std::vector<int64_t> end_of(static_cast<size_t>(rows), 0);
        parallel_rows(rows, work, [&](int64_t begin, int64_t end, int) {
          for (int64_t row = begin; row < end; ++row) end_of[static_cast<size_t>(row)] = end;
        });
        for (int64_t row = 0; row < rows; ++row) REQUIRE(end_of[static_cast<size_t>(row)] > row);
        cuts.push_back(end_of);
      }
      CHECK(cuts[0] == cuts[1]);
      CHECK(rows_per_task(rows, work) >= 1);
    }
  }
}
