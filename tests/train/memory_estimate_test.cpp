#include "train/memory_estimate.h"

#include "base/file.h"
#include "support/catch.h"
#include "support/tiny_trainer.h"

using namespace calque;
using calque::test::TinyCorpus;
using calque::test::TinyTrainer;

TEST_CASE("the memory estimate is near what updates use", "[train]") {
  const TinyCorpus corpus;
  for (const std::string kind :
       {"model.norm=pre", "model.norm=post", "model.norm=deep", "model.norm_kind=rms",
        "model.activation=gelu", "model.activation=swiglu", "model.positions=rotary",
        "model.positions=relative", "model.decoder.cross_attention.key_value_heads=1",
        "train.r_drop=1"}) {
    TinyTrainer tiny(corpus, {"train.batch_tokens=1024", "model.size=64", "model.hidden=192",
                              "model.encoder.layers=3", "model.decoder.layers=2", kind});
    for (int i = 0; i < 4; ++i) tiny.trainer.update();
    const MemoryEstimate estimate =
        estimate_memory(tiny.config.model, tiny.config.train, tiny.model.parameters().count(),
                        tiny.model.target_vocab(), tiny.pairs);
    INFO(kind << ": " << estimate.to_string());
    const auto activations = static_cast<double>(tiny.trainer.learner().activation_bytes());
    CHECK(estimate.activations == Approx(activations).epsilon(0.3));
    const auto gradients = static_cast<double>(tiny.trainer.learner().gradient_bytes());
    CHECK(estimate.gradients == Approx(gradients).epsilon(0.5));
    const auto count = static_cast<double>(tiny.model.parameters().count());
    CHECK(estimate.parameters == 2 * count * sizeof(Real));
    CHECK(estimate.optimizer == 2 * count * sizeof(Real));
    CHECK(estimate.total() > activations + gradients + 4 * count * sizeof(Real));
  }
}

TEST_CASE("the estimate of decoding is near what validation uses", "[train]") {
  const TinyCorpus corpus;
  for (const std::string beam : {"1", "4"}) {
    TinyTrainer tiny(corpus, {"model.size=64", "model.hidden=192", "model.encoder.layers=2",
                              "model.decoder.layers=3", "validation.beam=" + beam,
                              "validation.batch_tokens=512"});
    Validator validator(tiny.model, tiny.tokenizers, tiny.pairs, tiny.config.data.train,
                        tiny.config.validation, tiny.config.train);
    Arena arena;
    Workspace workspace(1);
    kernels::PreparedWeights<Real> weights;
    bool decoding = false;
    size_t before = 0;
    REQUIRE(validator.validate(arena, workspace, weights, [&] {
      if (!decoding) before = arena.peak();
      decoding = true;
      return false;
    }));
    Arena alone;
    Translator translator(tiny.model, tiny.tokenizers, tiny.config.validation.decode, alone,
                          workspace);
    translator.translate(calque::read_lines(tiny.config.data.train.source[0]));
    const double estimate = estimate_decoding(tiny.config.model, tiny.config.validation.decode,
                                              tiny.model.target_vocab(), tiny.pairs);
    INFO("beam " << beam << ": " << alone.peak());
    CHECK(before == 0);
    CHECK(estimate > 0.7 * static_cast<double>(alone.peak()));
    CHECK(estimate < 2 * static_cast<double>(alone.peak()));
  }
}
