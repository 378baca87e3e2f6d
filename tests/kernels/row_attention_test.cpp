#include "kernels/row_attention.h"

#include <cmath>
#include <functional>
#include <numeric>

#include "kernels/attention_normalizer.h"
#include "kernels/matrices.h"
#include "support/catch.h"

namespace calque::kernels {
namespace {

/// The threshold at which the weights sum up to 1, by bisection between `low` and `high`.
double bisect(double low, double high, const std::function<double(double)>& sum) {
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (sum(middle) > 1 ? low : high) = middle;
  }
  return high;
}

/// Differences of the thresholds of a row of scores from what bisection finds.
struct ThresholdErrors {
  double sparsemax, entmax15;
  explicit ThresholdErrors(const std::vector<double>& scores) {
    const double highest = *std::ranges::max_element(scores);
    std::vector<double> memory = scores;
    sparsemax =
        sparsemax_threshold<double>(memory) - bisect(highest - 1, highest, [&](double threshold) {
          double sum = 0;
          for (const double score : scores) sum += std::max(score - threshold, 0.0);
          return sum;
        });
    memory = scores;
    entmax15 = entmax15_threshold<double>(memory) -
               bisect(highest / 2 - 1, highest / 2, [&](double threshold) {
                 double sum = 0;
                 for (const double score : scores) {
                   sum += std::pow(std::max(score / 2 - threshold, 0.0), 2);
                 }
                 return sum;
               });
  }
};

TEST_CASE("thresholds make weights that sum up to 1, with ties, one score and equal scores too",
          "[kernels]") {
  std::vector<std::vector<double>> rows{{0.3},
                                        {-1e6},
                                        {2, 2},
                                        {0, 0, 0, 0, 0, 0, 0},
                                        std::vector<double>(300, -7.25),
                                        {1, 3, 3, 1, 3, -2},
                                        {5, 4},            // the second one's weight just reaches 0
                                        {0.5, 0.5, -0.5},  // and here with a tie above
                                        {100, -100, 99.5}};
  for (uint64_t seed = 0; seed < 20; ++seed) {
    std::vector<double> row;
    for (uint64_t i = 0; i <= 3 * seed; ++i) row.push_back(random_normal({seed, 0, 0}, i));
    rows.push_back(row);
  }
  for (const std::vector<double>& row : rows) {
    CAPTURE(row);
    const ThresholdErrors errors(row);
    const double size = 1 + std::abs(row[0]);
    CHECK(std::abs(errors.sparsemax) < 1e-14 * size);
    CHECK(std::abs(errors.entmax15) < 1e-14 * size);
  }
}

TEST_CASE("thresholds of scores that are no numbers are none", "[kernels]") {
  std::vector<float> scores{1, NAN, 2};
  CHECK(std::isnan(sparsemax_threshold<float>(scores)));
  scores = {1, NAN, 2};
  CHECK(std::isnan(entmax15_threshold<float>(scores)));
}

/// Self-attention of a kind over random numbers, sentences of `lengths`.
template <class T>
struct Case {
  static constexpr int64_t kModel = 16, kHeads = 2;
  SequenceLayoutBuffer layout;
  AttentionOptions options;
  bool causal;
  TestMatrix<T> query, key, value, output, doutput, dquery, dkey, dvalue, thresholds, energy;

  Case(const std::vector<int64_t>& lengths, const AttentionOptions& kind, bool is_causal)
      : layout(sentences_of(lengths)),
        options(kind),
        causal(is_causal),
        query(TestMatrix<T>::random(layout.view().tokens, kModel, 1, 3 * kModel)),
        key(TestMatrix<T>::random(query.rows(), kModel, 2, 3 * kModel)),
        value(TestMatrix<T>::random(query.rows(), kModel, 3, 3 * kModel)),
        output(query.rows(), kModel),
        doutput(TestMatrix<T>::random(query.rows(), kModel, 4)),
        dquery(query.rows(), kModel),
        dkey(query.rows(), kModel),
        dvalue(query.rows(), kModel),
        thresholds(query.rows(), kHeads),
        energy(TestMatrix<T>::random(1, kModel, 5)) {}

