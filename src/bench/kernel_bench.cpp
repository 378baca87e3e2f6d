#include "bench/kernel_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "bench/attention_bench.h"
#include "bench/measure.h"
#include "kernels/activation.h"
#include "kernels/adam.h"
#include "kernels/cross_entropy.h"
#include "kernels/embedding.h"
#include "kernels/layer_norm.h"
#include "kernels/reduce.h"
#include "kernels/rms_norm.h"
#include "kernels/work.h"

namespace calque::bench {
namespace {

using kernels::Dropout;
namespace work = kernels::work;

constexpr double kBudget = 0.2;
constexpr RandomKey kKey{1, 0, streams::kBenchmark};

/// `count` ids below `vocab`.
std::vector<int32_t> random_ids(int64_t count, int64_t vocab) {
  std::vector<int32_t> ids(static_cast<size_t>(count));
  uint64_t index = 0;
  for (int32_t& id : ids) {
    id = static_cast<int32_t>(random_u64(kKey, index++) % static_cast<uint64_t>(vocab));
  }
  return ids;
}

/// Sentences of 8 to 40 tokens, `tokens` in all.
SequenceLayoutBuffer make_layout(int64_t tokens) {
  SequenceLayoutBuffer layout;
  for (int64_t left = tokens, i = 0; left > 0; ++i) {
    const auto length = std::min<int64_t>(
        left, 8 + static_cast<int64_t>(random_u64(kKey, static_cast<uint64_t>(i)) % 33));
    layout.append(length);
    left -= length;
  }
  return layout;
}

class KernelBench {
 public:
  KernelBench(const TransformerOptions& options, int64_t vocab, int64_t tokens)
      : options_(options), vocab_(vocab), tokens_(tokens), workspace_(threads()) {}

  std::vector<KernelResult> run() {
    attention(/*causal=*/false);
    attention(/*causal=*/true);
    norm();
    residual();
    activation();
    cross_entropy();
    embedding();
    adam();
    return std::move(results_);
  }

 private:
  const TransformerOptions& options_;
  int64_t vocab_;
  int64_t tokens_;
  Workspace workspace_;
  std::vector<KernelResult> results_;

  template <class Body>
  void measure(const std::string& name, const std::string& size, const profile::Work& done,
               const Body& body) {
    results_.push_back({name, size, fastest_seconds(kBudget, body), done});
  }

  static std::string size(int64_t rows, int64_t cols) { return fmt::format("{} x {}", rows, cols); }

  void attention(bool causal) {
    const int64_t model = options_.model;
    const SequenceLayoutBuffer layout = make_layout(tokens_);
    const kernels::AttentionShape shape{
        layout.view(), layout.view(), options_.heads, causal, {options_.attention_dropout, kKey}};
    const AttentionRun run(shape, model);
    const std::string name = causal ? "causal attention" : "attention";
    const std::string heads = fmt::format("{}, {} heads", size(tokens_, model), options_.heads);
    measure(name, heads, run.forward_work(), [&] { run.forward(workspace_); });
    measure(name + " backward", heads, run.backward_work(), [&] { run.backward(workspace_); });
  }

  void norm() {
    const int64_t model = options_.model;
    const RandomMatrix x(tokens_, model);
    const RandomMatrix y(tokens_, model);
    const RandomMatrix dx(tokens_, model);
    const RandomMatrix gain(4, model);  // gain, bias and their gradients
    const RandomMatrix statistics(2, tokens_);
    constexpr double kEpsilon = 1e-5;
    const auto row = [](const RandomMatrix& of, int64_t r) { return of.view().row(r); };
    if (options_.norm_kind == NormKind::kRms) {
      measure("rms norm", size(tokens_, model), work::pass<float>(tokens_, model, 2), [&] {
        kernels::rms_norm_forward<float>(x.view(), row(gain, 0), kEpsilon, y.view(),
                                         row(statistics, 0));
      });
      measure("rms norm backward", size(tokens_, model), work::pass<float>(tokens_, model, 3), [&] {
        kernels::rms_norm_backward<float>(y.view(), x.view(), row(gain, 0), row(statistics, 0),
                                          dx.view(), false, row(gain, 2), false, workspace_);
      });
      return;
    }
    measure("layer norm", size(tokens_, model), work::pass<float>(tokens_, model, 2), [&] {
      kernels::layer_norm_forward<float>(x.view(), row(gain, 0), row(gain, 1), kEpsilon, y.view(),
                                         row(statistics, 0), row(statistics, 1));
    });
    measure("layer norm backward", size(tokens_, model), work::pass<float>(tokens_, model, 3), [&] {
      kernels::layer_norm_backward<float>(y.view(), x.view(), row(gain, 0), row(statistics, 0),
                                          row(statistics, 1), dx.view(), false, row(gain, 2), false,
                                          row(gain, 3), false, workspace_);
    });
  }

