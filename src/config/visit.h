#pragma once

#include "config/visit_model.h"

namespace calque {

// Each key of a config once: `visit(field, member, kind)` for all of them, in the order in which
// they are written. Everything that knows the keys is such a visitor: reading, writing, help, and
// the comparison at resume. `Config` is RunConfig or const RunConfig.

template <class Policies, class Visitor>
void visit_data_lines(Policies& lines, Visitor& visit) {
  using enum AtResume;
  const OneOf<FaultPolicy> kind(kPoliciesOfLines);
  visit(Field{"data.invalid_utf8", "", kRefuse,
              "What to do with lines that are not UTF-8: put U+FFFD for each wrong byte, leave the "
              "pair out, or refuse to start."},
        lines.invalid_utf8, kind);
  visit(Field{"data.nul", "", kRefuse, "With zero bytes; replace: by spaces."}, lines.nul, kind);
  visit(Field{"data.control_character", "", kRefuse,
              "With other control characters but tabs; replace: by spaces."},
        lines.control_character, kind);
  visit(Field{"data.carriage_return", "", kRefuse,
              "With carriage returns; replace: by nothing at the end of a line, else by spaces."},
        lines.carriage_return, kind);
  visit(Field{"data.line_separator", "", kRefuse,
              "With U+0085, U+2028 or U+2029, which end lines to other programs; replace: by "
              "spaces."},
        lines.line_separator, kind);
  visit(Field{"data.byte_order_mark", "", kRefuse, "With U+FEFF; replace: by nothing."},
        lines.byte_order_mark, kind);
}

template <class Noise, class Visitor>
void visit_data_noise(Noise& noise, Visitor& visit) {
  using enum AtResume;
  using enum NoiseKind;
  constexpr const char* kLetters = "share of the letters";
  constexpr const char* kWords = "share of the words";
  constexpr Number kRate = Number::from_to(0, 1);
  visit(Field{"data.noise.probability", "probability", kRefuse,
              "Share of the training sentences whose source gets noise, drawn anew in each epoch. "
              "Without any rate below there is none."},
        noise.probability, kRate);
  const auto rate = [&](const char* key, const char* unit, NoiseKind kind, const char* help) {
    visit(Field{key, unit, kRefuse, help}, noise.rate(kind), kRate);
  };
  rate("data.noise.typos", kLetters, kTypos, "A letter has a typo: one of the next four, drawn.");
  rate("data.noise.swap", kLetters, kSwap, "A letter changes places with the next one.");
  rate("data.noise.drop", kLetters, kDrop, "A letter is missing.");
  rate("data.noise.insert", kLetters, kInsert,
       "The letter of a key beside it is put in behind it.");
  rate("data.noise.keyboard", kLetters, kKeyboard,
       "The letter of a key beside it stands in its place.");
  rate("data.noise.lower", kWords, kLower, "A word is in lower case.");
  rate("data.noise.upper", kWords, kUpper, "A word is in upper case.");
  rate("data.noise.random_case", kLetters, kRandomCase, "A letter is in the other case.");
  rate("data.noise.punctuation_drop", "share of the punctuation marks", kPunctuationDrop,
       "A punctuation mark is missing.");
  rate("data.noise.punctuation_insert", kWords, kPunctuationInsert,
       "A punctuation mark is put in behind a word.");
  rate("data.noise.word_drop", kWords, kWordDrop, "A word is missing.");
}

template <class Config, class Visitor>
void visit_data(Config& config, Visitor& visit) {
  using enum AtResume;
  auto& data = config.data;
  visit(Field{"data.train.source", "", kRefuse,
              "Text to learn from, in the language to translate from; plain or gzip. Needed."},
        data.train.source, PathList());
  visit(Field{"data.train.target", "", kRefuse, "Its translation, line by line. Needed."},
        data.train.target, PathList());
  visit(Field{"data.validation.source", "", kWarn,
              "Text that progress is measured on while training; [] for none."},
        data.validation.source, PathList());
  visit(Field{"data.validation.target", "", kWarn, "Its translation, line by line."},
        data.validation.target, PathList());
  visit(Field{"data.max_length", "tokens", kRefuse,
              "Longest sentence on either side, its end token included."},
        data.max_length, Integer(2, 65536));
  visit(Field{"data.too_long", "", kRefuse,
              "What to do with pairs longer than that: leave out, cut, or refuse to start."},
        data.too_long, OneOf<FaultPolicy>(kPoliciesOfTooLong));
  visit(Field{"data.empty", "", kHarmless, "What to do with pairs that have a side without text."},
        data.empty, OneOf<FaultPolicy>(kPoliciesOfEmpty));
  visit(Field{"data.max_length_ratio", "tokens per token", kRefuse,
              "Longer side over shorter side; a pair above this is hardly a translation."},
        data.max_length_ratio, Number::at_least(1));
  visit(Field{"data.length_ratio", "", kRefuse,
              "What to do with such pairs: only count them, leave out, or refuse to start."},
        data.length_ratio, OneOf<FaultPolicy>(kPoliciesOfPairs));
  visit(Field{"data.copy", "", kRefuse, "What to do with pairs whose sides are the same."},
        data.copy, OneOf<FaultPolicy>(kPoliciesOfPairs));
  visit_data_lines(data.lines, visit);
  visit_data_noise(data.noise, visit);
  visit(Field{"data.max_dropped", "share of the pairs", kHarmless,
              "Refuse to start when more than this would be left out."},
        data.max_dropped, Number::from_to(0, 1));
  visit(Field{"data.cache_memory", "MB", kHarmless,
              "Most memory for mapped pages of the tokenised text; what is beyond stays on disk."},
        data.cache_memory, kCount);
  visit(
      Field{"data.subword_sampling", "", kRefuse,
            "Cuts the words of the training text into pieces at random, anew for each epoch. With "
            "a bpe vocabulary: the probability that a merge is passed over, as 0.1; with a "
            "unigram one: the power of a cut's probability, as 0.3. 0: always the best cut."},
      data.subword_sampling, Number::from_to(0, 100));
  visit(Field{"data.bidirectional_epochs", "epochs", kRefuse,
              "In the first epochs, so many, source and target of half of the pairs, drawn anew in "
              "each, change places: the model learns both directions, then the wanted one (after "
              "Ding et al. 2021). A third of the training is usual. Needs a shared vocabulary. "
              "0: none."},
        data.bidirectional_epochs, kCountOrNone);
}

template <class Config, class Visitor>
void visit_vocabulary(Config& config, Visitor& visit) {
  using enum AtResume;
  auto& vocabulary = config.vocabulary;
  visit(Field{"vocabulary.type", "", kRefuse,
              "How pieces of words are found: unigram language model or byte pair encoding."},
        vocabulary.type, OneOf<VocabularyType>(kVocabularyTypes));
  visit(Field{"vocabulary.size", "pieces", kRefuse,
              "Size of the vocabulary, special pieces included; of each side when not shared."},
        vocabulary.size, Integer(4, 10'000'000));
  visit(Field{"vocabulary.shared", "", kRefuse, "One vocabulary for source and target."},
        vocabulary.shared, Boolean());
  visit(Field{"vocabulary.path", "", kRefuse,
              "SentencePiece model; trained when it does not exist. \"\": in the run folder."},
        vocabulary.path, Path());
  visit(Field{"vocabulary.normalization", "", kRefuse,
              "What is done to text first: Unicode NFKC and single spaces, or nothing."},
        vocabulary.normalization, OneOf<Normalization>(kNormalizations));
  visit(Field{"vocabulary.character_coverage", "share of the characters", kRefuse,
              "How much of the text gets pieces; the rarest characters beyond are unknown."},
        vocabulary.character_coverage, Number::above(0, 1));
  visit(Field{"vocabulary.max_sentences", "lines", kRefuse,
              "Train the vocabulary on at most so many, drawn at random."},
        vocabulary.max_sentences, kCount);
}

template <class Config, class Visitor>
void visit_train_course(Config& config, Visitor& visit) {
  using enum AtResume;
  auto& train = config.train;
  visit(Field{"train.max_steps", "updates", kHarmless, "Length of the training."}, train.max_steps,
        kCount);
  visit(
      Field{"train.max_minutes", "minutes", kHarmless,
            "Wall time of one call of `calque train`, its last validation and save included; 0: no "
            "limit."},
      train.max_minutes, Number::at_least(0));
  visit(Field{"train.batch_tokens", "tokens", kRefuse,
              "Most target tokens, and most source tokens, of a batch."},
        train.batch_tokens, Integer(2, 1'000'000'000));
  visit(Field{"train.micro_batch_tokens", "tokens", kRefuse,
              "About as many tokens a side are computed at a time: less memory, nearer caches."},
        train.micro_batch_tokens, Integer(1, 1'000'000'000));
  visit(Field{"train.accumulate", "batches", kRefuse, "Batches added up for one update."},
        train.accumulate, kCount);
  visit(Field{"train.precision", "", kWarn,
              "What linear layers multiply; bfloat16: rounded numbers, faster where the processor "
              "multiplies them itself. Weights, sums and all else stay float32."},
        train.precision, OneOf<kernels::Precision>(kPrecisions));
  visit(Field{"train.log_every", "updates", kHarmless, "Distance of progress lines."},
        train.log_every, kCount);
  visit(Field{"train.validate_every", "updates", kHarmless, "Distance of validations."},
        train.validate_every, kCount);
  visit(Field{"train.log_attention", "", kHarmless,
              "Validations also measure the entropy of each head and the sharpness of alignments, "
              "for metrics.jsonl."},
        train.log_attention, Boolean());
  visit(Field{"train.save_every", "updates", kHarmless, "Distance of checkpoints."},
        train.save_every, kCount);
  visit(Field{"train.save_every_minutes", "minutes", kHarmless,
              "Save also so long after the last save; the next save replaces it. 0: by updates "
              "alone."},
        train.save_every_minutes, Number::at_least(0));
  visit(Field{"train.keep_last", "checkpoints", kHarmless,
              "Checkpoints that are kept, beside the best one."},
        train.keep_last, kCount);
  visit(
      Field{"train.max_skipped", "updates", kWarn,
            "After so many in a row without finite loss and gradient, go back to a checkpoint and "
            "pass over the batches since; when that happens again, stop."},
      train.max_skipped, kCount);
}

template <class Config, class Visitor>
void visit_train_optimizer(Config& config, Visitor& visit) {
  using enum AtResume;
  auto& optimizer = config.train.optimizer;
  visit(Field{"train.learning_rate", "", kWarn,
              "The highest rate; of noam: the factor before the paper's formula."},
        optimizer.learning_rate, Number::above(0));
  visit(Field{"train.schedule", "", kWarn, "How the learning rate falls after the warm-up."},
        optimizer.schedule, OneOf<ScheduleKind>(kSchedules));
  visit(
      Field{"train.warmup_steps", "updates", kWarn, "The learning rate rises from 0 over so many."},
      optimizer.warmup_steps, kCountOrNone);
  visit(Field{"train.optimizer", "", kWarn,
              "Adam; adamw: with weight decay beside the gradient, not in it."},
        optimizer.kind, OneOf<OptimizerKind>(kOptimizers));
  visit(Field{"train.beta1", "", kWarn, "Adam's decay of the gradient's mean."}, optimizer.beta1,
        Number::below(0, 1));
  visit(Field{"train.beta2", "", kWarn, "Adam's decay of the squared gradient's mean."},
        optimizer.beta2, Number::below(0, 1));
  visit(Field{"train.epsilon", "", kWarn, "Adam's guard against division by zero."},
        optimizer.epsilon, Number::above(0));
  visit(Field{"train.weight_decay", "", kWarn, "Pull of the weights towards zero; 0: none."},
        optimizer.weight_decay, Number::at_least(0));
  visit(Field{"train.clip_norm", "", kWarn,
              "Bound of the gradient's norm over all weights; 0: none."},
        optimizer.clip_norm, Number::at_least(0));
}

template <class Config, class Visitor>
void visit_train_target(Config& config, Visitor& visit) {
  using enum AtResume;
  auto& train = config.train;
  visit(Field{"train.label_smoothing", "probability", kWarn,
              "Share of the target spread evenly over the vocabulary."},
        train.label_smoothing, Number::below(0, 1));
  visit(Field{"train.r_drop", "", kWarn,
              "R-Drop (Liang et al. 2021): every batch goes through the model twice, with other "
              "dropout, and both outputs are also to agree, with this weight; 1 to 5 is usual. 0: "
              "once."},
        train.r_drop, Number::from_to(0, 1000));
  visit(Field{"train.moving_average", "", kRefuse,
              "Decay per update of the weights' moving average, which then translates; 0: none."},
        train.moving_average, Number::below(0, 1));
  visit(Field{"train.initial_model", "", kRefuse,
              "Checkpoint or run folder whose weights to start from; \"\": random weights."},
        train.initial_model, Path());
  visit(Field{"train.teacher_steps", "updates", kRefuse,
              "For little text: before the training, a teacher learns both directions for so long "
              "and translates both sides of the text; the run starts from its weights and learns "
              "from these translations too (data diversification, Nguyen et al. 2020). Needs a "
              "shared vocabulary. 0: no teacher."},
        train.teacher_steps, kCountOrNone);
  visit(Field{"train.best_metric", "", kRefuse, "What makes a checkpoint the best, in validation."},
        train.best_metric, OneOf<BestMetric>(kBestMetrics));
  visit(Field{"train.patience", "validations", kHarmless,
              "Stop after so many without a new best; 0: never."},
        train.patience, kCountOrNone);
}

template <class Adversarial, class Visitor>
void visit_train_adversarial(Adversarial& adversarial, Visitor& visit) {
  using enum AtResume;
  visit(Field{"train.adversarial.weight", "", kWarn,
              "Weight of a second loss, on embeddings of both sides that are moved to where the "
              "first one grows fastest: twice the time for each update. 0: there is none."},
        adversarial.weight, Number::at_least(0));
  visit(Field{"train.adversarial.epsilon", "", kWarn,
              "How far: the length of what is added to all embeddings of a sentence."},
        adversarial.epsilon, Number::above(0));
}

template <class Config, class Visitor>
void visit_validation(Config& config, Visitor& visit) {
  using enum AtResume;
  auto& decode = config.validation.decode;
  visit(Field{"validation.beam", "hypotheses", kHarmless,
              "Width of the search while training; 1: greedy."},
        decode.beam, kBeam);
  visit(Field{"validation.length_penalty", "", kHarmless,
              "A hypothesis scores log-probability / length^this; 0: log-probability."},
        decode.length_penalty, kLengthPenalty);
  visit(Field{"validation.max_length_ratio", "target tokens per source token", kHarmless,
              "A translation ends after this times the source's length, plus 10."},
        decode.max_length_ratio, kMaxLengthRatio);
  visit(Field{"validation.max_length", "tokens", kHarmless,
              "Longest source and longest translation; what is longer is cut."},
        decode.max_length, Integer(2, 1'000'000));
  visit(Field{"validation.batch_tokens", "source tokens times beam", kHarmless,
              "Bound of what is translated together."},
        decode.batch_tokens, kCount);
  visit(Field{"validation.tokenize", "", kRefuse,
              "How BLEU finds words: 13a for ordinary text, intl the same with all of Unicode's "
              "punctuation, zh for Chinese, char for languages without spaces, none for text whose "
              "words are already set apart."},
        config.validation.tokenize, OneOf<WordTokenizer>(kWordTokenizers));
  visit(Field{"validation.samples", "sentences", kHarmless, "Translations shown each time."},
        config.validation.samples, kCountOrNone);
}

template <class Config, class Visitor>
void visit_fields(Config& config, Visitor&& visit) {
  visit(Field{"seed", "", AtResume::kRefuse, "Seed of all random numbers."}, config.seed,
        Integer(0));
  visit(Field{"threads", "threads", AtResume::kHarmless,
              "How many compute; they never change a result. 0: all that the process may use."},
        config.threads, Integer(0, kMostThreads));
  visit_data(config, visit);
  visit_vocabulary(config, visit);
  visit_model(config, visit);
  visit_train_course(config, visit);
  visit_train_optimizer(config, visit);
  visit_train_target(config, visit);
  visit_train_adversarial(config.train.adversarial, visit);
  visit_validation(config, visit);
}

}  // namespace calque