  AttentionShape shape() const {
    return {layout.view(), layout.view(), kHeads, causal, {}, options, {}};
  }
  RowAttentionInputs<T> inputs() const {
    return {query, key, value, energy.view().data, {}, nullptr};
  }
  void forward(Workspace& workspace, T* probabilities = nullptr) {
    row_attention_forward<T>(shape(), inputs(), output, thresholds.view().data, probabilities,
                             workspace);
  }
  void backward(Workspace& workspace) {
    RowAttentionGradients<T> gradients{dquery, dkey, dvalue};
    row_attention_backward<T>(shape(), inputs(), thresholds.view().data, doutput, gradients,
                              workspace);
  }
};

/// Whether query i of a head sees key j, by the definitions of kernels/attention_scope.h.
bool sees(const AttentionOptions& options, int64_t head, bool causal, int64_t i, int64_t j) {
  if (causal && j > i) return false;
  const bool near = std::abs(i - j) <= options.window;
  switch (options.scope) {
    case AttentionScope::kLocal:
      return near || std::min(i, j) < options.global_tokens;
    case AttentionScope::kStrided:
      return head % 2 == 0 ? near : (i - j) % options.window == 0;
    default:
      return true;
  }
}

TEST_CASE("queries see the keys of their scope, over many blocks", "[kernels]") {
  Workspace workspace(threads());
  const std::vector<int64_t> lengths{1, 250, 97};
  for (const AttentionScope scope :
       {AttentionScope::kGlobal, AttentionScope::kLocal, AttentionScope::kStrided}) {
    for (const int64_t window : {1, 7, 130, 1000}) {
      for (const bool causal : {false, true}) {
        CAPTURE(scope, window, causal);
        const AttentionOptions options{
            .scope = scope, .window = window, .global_tokens = window % 2 == 0 ? 0 : 3};
        Case<float> c(lengths, options, causal);
        std::vector<float> weights(2 * (1 + 250 * 250 + 97 * 97));
        c.forward(workspace, weights.data());
        int64_t wrong = 0;
        double worst_sum = 0;
        const float* at = weights.data();
        for (const int64_t length : lengths) {
          for (int64_t head = 0; head < 2; ++head) {
            for (int64_t i = 0; i < length; ++i) {
              double sum = 0;
              for (int64_t j = 0; j < length; ++j, ++at) {
                sum += static_cast<double>(*at);
                if ((*at > 0) != sees(options, head, causal, i, j)) ++wrong;
              }
              worst_sum = std::max(worst_sum, std::abs(sum - 1));
            }
          }
        }
        CHECK(wrong == 0);
        CHECK(worst_sum < 1e-5);
      }
    }
  }
}

TEST_CASE("a window that reaches everywhere is global attention", "[kernels]") {
  Workspace workspace(threads());
  for (const bool causal : {false, true}) {
    const AttentionOptions options{.scope = AttentionScope::kLocal, .window = 500};
    Case<double> c({3, 250}, options, causal);
    c.forward(workspace);
    c.backward(workspace);
    Case<double> fast({3, 250}, {}, causal);
    attention_forward<double>(fast.shape(), fast.query, fast.key, fast.value, fast.output,
                              fast.thresholds.view().data, nullptr, workspace);
    attention_backward<double>(fast.shape(), fast.query, fast.key, fast.value, fast.output,
                               fast.thresholds.view().data, fast.doutput, fast.dquery, false,
                               fast.dkey, false, fast.dvalue, false, workspace);
    CHECK(relative_difference(c.output, fast.output) < 1e-13);
    CHECK(relative_difference(c.dquery, fast.dquery) < 1e-12);
    CHECK(relative_difference(c.dkey, fast.dkey) < 1e-12);
    CHECK(relative_difference(c.dvalue, fast.dvalue) < 1e-12);
  }
}

TEST_CASE("each kind in float agrees with double", "[kernels]") {
  Workspace workspace(threads());
  const std::vector<int64_t> lengths{1, 130, 20};
  for (const AttentionScore score : {AttentionScore::kScaledDot, AttentionScore::kAdditive}) {
    for (const AttentionNormalizer normalizer :
         {AttentionNormalizer::kSoftmax, AttentionNormalizer::kSparsemax,
          AttentionNormalizer::kEntmax15}) {
      CAPTURE(score, normalizer);
      AttentionOptions options{.score = score, .scope = AttentionScope::kLocal, .window = 40};
      options.normalizer = normalizer;
      Case<double> wide(lengths, options, true);
      Case<float> narrow(lengths, options, true);
      wide.forward(workspace);
      wide.backward(workspace);
      narrow.forward(workspace);
      narrow.backward(workspace);
      CHECK(relative_difference(narrow.output, wide.output) < 1e-5);
      CHECK(relative_difference(narrow.dquery, wide.dquery) < 2e-5);
      CHECK(relative_difference(narrow.dkey, wide.dkey) < 2e-5);
      CHECK(relative_difference(narrow.dvalue, wide.dvalue) < 2e-5);
    }
  }
}

/// Many equal queries, each of which draws one of two keys.
struct DrawCase {
  static constexpr int64_t kQueries = 60000;
  static constexpr double kTemperature = 0.7;
  SequenceLayoutBuffer queries, keys;
  TestMatrix<double> query, key, value, output, doutput, dquery, dkey, dvalue, thresholds;