  void residual() {
    const int64_t model = options_.model;
    const Dropout dropout{options_.residual_dropout, kKey};
    const Dropout masks{0.1, kKey};
    const RandomMatrix x(tokens_, model);
    const RandomMatrix f(tokens_, model);
    const RandomMatrix y(tokens_, model);
    measure("dropout masks", size(tokens_, model), work::pass<float>(tokens_, model, 1), [&] {
      parallel_rows(tokens_, model, [&](int64_t begin, int64_t end, int) {
        for (int64_t r = begin; r < end; ++r) {
          kernels::dropout_factors<float>(masks, static_cast<uint32_t>(r), 0, model,
                                          y.view().row(r));
        }
      });
    });
    measure("residual, dropout", size(tokens_, model), work::pass<float>(tokens_, model, 3),
            [&] { kernels::add_dropout<float>(x.view(), f.view(), dropout, y.view()); });
    measure("residual, dropout backward", size(tokens_, model),
            work::pass<float>(tokens_, model, 2),
            [&] { kernels::apply_dropout<float>(x.view(), dropout, y.view(), false); });
  }

  void activation() {
    const int64_t hidden = options_.hidden;
    const Dropout dropout{options_.activation_dropout, kKey};
    const kernels::Activation kind = options_.activation;
    const int64_t inputs = kernels::activation_inputs(kind) * hidden;
    const RandomMatrix u(tokens_, inputs);
    const RandomMatrix y(tokens_, hidden);
    const RandomMatrix du(tokens_, inputs);
    measure("activation", size(tokens_, hidden),
            work::activation_forward<float>(kind, tokens_, hidden),
            [&] { kernels::activation_forward<float>(kind, u.view(), dropout, y.view()); });
    measure("activation backward", size(tokens_, hidden),
            work::activation_backward<float>(kind, tokens_, hidden), [&] {
              kernels::activation_backward<float>(kind, u.view(), dropout, y.view(), du.view(),
                                                  false);
            });
  }

  void cross_entropy() {
    const int64_t model = options_.model;
    const RandomMatrix x(tokens_, model);
    const RandomMatrix weight(vocab_, model);
    const RandomMatrix dx(tokens_, model);
    const RandomMatrix dweight(vocab_, model);
    const std::vector<int32_t> targets = random_ids(tokens_, vocab_);
    const profile::Work done =
        work::projection_cross_entropy<float>(tokens_, vocab_, model, /*with_gradient=*/true);
    measure("projection, cross entropy", size(tokens_, vocab_), done, [&] {
      kernels::projection_cross_entropy<float>(x.view(), weight.view(), targets, {}, 0.1, dx.view(),
                                               false, dweight.view(), false, {}, nullptr,
                                               workspace_);
    });
  }

  void embedding() {
    const int64_t model = options_.model;
    const Dropout dropout{options_.embedding_dropout, kKey};
    const RandomMatrix weight(vocab_, model);
    const RandomMatrix positions(64, model);
    const RandomMatrix y(tokens_, model);
    const std::vector<int32_t> ids = random_ids(tokens_, vocab_);
    const std::vector<int32_t> places = random_ids(tokens_, 64);
    const auto scale = static_cast<float>(std::sqrt(static_cast<double>(model)));
    measure("embedding", size(tokens_, model), work::pass<float>(tokens_, model, 2), [&] {
      kernels::embedding_forward<float>(weight.view(), ids, scale, positions.view(), places,
                                        dropout, y.view());
    });
    // Added to a table that is there, as after the output projection that shares it.
    measure("embedding backward", size(tokens_, model), work::pass<float>(tokens_, model, 3), [&] {
      kernels::embedding_backward<float>(y.view(), ids, 1e-6f, dropout, weight.view(), true);
    });
  }

  void adam() {
    const int64_t model = options_.model;
    const int64_t rows = 16 * 1024 * 1024 / model;  // about 16 million weights, beyond the caches
    const RandomMatrix gradients(rows, model);
    const RandomMatrix values(rows, model);
    const RandomMatrix first(rows, model);
    const RandomMatrix second(rows, model);
    for (float& value : second.values()) value *= value;  // a mean of squares is not negative
    kernels::AdamStep step;
    step.step = 1000;
    volatile double norm = 0;  // keeps the sum from being left out
    measure("gradient norm", size(rows, model), work::pass<float>(rows, model, 1),
            [&] { norm = kernels::sum_of_squares<float>(gradients.values()); });
    measure("adam", size(rows, model), work::pass<float>(rows, model, 7), [&] {
      kernels::adam_update<float>(step, gradients.values(), values.values(), first.values(),
                                  second.values());
    });
  }
};

}  // namespace

std::vector<KernelResult> bench_kernels(const TransformerOptions& options, int64_t target_vocab,
                                        int64_t tokens) {
  return KernelBench(options, target_vocab, tokens).run();
}

}  // namespace calque::bench
