#include "kernels/attention.h"

#include <cstring>

#include "base/error.h"
#include "kernels/matrices.h"
#include "kernels/simd.h"
#include "support/catch.h"
#include "support/threads_scope.h"

namespace calque::kernels {
namespace {

/// Inputs and outputs of one attention, with `shared` heads of keys where that is given; query, key
/// and value are columns of one wider matrix where the lengths allow it, so every view is strided.
template <class T>
struct Case {
  SequenceLayoutBuffer query_layout, key_layout;
  int64_t heads;
  bool causal;
  Dropout dropout;
  DistanceTerms<T> distances;
  TestMatrix<T> query, key, value, output, doutput, dquery, dkey, dvalue, log_sums;

  Case(const std::vector<int64_t>& query_lengths, const std::vector<int64_t>& key_lengths,
       int64_t model, int64_t head_count, bool is_causal, double rate = 0, int64_t shared = 0)
      : query_layout(sentences_of(query_lengths)),
        key_layout(sentences_of(key_lengths)),
        heads(head_count),
        causal(is_causal),
        dropout{rate, {11, 2, 3}},
        query(TestMatrix<T>::random(query_layout.view().tokens, model, 1, 3 * model)),
        key(TestMatrix<T>::random(key_layout.view().tokens,
                                  shared > 0 ? model / head_count * shared : model, 2, 3 * model)),
        value(TestMatrix<T>::random(key.rows(), key.cols(), 3, 3 * model)),
        output(query.rows(), model),
        doutput(TestMatrix<T>::random(query.rows(), model, 4)),
        dquery(TestMatrix<T>::random(query.rows(), model, 5, model + 3)),
        dkey(TestMatrix<T>::random(key.rows(), key.cols(), 6, model + 3)),
        dvalue(TestMatrix<T>::random(key.rows(), key.cols(), 7, model + 3)),
        log_sums(query.rows(), heads) {}

