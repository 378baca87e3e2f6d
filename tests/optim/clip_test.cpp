#include "optim/clip.h"

#include <cmath>
#include <limits>
#include <vector>

#include "base/error.h"
#include "support/catch.h"

namespace calque {
namespace {

TEST_CASE("the gradient norm is Euclidean and shows what is not finite", "[optim]") {
  std::vector<Real> gradients(1000, 0);
  gradients[3] = 3;
  gradients[999] = -4;
  CHECK(gradient_norm(gradients) == Approx(5));
  gradients[500] = std::numeric_limits<Real>::infinity();
  CHECK_FALSE(std::isfinite(gradient_norm(gradients)));
  gradients[500] = std::numeric_limits<Real>::quiet_NaN();
  CHECK_FALSE(std::isfinite(gradient_norm(gradients)));
}

TEST_CASE("gradients of float range have a norm", "[optim]") {
  const std::vector<Real> gradients(4, Real{1e30F});
  CHECK(gradient_norm(gradients) == Approx(2e30));
}

TEST_CASE("clipping scales down to the bound and never up", "[optim]") {
  CHECK(clip_factor(5, 1) == Approx(0.2));
  CHECK(clip_factor(1, 1) == 1);
  CHECK(clip_factor(0.5, 1) == 1);
  CHECK(clip_factor(0, 1) == 1);
  CHECK(clip_factor(1e9, 0) == 1);
  CHECK_THROWS_AS(clip_factor(std::nan(""), 1), InternalError);
}

}  // namespace
}  // namespace calque
