#include "autograd/tape.h"

#include <array>
#include <cmath>
#include <vector>

#include "autograd/context.h"
#include "base/error.h"
#include "support/catch.h"
#include "tensor/memory_block.h"

namespace calque {
namespace {

/// What backward saw when an op ran: in the order of running.
struct Seen {
  const Real* gradient = nullptr;  // of the op's output
  bool accumulate = false;         // as its input's target said
  Real* target = nullptr;
};

/// A tape in poisoned memory, and one parameter of two elements.
class Graph {
 public:
  Graph() { set_poisoning(true); }
  ~Graph() { set_poisoning(false); }

  Var parameter() { return tape.leaf({values.data(), {2}}, {gradient.data(), {2}}, written); }

  /// y = factor x; with `over`, backward may write over y's gradient.
  Var scale(const Var& x, Real factor, bool over = false) {
    const Tensor value = context.arena.tensor(x.value.shape);
    for (int64_t i = 0; i < value.count(); ++i) value.data[i] = factor * x.value.data[i];
    const Var y = context.result(value, x);
    if (y.needs_gradient()) tape.record(y, Scale{x, y, factor, over, &seen}, &Scale::run);
    return y;
  }

  /// y = a + b; both get the gradient of y as it is.
  Var add(const Var& a, const Var& b) {
    const Tensor value = context.arena.tensor(a.value.shape);
    for (int64_t i = 0; i < value.count(); ++i) value.data[i] = a.value.data[i] + b.value.data[i];
    const Var y = context.result(value, a, b);
    if (y.needs_gradient()) tape.record(y, Add{a, b, y}, &Add::run);
    return y;
  }

  /// Starts a gradient of ones at `y`, as a loss does.
  const Real* start(const Var& y) {
    const GradientTarget target = tape.target(y);
    for (Real& value : target.tensor.values()) value = target.accumulate ? value + 1 : 1;
    return target.tensor.data;
  }

  std::array<Real, 2> values{3, 5};
  std::array<Real, 2> gradient{Real(NAN), Real(NAN)};
  std::array<uint8_t, 1> written{0};
  std::vector<Seen> seen;
  Arena arena;
  Workspace workspace{1};
  Tape tape{arena, workspace};
  Context context{arena, workspace, tape, 1, 0};

