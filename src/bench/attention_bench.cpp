#include "bench/attention_bench.h"

#include "base/parallel.h"
#include "kernels/work.h"

namespace calque::bench {
namespace {

constexpr double kBudget = 0.2;

}  // namespace

AttentionRun::AttentionRun(const kernels::AttentionShape& shape, int64_t model)
    : shape_(shape),
      model_(model),
      input_(shape.queries.tokens, 3 * model),
      gradient_(shape.queries.tokens, 3 * model),
      output_(shape.queries.tokens, model),
      doutput_(shape.queries.tokens, model),
      log_sums_(shape.queries.tokens, shape.heads) {}

MatrixView<float> AttentionRun::part(const RandomMatrix& of, int64_t index) const {
  return of.view().column_range(index * model_, model_);
}

void AttentionRun::forward(Workspace& workspace) const {
  kernels::attention_forward<float>(shape_, part(input_, 0), part(input_, 1), part(input_, 2),
                                    output_.view(), log_sums_.data(), nullptr, workspace);
}

void AttentionRun::backward(Workspace& workspace) const {
  kernels::attention_backward<float>(shape_, part(input_, 0), part(input_, 1), part(input_, 2),
                                     output_.view(), log_sums_.data(), doutput_.view(),
                                     part(gradient_, 0), false, part(gradient_, 1), false,
                                     part(gradient_, 2), false, workspace);
}

profile::Work AttentionRun::forward_work() const {
  return kernels::work::attention_forward<float>(shape_, model_, model_);
}

profile::Work AttentionRun::backward_work() const {
  return kernels::work::attention_backward<float>(shape_, model_, model_);
}

std::vector<SentenceAttention> bench_sentence_attention(int64_t model, int64_t heads,
                                                        int64_t longest) {
  std::vector<SentenceAttention> results;
  for (const int64_t tokens : {64, 256, 1024, 4096, 8192}) {
    if (tokens > longest) break;
    SequenceLayoutBuffer layout;
    layout.append(tokens);
    const kernels::AttentionShape shape{
        layout.view(), layout.view(), heads, false, {0.1, {1, 0, streams::kBenchmark}}};
    const AttentionRun run(shape, model);
    Workspace workspace(threads());
    SentenceAttention result;
    result.tokens = tokens;
    result.forward_seconds = fastest_seconds(kBudget, [&] { run.forward(workspace); });
    result.backward_seconds = fastest_seconds(kBudget, [&] { run.backward(workspace); });
    result.forward = run.forward_work();
    result.backward = run.backward_work();
    result.scratch = workspace.peak();
    result.kept = static_cast<size_t>(tokens * heads) * sizeof(float);
    results.push_back(result);
  }
  return results;
}

}  // namespace calque::bench