  AttentionShape shape() const {
    return {query_layout.view(), key_layout.view(), heads, causal, dropout};
  }
  void forward(Workspace& workspace, T* probabilities = nullptr) {
    attention_forward<T>(shape(), query, key, value, output, log_sums.view().data, probabilities,
                         workspace, distances);
  }
  void backward(Workspace& workspace, bool accumulate = false) {
    attention_backward<T>(shape(), query, key, value, output, log_sums.view().data, doutput, dquery,
                          accumulate, dkey, accumulate, dvalue, accumulate, workspace, distances);
  }
};

/// What dropout makes of the weight that the query at `row` gives the key at `key_row`, which is
/// key number `key` of its sentence.
double factor_of(const AttentionShape& shape, int64_t head, int64_t query, int64_t key_row,
                 int64_t key) {
  if (!shape.dropout.active()) return 1;
  double tile[4 * simd::kLanes<float>];
  const auto column = static_cast<uint32_t>(head * 65536 + query / 2 * 2);
  dropout_tile(shape.dropout, static_cast<uint32_t>(key_row - key % 4), column, 4, 2, tile,
               simd::kLanes<float>);
  return tile[key % 4 * simd::kLanes<float> + query % 2];
}

/// The output by the formula.
TestMatrix<double> naive(const Case<double>& c) {
  TestMatrix<double> output(c.query.rows(), c.query.cols());
  const AttentionShape shape = c.shape();
  const int64_t head = c.query.cols() / c.heads;
  for (int64_t s = 0; s < shape.queries.sentences(); ++s) {
    const auto index = static_cast<size_t>(s);
    for (int64_t h = 0; h < c.heads; ++h) {
      for (int64_t i = 0; i < shape.queries.lengths[index]; ++i) {
        const int64_t row = shape.queries.begins[index] + i;
        const int64_t keys = c.causal ? i + 1 : shape.keys.lengths[index];
        std::vector<double> weights;
        double sum = 0;
        for (int64_t j = 0; j < keys; ++j) {
          double score = 0;
          for (int64_t d = h * head; d < (h + 1) * head; ++d) {
            score += c.query.at(row, d) * c.key.at(shape.keys.begins[index] + j, d);
          }
          score /= std::sqrt(static_cast<double>(head));
          if (c.distances.alibi) {
            score -= alibi_slope(h, c.heads) * std::abs(static_cast<double>(i - j));
          }
          weights.push_back(std::exp(score));
          sum += weights.back();
        }
        for (int64_t j = 0; j < keys; ++j) {
          const int64_t key_row = shape.keys.begins[index] + j;
          const double weight =
              weights[static_cast<size_t>(j)] / sum * factor_of(shape, h, i, key_row, j);
          for (int64_t d = h * head; d < (h + 1) * head; ++d) {
            output.at(row, d) += weight * c.value.at(key_row, d);
          }
        }
      }
    }
  }
  return output;
}

struct Lengths {
  std::vector<int64_t> queries, keys;
  int64_t model, heads;
  bool causal;
};

std::vector<Lengths> shapes() {
  return {{{1}, {2}, 4, 1, false},
          {{5, 1, 17}, {3, 9, 70}, 24, 3, false},
          {{5, 1, 17}, {5, 1, 17}, 24, 3, true},
          {{0, 3}, {2, 0}, 8, 2, false},
          {{70, 130}, {20, 66}, 32, 1, false},
          {{64, 131}, {64, 131}, 34, 2, true},
          // At the borders of blocks of 96 and, in backward, of chunks of 576.
          {{95, 96, 97, 192, 193}, {193, 97, 192, 96, 1}, 64, 2, false},
          {{1, 95, 97, 192, 193}, {1, 95, 97, 192, 193}, 64, 2, true},
          {{576, 3, 577, 9}, {20, 1200, 576, 9}, 8, 1, false},
          {{1153, 5, 576}, {1153, 5, 576}, 8, 1, true},
          {{100}, {100}, 1024, 1, false}};  // rows a page apart
}

/// Calls `body(wide, narrow, workspace)`, the same numbers in double and in float, with and without
/// dropout.
template <class Body>
void with_each_shape(const Body& body) {
  Workspace workspace(threads());
  for (const double rate : {0.0, 0.3}) {
    for (const Lengths& l : shapes()) {
      CAPTURE(l.queries, l.keys, l.model, l.causal, rate);
      Case<double> wide(l.queries, l.keys, l.model, l.heads, l.causal, rate);
      Case<float> narrow(l.queries, l.keys, l.model, l.heads, l.causal, rate);
      body(wide, narrow, workspace);
    }
  }
}

TEST_CASE("attention equals its formula, causal or not, in short and long sentences", "[kernels]") {
  with_each_shape([](Case<double>& wide, Case<float>& narrow, Workspace& workspace) {
    wide.forward(workspace);
    narrow.forward(workspace);
    CHECK(relative_difference(wide.output, naive(wide)) < 1e-13);
    CHECK(relative_difference(narrow.output, wide.output) < 1e-5);
  });
}

TEST_CASE("large scores anywhere in a row do not overflow", "[kernels]") {
  Workspace workspace(threads());
  for (const bool causal : {false, true}) {
    Case<double> wide({210}, {210}, 16, 1, causal);
    Case<float> narrow({210}, {210}, 16, 1, causal);
    for (const int64_t key : {0, 100, 209}) {  // each block's maximum is far above the last one's
      for (int64_t c = 0; c < 16; ++c) {
        wide.key.at(key, c) *= 100 * static_cast<double>(key + 1);
        narrow.key.at(key, c) = static_cast<float>(wide.key.at(key, c));
      }
    }
    wide.forward(workspace);
    narrow.forward(workspace);
    CHECK(relative_difference(narrow.output, wide.output) < 1e-4);
  }
}

TEST_CASE("attention's gradients in float agree with double, with and without dropout",
          "[kernels]") {
  with_each_shape([](Case<double>& wide, Case<float>& narrow, Workspace& workspace) {
    wide.forward(workspace);
    wide.backward(workspace);
    narrow.forward(workspace);
    narrow.backward(workspace);
    CHECK(relative_difference(narrow.output, wide.output) < 1e-5);
    CHECK(relative_difference(narrow.dquery, wide.dquery) < 2e-5);
    CHECK(relative_difference(narrow.dkey, wide.dkey) < 2e-5);
    CHECK(relative_difference(narrow.dvalue, wide.dvalue) < 2e-5);
  });
}

/// The loss sum(output doutput), whose gradient by `output` is `doutput`.
double loss_of(Case<double>& c, Workspace& workspace) {
  c.forward(workspace);
  double sum = 0;
  for (int64_t r = 0; r < c.output.rows(); ++r) {
    for (int64_t k = 0; k < c.output.cols(); ++k) sum += c.output.at(r, k) * c.doutput.at(r, k);
  }
  return sum;
}

void check_gradients(Case<double>& c, Workspace& workspace) {
  const auto loss = [&] { return loss_of(c, workspace); };
  c.forward(workspace);
  c.backward(workspace);
  CHECK(relative_difference(c.dquery, numeric_gradient(c.query, loss)) < 1e-7);
  CHECK(relative_difference(c.dkey, numeric_gradient(c.key, loss)) < 1e-7);
  CHECK(relative_difference(c.dvalue, numeric_gradient(c.value, loss)) < 1e-7);
}

TEST_CASE("attention's gradients are those of its output", "[kernels]") {
  Workspace workspace(threads());
  for (const double rate : {0.0, 0.25}) {
    Case<double> cross({3, 1, 5}, {4, 2, 9}, 6, 2, false, rate);
    check_gradients(cross, workspace);
    Case<double> self({4, 6}, {4, 6}, 6, 2, true, rate);
    check_gradients(self, workspace);
  }
  Case<double> blocks({99}, {99}, 2, 1, true);
  check_gradients(blocks, workspace);
}

/// The change of the loss when `x` moves along `direction`, by central differences, and by `dx`.
void check_slope(Case<double>& c, TestMatrix<double>& x, const TestMatrix<double>& dx,
                 Workspace& workspace) {
  const auto direction = TestMatrix<double>::random(x.rows(), x.cols(), 99);
  constexpr double kStep = 1e-5;
  double slope = 0;
  const auto move = [&](double step) {
    for (int64_t r = 0; r < x.rows(); ++r) {
      for (int64_t d = 0; d < x.cols(); ++d) x.at(r, d) += step * direction.at(r, d);
    }
  };
  for (int64_t r = 0; r < x.rows(); ++r) {
    for (int64_t d = 0; d < x.cols(); ++d) slope += dx.at(r, d) * direction.at(r, d);
  }
  move(kStep);
  const double above = loss_of(c, workspace);
  move(-2 * kStep);
  const double below = loss_of(c, workspace);
  move(kStep);
  CHECK((above - below) / (2 * kStep) == Approx(slope).epsilon(1e-6));
}

TEST_CASE("attention's gradients are those of its output in long sentences too", "[kernels]") {
  Workspace workspace(threads());
  for (const Lengths& l : shapes()) {
    CAPTURE(l.queries, l.keys, l.model, l.causal);
    Case<double> c(l.queries, l.keys, l.model, l.heads, l.causal, 0.2);
    c.forward(workspace);
    c.backward(workspace);
    check_slope(c, c.query, c.dquery, workspace);
    check_slope(c, c.key, c.dkey, workspace);
    check_slope(c, c.value, c.dvalue, workspace);
  }
}

/// The heads of x [rows, shared heads of width `head`], each so often that there are `heads`.
TestMatrix<float> repeated(const TestMatrix<float>& x, int64_t heads, int64_t head) {
  TestMatrix<float> all(x.rows(), heads * head);
  const int64_t group = all.cols() / x.cols();
  for (int64_t r = 0; r < x.rows(); ++r) {
    for (int64_t c = 0; c < all.cols(); ++c) {
      all.at(r, c) = x.at(r, c / head / group * head + c % head);
    }
  }
  return all;
}

/// What `repeated` makes one, summed up.
TestMatrix<double> summed(const TestMatrix<float>& x, int64_t shared, int64_t head) {
  TestMatrix<double> sums(x.rows(), shared * head);
  const int64_t group = x.cols() / sums.cols();
  for (int64_t r = 0; r < x.rows(); ++r) {
    for (int64_t c = 0; c < x.cols(); ++c) {
      sums.at(r, c / head / group * head + c % head) += static_cast<double>(x.at(r, c));
    }
  }
  return sums;
}

TEST_CASE("heads that share keys and values compute as if each had its own, and add gradients",
          "[kernels]") {
  const std::vector<int64_t> many(9, 7);  // sentences, so that one is a task
  const std::vector<int64_t> lengths = GENERATE(true, false) ? many : std::vector<int64_t>{5, 600};
  const int64_t shared = GENERATE(1, 2);
  const bool causal = GENERATE(false, true);
  constexpr int64_t kModel = 24, kHeads = 4;
  std::vector<float> first;
  for (const int count : {1, 3}) {
    const test::ThreadsScope set(count);
    Workspace workspace(count);
    Case<float> c(lengths, lengths, kModel, kHeads, causal, 0.2, shared);
    Case<float> apart(lengths, lengths, kModel, kHeads, causal, 0.2);
    apart.key = repeated(c.key, kHeads, kModel / kHeads);
    apart.value = repeated(c.value, kHeads, kModel / kHeads);
    c.forward(workspace);
    c.backward(workspace);
    apart.forward(workspace);
    apart.backward(workspace);
    CHECK(c.output.values() == apart.output.values());
    CHECK(relative_difference(c.dquery, apart.dquery) == 0);
    CHECK(relative_difference(c.dkey, summed(apart.dkey, shared, kModel / kHeads)) < 1e-5);
    CHECK(relative_difference(c.dvalue, summed(apart.dvalue, shared, kModel / kHeads)) < 1e-5);
    if (count == 1) first = c.dkey.values();
    CHECK(c.dkey.values() == first);
  }
}

TEST_CASE("gradients of shared keys and values are those of the output", "[kernels]") {
  Workspace workspace(threads());
  Case<double> cross({3, 1, 5}, {4, 2, 9}, 8, 4, false, 0.25, 2);
  check_gradients(cross, workspace);
  Case<double> self({4, 6}, {4, 6}, 8, 4, true, 0, 1);
  check_gradients(self, workspace);
}

TEST_CASE("ALiBi's slopes are those of its authors", "[kernels]") {
  const auto slopes = [](int64_t heads) {
    std::vector<double> all;
    for (int64_t h = 0; h < heads; ++h) all.push_back(alibi_slope(h, heads));
    return all;
  };
  CHECK(slopes(1) == std::vector<double>{0x1p-8});
  CHECK(slopes(8) ==
        std::vector<double>{0x1p-1, 0x1p-2, 0x1p-3, 0x1p-4, 0x1p-5, 0x1p-6, 0x1p-7, 0x1p-8});
  CHECK(slopes(3) == std::vector<double>{0x1p-4, 0x1p-8, 0x1p-2});
  CHECK(slopes(6) == std::vector<double>{0x1p-2, 0x1p-4, 0x1p-6, 0x1p-8, 0x1p-1, 0x1p-3});
}

TEST_CASE("with ALiBi, attention equals its formula and has its gradients", "[kernels]") {
  Workspace workspace(threads());
  for (const Lengths& l : shapes()) {
    if (l.queries != l.keys) continue;
    CAPTURE(l.queries, l.model, l.causal);
    Case<double> wide(l.queries, l.keys, l.model, l.heads, l.causal, 0.2);
    Case<float> narrow(l.queries, l.keys, l.model, l.heads, l.causal, 0.2);
    wide.distances.alibi = narrow.distances.alibi = true;
    wide.forward(workspace);
    wide.backward(workspace);
    narrow.forward(workspace);
    narrow.backward(workspace);
    CHECK(relative_difference(wide.output, naive(wide)) < 1e-13);
    CHECK(relative_difference(narrow.output, wide.output) < 1e-5);
    CHECK(relative_difference(narrow.dkey, wide.dkey) < 2e-5);
    check_slope(wide, wide.query, wide.dquery, workspace);
    check_slope(wide, wide.key, wide.dkey, workspace);
    check_slope(wide, wide.value, wide.dvalue, workspace);
  }
}

TEST_CASE("attention's scratch does not grow with the length of long sentences", "[kernels]") {
  size_t of_one = 0;  // chunk of queries and keys, by one worker
  for (const int64_t length : {576, 1700, 6000}) {
    Workspace workspace(threads());
    Case<float> c({length}, {length}, 16, 1, true, 0.1);
    c.forward(workspace);
    c.backward(workspace);
    if (length == 576) of_one = workspace.peak();
    CHECK(workspace.peak() <= of_one * static_cast<size_t>(threads()));
  }
}

TEST_CASE("attention adds its gradients to what is there where asked", "[kernels]") {
  Workspace workspace(threads());
  for (const bool causal : {false, true}) {
    const std::vector<int64_t> lengths{70, 3, 0, 100, 600};  // of one block, and of many
    Case<double> fresh(lengths, lengths, 8, 2, causal);
    Case<double> added(lengths, lengths, 8, 2, causal);
    fresh.forward(workspace);
    fresh.backward(workspace);
    added.forward(workspace);
    const auto check = [](const TestMatrix<double>& start, const TestMatrix<double>& sum,
                          TestMatrix<double> gradient) {
      for (int64_t r = 0; r < start.rows(); ++r) {
        for (int64_t c = 0; c < start.cols(); ++c) gradient.at(r, c) += start.at(r, c);
      }
      CHECK(relative_difference(sum, gradient) < 1e-13);
    };
    const TestMatrix<double> dquery = added.dquery, dkey = added.dkey, dvalue = added.dvalue;
    added.backward(workspace, true);
    check(dquery, added.dquery, fresh.dquery);
    check(dkey, added.dkey, fresh.dkey);
    check(dvalue, added.dvalue, fresh.dvalue);
  }
}

TEST_CASE("a batch of sentences gives the bits of its sentences one by one", "[kernels]") {
  Workspace workspace(threads());
  Case<float> batch({7, 80, 1, 600}, {13, 30, 5, 700}, 64, 2, false, 0.1);
  batch.forward(workspace);
  batch.backward(workspace);
  const AttentionShape all = batch.shape();
  for (size_t s = 0; s < 4; ++s) {
    Case<float> alone({7, 80, 1, 600}, {13, 30, 5, 700}, 64, 2, false, 0.1);
    alone.query_layout.clear();
    alone.query_layout.append_at(all.queries.begins[s], all.queries.lengths[s]);
    alone.key_layout.clear();
    alone.key_layout.append_at(all.keys.begins[s], all.keys.lengths[s]);
    alone.forward(workspace);
    alone.backward(workspace);
    const auto same = [](const TestMatrix<float>& a, const TestMatrix<float>& b, int64_t begin,
                         int64_t rows) {
      for (int64_t r = begin; r < begin + rows; ++r) {
        for (int64_t c = 0; c < a.cols(); ++c) {
          if (a.at(r, c) != b.at(r, c)) return false;
        }
      }
      return true;
    };
    CHECK(same(batch.output, alone.output, all.queries.begins[s], all.queries.lengths[s]));
    CHECK(same(batch.dquery, alone.dquery, all.queries.begins[s], all.queries.lengths[s]));
    CHECK(same(batch.dkey, alone.dkey, all.keys.begins[s], all.keys.lengths[s]));
    CHECK(same(batch.dvalue, alone.dvalue, all.keys.begins[s], all.keys.lengths[s]));
  }
}

TEST_CASE("a row of causal attention equals attention over the rows up to it", "[kernels]") {
  Workspace workspace(threads());
  constexpr int64_t kLength = 210;
  Case<float> causal({kLength}, {kLength}, 32, 2, true);
  causal.forward(workspace);
  for (int64_t i = 0; i < kLength; ++i) {
    Case<float> truncated({kLength}, {kLength}, 32, 2, false);
    truncated.query_layout.clear();
    truncated.query_layout.append_at(i, 1);
    truncated.key_layout.clear();
    truncated.key_layout.append_at(0, i + 1);
    truncated.forward(workspace);
    CHECK(std::memcmp(truncated.output.view().row(i), causal.output.view().row(i),
                      32 * sizeof(float)) == 0);
  }
}

TEST_CASE("attention's probabilities sum to one in every row, and are 0 for the future",
          "[kernels]") {
  Workspace workspace(threads());
  Case<float> c({3, 66}, {3, 66}, 8, 2, true);
  std::vector<float> probabilities(static_cast<size_t>(2 * (3 * 3 + 66 * 66)), -1.0f);
  c.forward(workspace, probabilities.data());
  size_t next = 0;
  for (const int64_t length : {3, 66}) {
    for (int64_t row = 0; row < 2 * length; ++row) {
      double sum = 0;
      for (int64_t key = 0; key < length; ++key, ++next) {
        sum += static_cast<double>(probabilities[next]);
        if (key > row % length) CHECK(probabilities[next] == 0.0f);
      }
      CHECK(sum == Approx(1).epsilon(1e-5));
    }
  }
}

TEST_CASE("a sentence without keys gives zeros, and gradients of 0", "[kernels]") {
  Workspace workspace(threads());
  Case<float> c({4}, {0}, 6, 2, false);
  std::fill_n(c.output.view().data, 24, 5.0f);
  c.forward(workspace);
  c.backward(workspace);
  CHECK(c.output.values() == std::vector<float>(24, 0.0f));
  CHECK(relative_difference(c.dquery, TestMatrix<float>(4, 6)) == 0);
  Case<float> unseen({0}, {3}, 6, 2, false);
  unseen.forward(workspace);
  unseen.backward(workspace);
  CHECK(relative_difference(unseen.dkey, TestMatrix<float>(3, 6)) == 0);
  CHECK(relative_difference(unseen.dvalue, TestMatrix<float>(3, 6)) == 0);
}

TEST_CASE("attention gives the same bits with 1, 2 and 3 threads", "[kernels]") {
  std::vector<float> output, dquery, dkey, dvalue;
  for (const int count : {1, 2, 3}) {
    const test::ThreadsScope set(count);
    Workspace workspace(count);
    Case<float> c({9, 1200, 1, 33}, {9, 1200, 1, 33}, 48, 3, true, 0.1);
    c.forward(workspace);
    c.backward(workspace);
    if (count == 1) {
      output = c.output.values();
      dquery = c.dquery.values();
      dkey = c.dkey.values();
      dvalue = c.dvalue.values();
    }
    CHECK(c.output.values() == output);
    CHECK(c.dquery.values() == dquery);
    CHECK(c.dkey.values() == dkey);
    CHECK(c.dvalue.values() == dvalue);
  }
}

TEST_CASE("attention refuses layouts that do not fit", "[kernels]") {
  Workspace workspace(threads());
  Case<float> causal({3}, {4}, 6, 2, true);
  CHECK_THROWS_AS(causal.forward(workspace), InternalError);
  Case<float> heads({3}, {4}, 6, 4, false);
  CHECK_THROWS_AS(heads.forward(workspace), InternalError);
  Case<float> unshared({3}, {4}, 24, 6, false, 0, 4);
  CHECK_THROWS_AS(unshared.forward(workspace), InternalError);
  Case<float> outside({3}, {4}, 6, 2, false);
  outside.key_layout.clear();
  outside.key_layout.append_at(2, 4);
  CHECK_THROWS_AS(outside.forward(workspace), InternalError);
}

/// Three hypotheses whose keys and values lie scattered among 40 slots.
template <class T>
struct StepCase {
  static constexpr int64_t kRows = 3, kSlots = 40, kStride = 13, kHeads = 2;
  std::vector<int32_t> lengths{11, 1, 13};
  TestMatrix<T> query, keys, values, output;
  std::vector<int32_t> slots;
  DistanceTerms<T> distances;