 private:
  struct Scale {
    Var x, y;
    Real factor;
    bool over;
    std::vector<Seen>* seen;
    static void run(const Scale& op, Tape& tape, Workspace&) {
      const GradientTarget dx = op.over ? tape.target_over(op.y, op.x) : tape.target(op.x);
      const Tensor dy = tape.gradient(op.y);
      op.seen->push_back({dy.data, dx.accumulate, dx.tensor.data});
      for (int64_t i = 0; i < dy.count(); ++i) {
        const Real before = dx.accumulate ? dx.tensor.data[i] : 0;
        dx.tensor.data[i] = before + op.factor * dy.data[i];
      }
    }
  };
  struct Add {
    Var a, b, y;
    static void run(const Add& op, Tape& tape, Workspace&) {
      tape.pass_gradient(op.y, op.a);
      tape.pass_gradient(op.y, op.b);
    }
  };
};

using Pair = std::array<Real, 2>;

TEST_CASE("the first writer of a gradient assigns, later ones add", "[autograd]") {
  Graph g;
  const Var x = g.scale(g.parameter(), 2);
  const Var y = g.add(g.scale(x, 3), g.scale(x, 5));
  g.start(y);
  g.tape.backward();
  CHECK(g.gradient == Pair{16, 16});  // 2 (3 + 5), and no NaN of the poisoned memory
  REQUIRE(g.seen.size() == 3);
  CHECK_FALSE(g.seen[0].accumulate);  // the factor 5, recorded last
  CHECK(g.seen[1].accumulate);
  CHECK_FALSE(g.seen[2].accumulate);  // the parameter has one writer
}

TEST_CASE("a gradient that passes through unchanged is handed on without a copy", "[autograd]") {
  Graph g;
  const Var x = g.scale(g.parameter(), 2);
  const Var constant(g.parameter().value);
  const Var y = g.add(g.add(x, constant), constant);
  const Real* root = g.start(y);
  g.tape.backward();
  REQUIRE(g.seen.size() == 1);
  CHECK(g.seen[0].gradient == root);
  CHECK(g.gradient == Pair{2, 2});
  CHECK(g.tape.gradients().used() == 0);  // the buffer had one owner in the end, who gave it back
}

TEST_CASE("nobody writes to a borrowed gradient", "[autograd]") {
  // a and b borrow y's gradient; then the branch through 7 a adds to a's, which b must not see.
  Graph g;
  const Var p = g.parameter();
  const Var b = g.scale(p, 100);
  const Var a = g.scale(p, 1);
  const Var branch = g.scale(a, 7);
  const Var y = g.add(a, b);
  g.start(branch);
  const Real* root = g.start(y);
  g.tape.backward();
  CHECK(g.gradient == Pair{108, 108});  // 1 + 7 by a, 100 by b
  REQUIRE(g.seen.size() == 3);
  CHECK(g.seen[0].accumulate);
  CHECK(g.seen[0].target != root);    // a's gradient became a copy
  CHECK(g.seen[2].gradient == root);  // b still reads the first
  CHECK(g.tape.gradients().used() == 0);
}

TEST_CASE("a gradient is written over its output's where nobody else needs that", "[autograd]") {
  Graph g;
  const Var x = g.scale(g.parameter(), 2);
  const Var y = g.scale(x, 3, /*over=*/true);
  const Real* root = g.start(y);
  g.tape.backward();
  REQUIRE(g.seen.size() == 2);
  CHECK(g.seen[0].target == root);
  CHECK(g.seen[1].gradient == root);
  CHECK(g.gradient == Pair{6, 6});
  CHECK(g.tape.gradients().used() == 0);
}

TEST_CASE("a gradient that is borrowed, or has begun elsewhere, is not written over",
          "[autograd]") {
  Graph g;
  const Var p = g.parameter();
  const Var x = g.scale(p, 2);
  const Var begun = g.scale(x, 3, /*over=*/true);  // x has the gradient of the line below by then
  const Var other = g.scale(x, 5, /*over=*/true);  // and this one's is y's, which `begun` borrows
  const Var y = g.add(begun, other);
  const Real* root = g.start(y);
  g.tape.backward();
  REQUIRE(g.seen.size() == 3);
  CHECK(g.seen[0].target != root);
  CHECK(g.seen[1].gradient == root);
  CHECK(g.seen[1].accumulate);
  CHECK(g.gradient == Pair{16, 16});
}

TEST_CASE("one input taken twice gets its gradient twice", "[autograd]") {
  Graph g;
  const Var x = g.scale(g.parameter(), 2);
  const Var y = g.add(x, x);
  g.start(g.add(y, y));
  g.tape.backward();
  CHECK(g.gradient == Pair{8, 8});
}

TEST_CASE("several roots add up", "[autograd]") {
  Graph g;
  const Var x = g.scale(g.parameter(), 2);
  g.start(x);
  g.start(x);
  g.start(g.scale(x, 10));
  g.tape.backward();
  CHECK(g.gradient == Pair{24, 24});
}

TEST_CASE("a leaf's flag decides between assigning and adding, over passes too", "[autograd]") {
  Graph g;
  const auto pass = [&] {
    g.tape.reset();
    g.arena.reset();
    const Var p = g.parameter();
    g.start(g.add(g.scale(p, 2), p));
    g.tape.backward();
  };
  pass();
  CHECK(g.written[0] == 1);
  CHECK(g.gradient == Pair{3, 3});
  pass();  // as a further micro-batch
  CHECK(g.gradient == Pair{6, 6});
  g.written[0] = 0;  // as the next update
  pass();
  CHECK(g.gradient == Pair{3, 3});
}

TEST_CASE("parameters side by side must agree about their flags", "[autograd]") {
  Graph g;
  std::array<uint8_t, 2> flags{0, 0};
  const auto stacked = [&] {
    return g.tape.leaf({g.values.data(), {2}}, {g.gradient.data(), {2}}, flags);
  };
  CHECK_FALSE(g.tape.target(stacked()).accumulate);
  CHECK(flags == std::array<uint8_t, 2>{1, 1});
  CHECK(g.tape.target(stacked()).accumulate);
  flags[1] = 0;
  CHECK_THROWS_AS(g.tape.target(stacked()), InternalError);
}

TEST_CASE("constants get nothing and record nothing", "[autograd]") {
  Graph g;
  const Var constant({g.values.data(), {2}});
  const Var y = g.add(g.scale(constant, 2), constant);
  CHECK_FALSE(y.needs_gradient());
  CHECK(g.tape.size() == 0);
  CHECK_FALSE(g.tape.target(y));
  CHECK_THROWS_AS(g.tape.gradient(y), InternalError);
  g.start(g.add(g.scale(constant, 2), g.parameter()));
  g.tape.backward();
  CHECK(g.gradient == Pair{1, 1});
  CHECK(g.seen.empty());
}

TEST_CASE("what no root depends on gets no gradient", "[autograd]") {
  Graph g;
  const Var p = g.parameter();
  const Var unused = g.scale(p, 1000);
  const Var used = g.scale(p, 2);
  g.start(used);
  CHECK(g.tape.gradient(used));
  CHECK_FALSE(g.tape.gradient(unused));
  g.tape.backward();
  CHECK(g.seen.size() == 1);
  CHECK(g.gradient == Pair{2, 2});
}

TEST_CASE("reset gives back the gradients of a pass that backward never finished", "[autograd]") {
  Graph g;
  g.start(g.scale(g.parameter(), 2));
  CHECK(g.tape.gradients().used() > 0);
  g.tape.reset();
  CHECK(g.tape.gradients().used() == 0);
  CHECK(g.tape.size() == 0);
}

TEST_CASE("gradients must fit their values", "[autograd]") {
  Graph g;
  CHECK_THROWS_AS(g.tape.leaf({g.values.data(), {2}}, {g.gradient.data(), {1, 2}}, g.written),
                  InternalError);
  CHECK_THROWS_AS(g.tape.leaf({g.values.data(), {2}}, {g.gradient.data(), {2}}, {}), InternalError);
}

TEST_CASE("from the second pass on no memory is taken", "[autograd]") {
  Graph g;
  constexpr int64_t kRows = 200000;  // many times the smallest block
  std::vector<Real> values(kRows, 1);
  std::vector<Real> gradient(kRows);
  std::vector<size_t> arena_bytes;
  std::vector<size_t> pool_bytes;
  for (int pass = 0; pass < 5; ++pass) {
    g.tape.reset();
    g.arena.reset();
    g.written[0] = 0;
    Var x = g.tape.leaf({values.data(), {kRows}}, {gradient.data(), {kRows}}, g.written);
    for (int i = 0; i < 6; ++i) x = g.add(g.scale(x, 2), g.scale(x, 3));
    g.start(x);
    g.tape.backward();
    arena_bytes.push_back(g.arena.capacity());
    pool_bytes.push_back(g.tape.gradients().capacity());
  }
  for (size_t pass = 2; pass < 5; ++pass) {
    CHECK(arena_bytes[pass] == arena_bytes[1]);
    CHECK(pool_bytes[pass] == pool_bytes[1]);
  }
  CHECK(gradient[0] == 15625);  // 5^6
}

}  // namespace
}  // namespace calque
