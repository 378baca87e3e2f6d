#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace calque {

/// A number that a score is made of.
struct Figure {
  std::string name;
  double value;
};

/// A metric of translations against references. A sentence is counted in a few numbers; the sums of
/// these over a corpus give its score. So the parts of a corpus may be counted anywhere and in any
/// order, and a resampled corpus costs a sum. Every score is the one that sacreBLEU (Post 2018)
/// gives for the same settings, digit for digit.
class Metric {
 public:
  virtual ~Metric() = default;

  /// "BLEU", "chrF2", "chrF2++", "TER".
  virtual std::string name() const = 0;
  /// The metric's own part of a signature: "case:mixed|eff:no|tok:13a|smooth:exp".
  virtual std::string settings() const = 0;
  virtual bool higher_is_better() const = 0;

  /// Numbers that a sentence is counted in.
  virtual size_t size() const = 0;
  /// Counts a sentence into `counts`, [size()]. `references`: its translations by different people,
  /// at least one.
  virtual void count(std::string_view hypothesis, std::span<const std::string> references,
                     std::span<double> counts) const = 0;
  /// The score, 0 ... 100 (TER: 0 ...), of sums of counts, [size()].
  virtual double score(std::span<const double> sums) const = 0;
  /// What is printed behind the score: BLEU's precisions and lengths. Empty for others.
  virtual std::string details(std::span<const double> sums) const;
  /// The same as numbers: BLEU's "precision_1", "brevity_penalty", ...; TER's "edits" and
  /// "reference_length"; chrF has none.
  virtual std::vector<Figure> figures(std::span<const double> sums) const;
};

/// A corpus' sentences, each counted by one metric.
class CorpusCounts {
 public:
  /// Keeps a reference to `metric`.
  explicit CorpusCounts(const Metric& metric) : metric_(&metric) {}

  const Metric& metric() const { return *metric_; }
  /// Counts one more sentence. Throws InternalError when there is no reference.
  void add(std::string_view hypothesis, std::span<const std::string> references);
  void add(std::string_view hypothesis, const std::string& reference) {
    add(hypothesis, std::span<const std::string>(&reference, 1));
  }

  int64_t sentences() const;
  std::span<const double> sentence(int64_t i) const;
  /// Over all sentences, [metric().size()].
  std::vector<double> sums() const;
  double score() const { return metric_->score(sums()); }

 private:
  const Metric* metric_;
  std::vector<double> counts_;  // [sentences, metric().size()]
};

/// How a score was made, besides the metric's settings.
struct SignatureFields {
  std::string version;  // printed as given
  int references = 1;   // of each sentence
  /// Samples and seed of a bootstrap, where one was made.
  std::optional<int64_t> bootstrap_samples{};
  std::optional<uint64_t> bootstrap_seed{};
};

/// The settings behind a score, in sacreBLEU's form, so that others can compare theirs:
/// "BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:calque-1.0".
std::string signature(const Metric& metric, const SignatureFields& fields);

/// The mean of a bootstrap's scores, and half the width of the interval that holds 95 % of them.
struct Confidence {
  double mean = 0;
  double half_width = 0;
};

/// "34.12", or with a confidence "61.08 (μ = 61.10 ± 0.57)".
std::string format_value(double score, const std::optional<Confidence>& confidence);

/// The score in one line, in sacreBLEU's form, to two decimals:
/// "BLEU = 34.12 68.1/41.9/27.5/18.3 (BP = 1.000 ratio = 1.003 hyp_len = 12000 ref_len = 11964)",
/// or with a confidence "chrF2 = 61.08 (μ = 61.10 ± 0.57)".
std::string format_score(const Metric& metric, std::span<const double> sums,
                         const std::optional<Confidence>& confidence = {});

}  // namespace calque
