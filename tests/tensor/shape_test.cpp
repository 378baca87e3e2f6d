#include "tensor/shape.h"

#include "base/error.h"
#include "support/catch.h"
#include "tensor/tensor.h"

namespace calque {

TEST_CASE("a shape counts and indexes its sizes", "[tensor]") {
  const Shape shape{17, 4, 32};
  CHECK(shape.rank() == 3);
  CHECK(shape.count() == 17 * 4 * 32);
  CHECK(shape[0] == 17);
  CHECK(shape[-1] == 32);
  CHECK(shape.to_string() == "[17, 4, 32]");
  CHECK(Shape().count() == 1);
  CHECK(Shape().to_string() == "[]");
  CHECK(Shape{3, 0, 2}.count() == 0);
}

TEST_CASE("shapes are equal when rank and sizes are", "[tensor]") {
  CHECK(Shape{2, 3} == Shape{2, 3});
  CHECK(Shape{2, 3} != Shape{3, 2});
  CHECK(Shape{2, 3} != Shape{2, 3, 1});
}

TEST_CASE("a shape refuses negative sizes and a fifth dimension", "[tensor]") {
  CHECK_THROWS_AS((Shape{2, -1}), InternalError);
  CHECK_THROWS_AS((Shape{1, 2, 3, 4, 5}), InternalError);
}

TEST_CASE("a tensor is a matrix of its innermost rows", "[tensor]") {
  Real numbers[24] = {};
  const Tensor tensor{numbers, {2, 3, 4}};
  CHECK(tensor.rows() == 6);
  CHECK(tensor.cols() == 4);
  CHECK(tensor.matrix().row(5) == numbers + 20);
  CHECK(tensor.values().size() == 24);
  CHECK_FALSE(Tensor());
  CHECK(tensor.matrix().column_range(1, 2).row(1) == numbers + 5);
  CHECK(tensor.matrix().row_range(2, 3).rows == 3);
}

TEST_CASE("CHECK_SHAPE names the tensor and both shapes", "[tensor]") {
  Real numbers[6] = {};
  const Tensor weights{numbers, {2, 3}};
  CHECK_NOTHROW([&] { CHECK_SHAPE(weights, {2, 3}); }());
  std::string message;
  try {
    CHECK_SHAPE(weights, {3, 2});
  } catch (const InternalError& error) {
    message = error.what();
  }
  CHECK(message.find("weights should be [3, 2] but is [2, 3]") != std::string::npos);
}

}  // namespace calque
