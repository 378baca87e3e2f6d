#include "tensor/workspace.h"

#include "base/error.h"
#include "support/catch.h"

namespace calque {

TEST_CASE("scopes nest and give back what they took", "[tensor]") {
  Workspace workspace(2);
  Arena& arena = workspace.worker(1);
  {
    Workspace::Scope outer(arena);
    float* const kept = outer.allocate<float>(100);
    kept[99] = 3;
    float* inside = nullptr;
    for (int i = 0; i < 3; ++i) {
      Workspace::Scope inner(arena);
      float* const scratch = inner.allocate<float>(1000);
      if (i == 0) inside = scratch;
      CHECK(scratch == inside);
    }
    CHECK(kept[99] == 3);
  }
  CHECK(arena.used() == 0);
  CHECK(workspace.shared().peak() == 0);
  CHECK(workspace.peak() == arena.peak());
}

TEST_CASE("a scope that an exception ends gives back what it took", "[tensor]") {
  Arena arena;
  const auto fail = [&] {
    const Arena::Scope scope(arena);
    arena.allocate<float>(100);
    throw UserError("stop");
  };
  CHECK_THROWS_AS(fail(), UserError);
  CHECK(arena.used() == 0);
}

TEST_CASE("all workers get as much memory as the largest has", "[tensor]") {
  Workspace workspace(3);
  { Workspace::Scope(workspace.worker(1)).allocate<char>(5000000); }
  workspace.even_out();
  for (int worker = 0; worker < 3; ++worker) {
    CHECK(workspace.worker(worker).capacity() == workspace.worker(1).capacity());
    CHECK(workspace.worker(worker).capacity() >= 5000000);
  }
  CHECK(workspace.peak() < 6000000);
}

TEST_CASE("a workspace names a worker that it was not made for", "[tensor]") {
  Workspace workspace(2);
  CHECK(workspace.workers() == 2);
  CHECK_THROWS_AS(workspace.worker(2), InternalError);
  CHECK_THROWS_AS(workspace.worker(-1), InternalError);
  CHECK_THROWS_AS(Workspace(0), InternalError);
}

}  // namespace calque
