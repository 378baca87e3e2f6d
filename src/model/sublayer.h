#pragma once

#include "autograd/ops/add_dropout.h"
#include "autograd/ops/scale.h"
#include "model/deep_norm.h"
#include "model/options.h"
#include "nn/norm.h"

namespace calque {

/// The frame around each sub-layer f (attention or feed-forward): residual connection, dropout, and
/// the norm at its place.
///   pre:  x + dropout(f(norm(x)))      post:  norm(x + dropout(f(x)))
///   deep: norm(alpha x + dropout(f(x)))
class Sublayer {
 public:
  /// `norm_scope`: where the norm's parameters are declared.
  Sublayer(const Scope& norm_scope, const TransformerOptions& options, const DeepNorm& deep)
      : norm_(norm_scope, options.norm_kind, options.model),
        place_(options.norm),
        alpha_(deep.alpha),
        dropout_(options.residual_dropout),
        dropout_stream_(norm_scope.dropout_stream()) {}

  /// x: [tokens, model]; f: Var (const Var&), both of that shape.
  template <class Function>
  Var forward(Context& context, const Var& x, const Function& f) const {
    const kernels::Dropout dropout = context.dropout(dropout_, dropout_stream_);
    if (place_ == NormPlace::kPre) {
      return ops::add_dropout(context, x, f(norm_.forward(context, x)), dropout);
    }
    const Var kept = place_ == NormPlace::kDeep ? ops::scale(context, x, alpha_) : x;
    return norm_.forward(context, ops::add_dropout(context, kept, f(x), dropout));
  }

 private:
  Norm norm_;
  NormPlace place_;
  double alpha_;
  double dropout_;
  uint32_t dropout_stream_;
};

}  // namespace calque
