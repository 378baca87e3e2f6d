#include "nn/positional_encoding.h"

#include <cmath>
#include <vector>

#include "base/error.h"
#include "support/catch.h"

namespace calque {
namespace {

struct Machine {
  ParameterStore store;
  uint32_t next_stream = 0;
  Arena arena;
  Workspace workspace{1};
  Context context{arena, workspace};
  Scope scope() { return Scope(store, next_stream).sub("positions"); }
};

TEST_CASE("sinusoidal positions follow the paper's formula, however long a sentence is", "[nn]") {
  constexpr int64_t kModel = 10;
  Machine m;
  PositionalEncoding encoding(m.scope(), Positions::kSinusoidal, kModel, 4);
  CHECK(m.store.parameters().empty());
  for (const int64_t longest : {3, 300, 1000}) {
    const Var table = encoding.table(m.context, longest);
    CHECK_FALSE(table.needs_gradient());
    REQUIRE(table.rows() >= longest);
    REQUIRE(table.cols() == kModel);
    double worst = 0;
    for (int64_t p = 0; p < longest; ++p) {
      for (int64_t i = 0; i < kModel / 2; ++i) {
        const double angle =
            static_cast<double>(p) / std::pow(10000.0, 2 * static_cast<double>(i) / double(kModel));
        const Real* row = table.matrix().row(p);
        worst = std::max(worst, std::abs(static_cast<double>(row[2 * i]) - std::sin(angle)));
        worst = std::max(worst, std::abs(static_cast<double>(row[2 * i + 1]) - std::cos(angle)));
      }
    }
    CHECK(worst < 1e-7);
  }
}

TEST_CASE("kinds that add nothing to the embeddings have no table", "[nn]") {
  Machine m;
  const Positions kind =
      GENERATE(Positions::kNone, Positions::kRotary, Positions::kAlibi, Positions::kRelative);
  PositionalEncoding encoding(m.scope(), kind, 6, 4);
  CHECK(m.store.parameters().empty());
  CHECK_FALSE(encoding.table(m.context, 5));
}

TEST_CASE("sinusoids that were handed out stay where they are when longer ones come", "[nn]") {
  SinusoidTable table(6);
  const MatrixView<Real> first = table.rows(3);
  const std::vector<Real> before(first.data, first.data + 3 * 6);
  const MatrixView<Real> second = table.rows(first.rows + 1);
  CHECK(second.rows > first.rows);
  CHECK(std::equal(before.begin(), before.end(), first.data));
  CHECK(std::equal(before.begin(), before.end(), second.data));
}

TEST_CASE("learned positions are one parameter of max_positions rows", "[nn]") {
  Machine m;
  PositionalEncoding encoding(m.scope(), Positions::kLearned, 6, 4);
  REQUIRE(m.store.parameters().size() == 1);
  CHECK(m.store.parameters()[0].name == "positions.weight");
  CHECK(m.store.parameters()[0].shape == Shape{4, 6});
  m.store.allocate(/*inference=*/false);
  CHECK(encoding.table(m.context, 4).value.data == m.store.values().data());
  Tape tape(m.arena, m.workspace);
  Context training(m.arena, m.workspace, tape, 1, 0);
  CHECK(encoding.table(training, 1).needs_gradient());
  CHECK_THROWS_AS(encoding.table(m.context, 5), UserError);
}

TEST_CASE("positions count from 0 in each sentence", "[nn]") {
  Arena arena;
  SequenceLayoutBuffer layout;
  for (const int64_t length : {3, 1, 0, 2}) layout.append(length);
  const auto positions = positions_of(arena, layout.view());
  CHECK(std::vector<int32_t>(positions.begin(), positions.end()) ==
        std::vector<int32_t>{0, 1, 2, 0, 0, 1});
}

}  // namespace
}  // namespace calque
