#include "decode/row_pool.h"

#include <vector>

#include "support/catch.h"

namespace calque {
namespace {

TEST_CASE("rows are taken from the first gap that is large enough", "[decode]") {
  RowPool pool(10);
  CHECK(pool.take(4) == 0);
  CHECK(pool.take(3) == 4);
  CHECK(pool.take(2) == 7);
  CHECK(pool.free_rows() == 1);
  CHECK(pool.take(2) == std::nullopt);
  pool.give_back(4, 3);
  CHECK(pool.free_rows() == 4);
  CHECK(pool.take(4) == std::nullopt);  // not in one place
  CHECK(pool.take(1) == 4);
  CHECK(pool.take(2) == 5);
  CHECK(pool.take(1) == 9);
  CHECK(pool.free_rows() == 0);
}

TEST_CASE("rows given back join their neighbours, in any order", "[decode]") {
  for (const std::vector<int>& order : std::vector<std::vector<int>>{
           {0, 1, 2, 3}, {3, 2, 1, 0}, {0, 2, 1, 3}, {1, 3, 2, 0}, {2, 0, 3, 1}}) {
    RowPool pool(8);
    for (int i = 0; i < 4; ++i) CHECK(pool.take(2) == 2 * i);
    for (const int i : order) pool.give_back(2 * i, 2);
    CHECK(pool.take(8) == 0);
  }
}

TEST_CASE("a pool without rows gives none", "[decode]") {
  RowPool pool;
  CHECK(pool.take(1) == std::nullopt);
  CHECK(pool.free_rows() == 0);
}

}  // namespace
}  // namespace calque