  DrawCase()
      : queries(sentences_of({kQueries})),
        keys(sentences_of({2})),
        query(kQueries, 1),
        key(2, 1),
        value(2, 1),
        output(kQueries, 1),
        doutput(kQueries, 1),
        dquery(kQueries, 1),
        dkey(2, 1),
        dvalue(2, 1),
        thresholds(kQueries, 1) {
    for (int64_t i = 0; i < kQueries; ++i) query.at(i, 0) = doutput.at(i, 0) = 1;
    key.at(0, 0) = 0.8;
    key.at(1, 0) = -0.3;
    value.at(0, 0) = 2;
    value.at(1, 0) = -1;
  }
  void run(Workspace& workspace) {
    AttentionShape shape{queries.view(), keys.view(), 1, false, {}, {}, {}};
    shape.options.selection = AttentionSelection::kHard;
    shape.draw = {{5, 6, 7}, kTemperature};
    const RowAttentionInputs<double> inputs{query, key, value};
    row_attention_forward<double>(shape, inputs, output, thresholds.view().data, nullptr,
                                  workspace);
    RowAttentionGradients<double> gradients{dquery, dkey, dvalue};
    row_attention_backward<double>(shape, inputs, thresholds.view().data, doutput, gradients,
                                   workspace);
  }
};

TEST_CASE("hard selection draws by softmax, and has straight-through's gradient in the mean",
          "[kernels]") {
  Workspace workspace(threads());
  DrawCase c;
  c.run(workspace);
  const double difference = c.key.at(0, 0) - c.key.at(1, 0);
  const double probability = 1 / (1 + std::exp(-difference));
  double drawn = 0;
  double sum = 0;
  for (int64_t i = 0; i < c.kQueries; ++i) {
    if (c.output.at(i, 0) == 2) ++drawn;
    sum += c.output.at(i, 0);
  }
  CHECK(drawn / c.kQueries == Approx(probability).margin(0.01));
  CHECK(sum == Approx(2 * drawn - (c.kQueries - drawn)));  // nothing between the two
  CHECK(c.dvalue.at(0, 0) == Approx(drawn));

  // The difference of two Gumbels is logistic: E dS = E[P (1 - P)] (dP_0 - dP_1) / temperature with
  // P = sigmoid((difference + logistic) / temperature), by the midpoint rule over its quantiles.
  double slope = 0;
  constexpr int kPoints = 100000;
  for (int i = 0; i < kPoints; ++i) {
    const double u = (i + 0.5) / kPoints;
    const double p = 1 / (1 + std::exp(-(difference + std::log(u / (1 - u))) / c.kTemperature));
    slope += p * (1 - p) / kPoints;
  }
  const double expected = slope * 3 / c.kTemperature;
  CHECK(c.dkey.at(0, 0) / c.kQueries == Approx(expected).epsilon(0.02));
  CHECK(c.dkey.at(1, 0) / c.kQueries == Approx(-expected).epsilon(0.02));
}

/// Equal queries over five keys, and the gradients of all that makes their scores.
struct CostCase {
  static constexpr int64_t kKeys = 5, kWidth = 3;
  AttentionShape shape;
  SequenceLayoutBuffer queries, keys;
  TestMatrix<double> query, value, doutput, output, dquery, dvalue, thresholds, weights;
  TestMatrix<double> key = TestMatrix<double>::random(kKeys, kWidth, 1);
  TestMatrix<double> energy = TestMatrix<double>::random(1, kWidth, 3);
  TestMatrix<double> dkey{kKeys, kWidth}, denergy{1, kWidth};
  std::vector<double> advantages;

