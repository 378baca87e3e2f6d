#include "analysis/rollout.h"

namespace calque {
namespace {

struct Matrix {
  int64_t rows;
  int64_t cols;
  std::vector<double> values;

  Matrix(int64_t r, int64_t c) : rows(r), cols(c), values(static_cast<size_t>(r * c)) {}
  double& at(int64_t r, int64_t c) { return values[static_cast<size_t>(r * cols + c)]; }
  double at(int64_t r, int64_t c) const { return values[static_cast<size_t>(r * cols + c)]; }
};

Matrix identity(int64_t size) {
  Matrix result(size, size);
  for (int64_t i = 0; i < size; ++i) result.at(i, i) = 1;
  return result;
}

Matrix scale_rows(Matrix m) {
  for (int64_t r = 0; r < m.rows; ++r) {
    double sum = 0;
    for (int64_t c = 0; c < m.cols; ++c) sum += m.at(r, c);
    for (int64_t c = 0; c < m.cols && sum > 0; ++c) m.at(r, c) /= sum;
  }
  return m;
}

/// The mean of a layer's heads, its rows scaled.
Matrix mean_of_heads(const TappedAttention& attention, AttentionPlace place, int64_t layer,
                     int64_t sentence) {
  const AttentionMap first = attention.map(place, layer, 0, sentence);
  Matrix mean(first.queries(), first.keys());
  for (int64_t head = 0; head < attention.heads(); ++head) {
    const AttentionMap map = attention.map(place, layer, head, sentence);
    for (int64_t r = 0; r < mean.rows; ++r) {
      for (int64_t c = 0; c < mean.cols; ++c) mean.at(r, c) += map.weight(r, c);
    }
  }
  return scale_rows(std::move(mean));
}

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix result(a.rows, b.cols);
  for (int64_t r = 0; r < a.rows; ++r) {
    for (int64_t k = 0; k < a.cols; ++k) {
      const double factor = a.at(r, k);
      for (int64_t c = 0; c < b.cols; ++c) result.at(r, c) += factor * b.at(k, c);
    }
  }
  return result;
}

/// (a + b) / 2.
Matrix mean(Matrix a, const Matrix& b) {
  for (size_t i = 0; i < a.values.size(); ++i) a.values[i] = (a.values[i] + b.values[i]) / 2;
  return a;
}

}  // namespace

Rollout roll_out(const TappedAttention& attention, int64_t sentence) {
  using enum AttentionPlace;
  Rollout rollout;
  const auto keep = [&](AttentionPlace place, Matrix m) {
    rollout.layers[static_cast<size_t>(place)].push_back(std::move(m.values));
  };
  const auto mixed = [&](AttentionPlace place, int64_t layer) {
    Matrix weights = mean_of_heads(attention, place, layer, sentence);
    const Matrix residual = identity(weights.rows);
    return mean(std::move(weights), residual);
  };
  Matrix encoder = identity(attention.map(kEncoderSelf, 0, 0, sentence).queries());
  for (int64_t layer = 0; layer < attention.layers(kEncoderSelf); ++layer) {
    encoder = product(mixed(kEncoderSelf, layer), encoder);
    keep(kEncoderSelf, encoder);
  }
  Matrix target = identity(attention.map(kDecoderSelf, 0, 0, sentence).queries());
  Matrix source(target.rows, encoder.cols);
  for (int64_t layer = 0; layer < attention.layers(kDecoderSelf); ++layer) {
    const Matrix self = mixed(kDecoderSelf, layer);
    const Matrix cross = mean_of_heads(attention, kDecoderCross, layer, sentence);
    target = product(self, target);
    source = mean(product(self, source), product(cross, encoder));
    keep(kDecoderSelf, target);
    keep(kDecoderCross, scale_rows(source));
  }
  return rollout;
}

}  // namespace calque
