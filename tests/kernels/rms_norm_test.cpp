#include "kernels/rms_norm.h"

#include "base/error.h"
#include "kernels/matrices.h"
#include "kernels/weighted_sum.h"
#include "support/catch.h"
#include "support/threads_scope.h"

namespace calque::kernels {
namespace {

constexpr double kEpsilon = 1e-5;

/// Inputs and results of one RMS norm. Each gradient starts with random numbers.
template <class T>
struct Case {
  TestMatrix<T> x, gain, dy, y, rrms, dx, dgain;
  Workspace workspace{threads()};

  Case(int64_t rows, int64_t model, int64_t gap)
      : x(TestMatrix<T>::random(rows, model, 1, model + gap)),
        gain(TestMatrix<T>::random(1, model, 2)),
        dy(TestMatrix<T>::random(rows, model, 3, model + 2 * gap)),
        y(rows, model, model + gap),
        rrms(1, rows),
        dx(TestMatrix<T>::random(rows, model, 4, model + gap)),
        dgain(TestMatrix<T>::random(1, model, 5)) {}

  void forward() { rms_norm_forward<T>(x, gain.view().data, kEpsilon, y, rrms.view().data); }
  void backward(bool accumulate) {
    rms_norm_backward<T>(dy, x, gain.view().data, rrms.view().data, dx, accumulate,
                         dgain.view().data, accumulate, workspace);
  }
};

}  // namespace

TEMPLATE_TEST_CASE("RMS norm follows its formula", "[kernels]", float, double) {
  for (const int64_t model : {1, 2, 15, 16, 33, 70, 512}) {
    Case<TestType> c(9, model, 3);
    c.forward();
    TestMatrix<double> expected(9, model);
    for (int64_t r = 0; r < 9; ++r) {
      double mean = 0;
      for (int64_t i = 0; i < model; ++i) {
        mean += std::pow(c.x.at(r, i), 2) / static_cast<double>(model);
      }
      const double rrms = 1 / std::sqrt(mean + kEpsilon);
      CHECK(c.rrms.at(0, r) == Approx(rrms).epsilon(1e-5));
      for (int64_t i = 0; i < model; ++i) {
        expected.at(r, i) = c.gain.at(0, i) * c.x.at(r, i) * rrms;
      }
    }
    CHECK(relative_difference(c.y, expected) < 2e-6);
  }
}

TEST_CASE("RMS norm of zeros is zeros", "[kernels]") {
  Case<float> c(2, 20, 0);
  c.x = TestMatrix<float>(2, 20);
  c.forward();
  CHECK(c.y.values() == c.x.values());
  CHECK(c.rrms.at(0, 1) == Approx(1 / std::sqrt(kEpsilon)));
}

TEST_CASE("float RMS norm is that of double at every width", "[kernels]") {
  for (int64_t model = 2; model <= 70; ++model) {
    for (const bool accumulate : {false, true}) {
      Case<float> narrow(model, model, 3);
      Case<double> wide(model, model, 0);
      narrow.forward();
      wide.forward();
      narrow.backward(accumulate);
      wide.backward(accumulate);
      REQUIRE(relative_difference(narrow.dx, wide.dx) < 1e-5);
      REQUIRE(relative_difference(narrow.dgain, wide.dgain) < 1e-5);
    }
  }
}

TEST_CASE("RMS norm gradients are those of central differences", "[kernels]") {
  Case<double> c(7, 13, 0);
  c.forward();
  c.backward(false);
  const auto loss = [&] {
    c.forward();
    return weighted_sum(c.y, c.dy);
  };
  CHECK(relative_difference(c.dx, numeric_gradient(c.x, loss)) < 1e-7);
  CHECK(relative_difference(c.dgain, numeric_gradient(c.gain, loss)) < 1e-7);
}

TEST_CASE("RMS norm gradients accumulate, and what is not wanted is not touched", "[kernels]") {
  Case<double> fresh(40, 24, 0);
  Case<double> added(40, 24, 0);
  const Case<double> start(40, 24, 0);
  fresh.forward();
  added.forward();
  fresh.backward(false);
  added.backward(true);
  for (int64_t i = 0; i < 24; ++i) {
    CHECK(added.dgain.at(0, i) == Approx(fresh.dgain.at(0, i) + start.dgain.at(0, i)));
    CHECK(added.dx.at(39, i) == Approx(fresh.dx.at(39, i) + start.dx.at(39, i)));
  }
  Case<double> only_input(40, 24, 0);
  only_input.forward();
  rms_norm_backward<double>(only_input.dy, only_input.x, only_input.gain.view().data,
                            only_input.rrms.view().data, only_input.dx, false, nullptr, false,
                            only_input.workspace);
  CHECK(relative_difference(only_input.dx, fresh.dx) == 0);
  Case<double> only_gain(40, 24, 0);
  only_gain.forward();
  rms_norm_backward<double>(only_gain.dy, only_gain.x, only_gain.gain.view().data,
                            only_gain.rrms.view().data, {}, false, only_gain.dgain.view().data,
                            false, only_gain.workspace);
  CHECK(relative_difference(only_gain.dgain, fresh.dgain) == 0);
}

TEST_CASE("RMS norm has the same bits with any number of threads", "[kernels]") {
  const auto run = [](int count) {
    const test::ThreadsScope scope(count);
    Case<float> c(1000, 96, 0);
    c.forward();
    c.backward(false);
    std::vector<float> all = c.y.values();
    for (const auto* part : {&c.dx, &c.dgain}) {
      all.insert(all.end(), part->values().begin(), part->values().end());
    }
    return all;
  };
  const auto one = run(1);
  CHECK(run(2) == one);
  CHECK(run(3) == one);
}

TEST_CASE("RMS norm refuses shapes that differ and saves nothing in inference", "[kernels]") {
  Case<float> c(4, 8, 0);
  TestMatrix<float> other(4, 9);
  CHECK_THROWS_AS(rms_norm_forward<float>(c.x, c.gain.view().data, kEpsilon, other, nullptr),
                  InternalError);
  c.forward();
  TestMatrix<float> inference(4, 8);
  rms_norm_forward<float>(c.x, c.gain.view().data, kEpsilon, inference, nullptr);
  CHECK(inference.values() == c.y.values());
}

}  // namespace calque::kernels
