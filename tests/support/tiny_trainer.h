#pragma once

#include <string>
#include <vector>

#include "config/run_config.h"
#include "support/threads_scope.h"
#include "support/tiny_corpus.h"
#include "train/trainer.h"

namespace calque::test {

/// A Trainer over a tiny corpus, with some values of its config replaced.
struct TinyTrainer {
  static inline int runs = 0;
  ThreadsScope with_threads;
  RunConfig config;
  RunFolder folder;
  TokenizerPair tokenizers;
  ParallelCorpus pairs;
  Variation variation;
  Transformer model;
  Trainer trainer;

  /// One thread by default: some tests look at the scratch memory of one worker.
  TinyTrainer(const TinyCorpus& corpus, const std::vector<std::string>& values, int threads = 1)
      : with_threads(threads),
        config(load_config(corpus.config(), values)),
        folder(corpus / ("run-" + std::to_string(++runs))),  // a folder serves one at a time
        tokenizers(load_or_train_vocabulary(config.vocabulary, folder.path(),
                                            config.data.train.source, config.data.train.target,
                                            config.seed)),
        pairs("train", config.data.train, config.data, tokenizers, folder.cache_folder()),
        variation(config.data, tokenizers),
        model(config.model, tokenizers.source().size(), tokenizers.target().size(),
              /*inference=*/false),
        trainer(config.train, parts()) {}

  TrainerParts parts() {
    const Variation* const wanted = variation.is_wanted() ? &variation : nullptr;
    return {initialized(), pairs, nullptr, folder, config.seed, {}, {}, wanted};
  }

  Transformer& initialized() {
    model.parameters().initialize(config.seed);
    return model;
  }
};

/// The largest budget that cuts a corpus into `count` batches.
inline int64_t budget_for(const ParallelCorpus& pairs, size_t count) {
  int64_t budget = pairs.source_pieces() + pairs.target_pieces() + 2 * pairs.size();
  while (make_batches(pairs, budget).size() < count) --budget;
  return budget;
}

}  // namespace calque::test
