#include "kernels/embedding.h"

#include "base/error.h"
#include "kernels/matrices.h"
#include "kernels/weighted_sum.h"
#include "support/catch.h"
#include "support/threads_scope.h"

namespace calque::kernels {
namespace {

constexpr int64_t kVocab = 11;
const Dropout kDropout{0.3, {9, 8, 7}};
const std::vector<int32_t> kIds{3, 10, 0, 3, 3, 7};
const std::vector<int32_t> kPositions{0, 1, 2, 0, 1, 2};

}  // namespace

TEMPLATE_TEST_CASE("an embedding is a scaled row plus its position", "[kernels]", float, double) {
  for (int64_t model = 1; model <= 70; ++model) {
    const auto weight = TestMatrix<TestType>::random(kVocab, model, 1, model + 1);
    const auto table = TestMatrix<TestType>::random(3, model, 2);
    std::vector<TestType> factors(static_cast<size_t>(model));
    TestMatrix<double> with_positions(6, model);
    TestMatrix<double> without(6, model);
    for (size_t t = 0; t < kIds.size(); ++t) {
      dropout_factors(kDropout, static_cast<uint32_t>(t), 0, model, factors.data());
      for (int64_t c = 0; c < model; ++c) {
        const auto row = static_cast<int64_t>(t);
        const double factor = factors[static_cast<size_t>(c)];
        const double word = 4.0 * weight.at(kIds[t], c);
        without.at(row, c) = factor * word;
        with_positions.at(row, c) = factor * (word + table.at(kPositions[t], c));
      }
    }
    TestMatrix<TestType> y(6, model, model + 2);
    embedding_forward<TestType>(weight, kIds, TestType{4}, table, kPositions, kDropout, y);
    REQUIRE(relative_difference(y, with_positions) < 1e-6);
    embedding_forward<TestType>(weight, kIds, TestType{4}, {}, {}, kDropout, y);
    REQUIRE(relative_difference(y, without) < 1e-6);
  }
}

TEST_CASE("embedding gradients are those of central differences", "[kernels]") {
  constexpr int64_t kModel = 75;
  auto weight = TestMatrix<double>::random(kVocab, kModel, 1);
  auto table = TestMatrix<double>::random(3, kModel, 2);
  const auto dy = TestMatrix<double>::random(6, kModel, 3);
  TestMatrix<double> y(6, kModel);
  const auto loss = [&] {
    embedding_forward<double>(weight, kIds, 1.5, table, kPositions, kDropout, y);
    return weighted_sum(y, dy);
  };
  auto dweight = TestMatrix<double>::random(kVocab, kModel, 4);
  auto dtable = TestMatrix<double>::random(3, kModel, 5);
  embedding_backward<double>(dy, kIds, 1.5, kDropout, dweight, false);
  embedding_backward<double>(dy, kPositions, 1.0, kDropout, dtable, false);
  CHECK(relative_difference(dweight, numeric_gradient(weight, loss)) < 1e-7);
  CHECK(relative_difference(dtable, numeric_gradient(table, loss)) < 1e-7);
}

TEST_CASE("float embedding gradients are those of double, added or assigned", "[kernels]") {
  for (const int64_t model : {1, 7, 63, 64, 65, 200}) {
    const auto dy = TestMatrix<float>::random(6, model, 1, model + 3);
    const auto wide_dy = TestMatrix<double>::random(6, model, 1);
    for (const bool accumulate : {false, true}) {
      auto table = TestMatrix<float>::random(kVocab, model, 2, model + 1);
      auto wide_table = TestMatrix<double>::random(kVocab, model, 2);
      embedding_backward<float>(dy, kIds, 2.0f, kDropout, table, accumulate);
      embedding_backward<double>(wide_dy, kIds, 2.0, kDropout, wide_table, accumulate);
      CHECK(relative_difference(table, wide_table) < 1e-6);
    }
  }
}

TEST_CASE("embeddings have the same bits with any number of threads", "[kernels]") {
  constexpr int64_t kTokens = 500;
  const auto dy = TestMatrix<float>::random(kTokens, 300, 1);
  const auto weight = TestMatrix<float>::random(20, 300, 2);
  std::vector<int32_t> ids;
  for (uint64_t t = 0; t < kTokens; ++t) {
    ids.push_back(static_cast<int32_t>(random_u64({3}, t) % 20));
  }
  const auto run = [&](int count) {
    const test::ThreadsScope scope(count);
    TestMatrix<float> table(20, 300);
    TestMatrix<float> y(kTokens, 300);
    embedding_forward<float>(weight, ids, 2.0f, {}, {}, kDropout, y);
    embedding_backward<float>(dy, ids, 2.0f, kDropout, table, false);
    std::vector<float> all = y.values();
    all.insert(all.end(), table.values().begin(), table.values().end());
    return all;
  };
  const auto one = run(1);
  CHECK(run(2) == one);
  CHECK(run(3) == one);
}

TEST_CASE("an id or a position outside of its table is named", "[kernels]") {
  const TestMatrix<float> weight(kVocab, 4);
  const TestMatrix<float> table(3, 4);
  TestMatrix<float> y(1, 4);
  TestMatrix<float> gradient(kVocab, 4);
  for (const int32_t wrong : {-1, 11}) {
    const std::vector<int32_t> ids{wrong};
    CHECK_THROWS_AS(embedding_forward<float>(weight, ids, 1.0f, {}, {}, {}, y), InternalError);
    CHECK_THROWS_AS(embedding_backward<float>(y, ids, 1.0f, {}, gradient, true), InternalError);
  }
  const std::vector<int32_t> id{2};
  const std::vector<int32_t> far{3};
  CHECK_THROWS_AS(embedding_forward<float>(weight, id, 1.0f, table, far, {}, y), InternalError);
  CHECK_THROWS_AS(embedding_forward<float>(weight, id, 1.0f, table, {}, {}, y), InternalError);
}

TEST_CASE("sinusoidal positions follow the paper", "[kernels]") {
  TestMatrix<float> table(50, 6, 8);
  sinusoidal_positions(table.view());
  CHECK(table.at(0, 0) == 0);
  CHECK(table.at(0, 1) == 1);
  CHECK(table.at(3, 0) == Approx(std::sin(3.0)));
  CHECK(table.at(3, 1) == Approx(std::cos(3.0)));
  CHECK(table.at(49, 2) == Approx(std::sin(49 / std::pow(10000.0, 2.0 / 6))));
  CHECK(table.at(49, 5) == Approx(std::cos(49 / std::pow(10000.0, 4.0 / 6))));
}

}  // namespace calque::kernels