  CostCase(int64_t count, const AttentionOptions& options)
      : queries(sentences_of({count})),
        keys(sentences_of({kKeys})),
        query(count, kWidth),
        value(TestMatrix<double>::random(kKeys, kWidth, 4)),
        doutput(TestMatrix<double>::random(count, kWidth, 5)),
        output(count, kWidth),
        dquery(count, kWidth),
        dvalue(kKeys, kWidth),
        thresholds(count, 1),
        weights(count, kKeys),
        advantages(static_cast<size_t>(count)) {
    shape = {queries.view(), keys.view(), 1, false, {}, options, {}};
    const TestMatrix<double> one = TestMatrix<double>::random(1, kWidth, 2);
    for (int64_t i = 0; i < count; ++i) std::copy_n(one.view().row(0), kWidth, query.view().row(i));
  }
  RowAttentionInputs<double> inputs() {
    RowAttentionInputs<double> inputs{query, key, value};
    inputs.energy = energy.view().data;
    inputs.advantages = advantages.data();
    return inputs;
  }
  void forward(Workspace& workspace) {
    row_attention_forward<double>(shape, inputs(), output, thresholds.view().data,
                                  weights.view().data, workspace);
  }
  void backward(Workspace& workspace) {
    RowAttentionGradients<double> to{dquery, dkey, dvalue};
    if (shape.options.score == AttentionScore::kAdditive) to.energy = denergy.view().data;
    row_attention_backward<double>(shape, inputs(), thresholds.view().data, doutput, to, workspace);
  }
};

TEST_CASE("REINFORCE has the gradient of the expected cost", "[kernels]") {
  // What is expected of a cost is soft attention over the costs of the keys, and so is its
  // gradient.
  AttentionOptions options;
  options.normalizer = GENERATE(AttentionNormalizer::kSoftmax, AttentionNormalizer::kSparsemax,
                                AttentionNormalizer::kEntmax15);
  options.score = GENERATE(AttentionScore::kScaledDot, AttentionScore::kAdditive);
  const double baseline = GENERATE(0.0, 2.5);
  CAPTURE(options.normalizer, options.score, baseline);
  Workspace workspace(threads());
  const std::vector<double> costs{3, -1, 0.5, 2, 7};
  CostCase soft(1, options);
  for (int64_t c = 0; c < CostCase::kWidth; ++c) soft.doutput.at(0, c) = c == 0 ? 1 : 0;
  for (int64_t k = 0; k < CostCase::kKeys; ++k) soft.value.at(k, 0) = costs[static_cast<size_t>(k)];
  soft.forward(workspace);
  soft.backward(workspace);

  // So many queries that each key is drawn, each time counted with its share of the probability.
  constexpr int64_t kQueries = 4000;
  options.selection = AttentionSelection::kHard;
  options.estimator = SelectionEstimator::kReinforce;
  options.reinforce_weight = GENERATE(1.0, 0.25);
  CostCase hard(kQueries, options);
  hard.shape.draw = {{5, 6, 7}, 1};
  hard.forward(workspace);
  std::vector<std::vector<size_t>> drawn(CostCase::kKeys);
  for (int64_t i = 0; i < kQueries; ++i) {
    for (int64_t k = 0; k < CostCase::kKeys; ++k) {
      if (hard.weights.at(i, k) == 1)
        drawn[static_cast<size_t>(k)].push_back(static_cast<size_t>(i));
    }
  }
  for (size_t k = 0; k < costs.size(); ++k) {
    const double probability = soft.weights.at(0, static_cast<int64_t>(k));
    const auto count = static_cast<double>(drawn[k].size());
    CHECK(count / kQueries == Approx(probability).margin(0.03));
    REQUIRE(drawn[k].empty() == (probability == 0));
    for (const size_t i : drawn[k]) {
      hard.advantages[i] = (costs[k] - baseline) * probability / count / options.reinforce_weight;
    }
  }
  hard.backward(workspace);
  TestMatrix<double> dquery(1, CostCase::kWidth);
  for (int64_t i = 0; i < kQueries; ++i) {
    for (int64_t c = 0; c < CostCase::kWidth; ++c) dquery.at(0, c) += hard.dquery.at(i, c);
  }
  CHECK(relative_difference(dquery, soft.dquery) < 1e-11);
  CHECK(relative_difference(hard.dkey, soft.dkey) < 1e-11);
  CHECK(relative_difference(hard.denergy, soft.denergy) < 1e-11);
}

TEST_CASE("scratch of a local window does not grow with the length", "[kernels]") {
  size_t of_short = 0;
  for (const int64_t length : {600, 6000}) {
    Workspace workspace(threads());
    Case<float> c({length}, {.scope = AttentionScope::kLocal, .window = 64}, false);
    c.forward(workspace);
    c.backward(workspace);
    if (length == 600) of_short = workspace.peak();
    CHECK(workspace.peak() <= of_short * static_cast<size_t>(threads()));
  }
}

}  // namespace
}  // namespace calque::kernels