  explicit StepCase(int64_t model, int64_t shared = kHeads)
      : query(TestMatrix<T>::random(kRows, model, 1, model + 2)),
        keys(TestMatrix<T>::random(kSlots, model / kHeads * shared, 2)),
        values(TestMatrix<T>::random(kSlots, keys.cols(), 3)),
        output(kRows, model) {
    for (int64_t i = 0; i < kRows * kStride; ++i) {
      slots.push_back(static_cast<int32_t>(i * 17 % kSlots));
    }
  }
  void run(Workspace& workspace) {
    attention_step<T>(query, keys, values, slots, kStride, lengths, kHeads,
                      AttentionScore::kScaledDot, output, workspace, distances);
  }
};

TEST_CASE("attention_step equals the last row of causal attention", "[kernels]") {
  Workspace workspace(threads());
  const bool alibi = GENERATE(false, true);
  const int64_t shared = GENERATE(1, 2);
  for (const int64_t model : {2, 10, 64}) {
    StepCase<float> step(model, shared);
    step.distances.alibi = alibi;
    step.run(workspace);
    for (int64_t r = 0; r < step.kRows; ++r) {
      const int64_t length = step.lengths[static_cast<size_t>(r)];
      const std::vector<int64_t> lengths{length};
      Case<float> full(lengths, lengths, model, step.kHeads, true, 0, shared);
      full.distances.alibi = alibi;
      for (int64_t p = 0; p < length; ++p) {
        const int32_t slot = step.slots[static_cast<size_t>(r * step.kStride + p)];
        for (int64_t c = 0; c < full.key.cols(); ++c) {
          full.key.at(p, c) = step.keys.at(slot, c);
          full.value.at(p, c) = step.values.at(slot, c);
        }
        for (int64_t c = 0; c < model; ++c) full.query.at(p, c) = step.query.at(r, c);
      }
      full.forward(workspace);
      TestMatrix<float> last(1, model), one(1, model);
      for (int64_t c = 0; c < model; ++c) {
        last.at(0, c) = full.output.at(length - 1, c);
        one.at(0, c) = step.output.at(r, c);
      }
      CHECK(relative_difference(one, last) < 1e-5);
    }
  }
}

TEST_CASE("attention_step gives a hypothesis the same bits alone and among others", "[kernels]") {
  Workspace workspace(threads());
  StepCase<float> together(70);
  together.run(workspace);
  for (int64_t r = 0; r < together.kRows; ++r) {
    TestMatrix<float> output(1, 70);
    attention_step<float>(together.query.view().row_range(r, 1), together.keys, together.values,
                          std::span(together.slots).subspan(static_cast<size_t>(r * 13), 13), 13,
                          std::span(together.lengths).subspan(static_cast<size_t>(r), 1),
                          together.kHeads, AttentionScore::kScaledDot, output, workspace);
    CHECK(std::memcmp(output.view().data, together.output.view().row(r), 70 * sizeof(float)) == 0);
  }
}

}  // namespace
}  // namespace calque::kernels
