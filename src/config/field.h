#pragma once

#include "config/run_config.h"
#include "config/value_kinds.h"

namespace calque {

/// What a key is called and what is said about it.
struct Field {
  const char* key;
  const char* unit;  // "" where there is none
  AtResume at_resume;
  const char* help;
};

inline constexpr Choice<FaultPolicy> kPoliciesOfEmpty[] = {{"skip", FaultPolicy::kSkip},
                                                           {"error", FaultPolicy::kError}};
inline constexpr Choice<FaultPolicy> kPoliciesOfTooLong[] = {{"skip", FaultPolicy::kSkip},
                                                             {"truncate", FaultPolicy::kTruncate},
                                                             {"error", FaultPolicy::kError}};
inline constexpr Choice<FaultPolicy> kPoliciesOfPairs[] = {
    {"keep", FaultPolicy::kKeep}, {"skip", FaultPolicy::kSkip}, {"error", FaultPolicy::kError}};
inline constexpr Choice<FaultPolicy> kPoliciesOfLines[] = {{"replace", FaultPolicy::kReplace},
                                                           {"skip", FaultPolicy::kSkip},
                                                           {"error", FaultPolicy::kError}};
inline constexpr Choice<VocabularyType> kVocabularyTypes[] = {{"unigram", VocabularyType::kUnigram},
                                                              {"bpe", VocabularyType::kBpe}};
inline constexpr Choice<Normalization> kNormalizations[] = {{"nmt_nfkc", Normalization::kNmtNfkc},
                                                            {"identity", Normalization::kIdentity}};
inline constexpr Choice<NormPlace> kNormPlaces[] = {
    {"pre", NormPlace::kPre}, {"post", NormPlace::kPost}, {"deep", NormPlace::kDeep}};
inline constexpr Choice<NormKind> kNormKinds[] = {{"layer", NormKind::kLayer},
                                                  {"rms", NormKind::kRms}};
inline constexpr Choice<kernels::Activation> kActivations[] = {
    {"relu", kernels::Activation::kRelu},   {"gelu", kernels::Activation::kGelu},
    {"swish", kernels::Activation::kSwish}, {"glu", kernels::Activation::kGlu},
    {"geglu", kernels::Activation::kGeglu}, {"swiglu", kernels::Activation::kSwiglu}};
inline constexpr Choice<Positions> kPositions[] = {{"sinusoidal", Positions::kSinusoidal},
                                                   {"learned", Positions::kLearned},
                                                   {"none", Positions::kNone},
                                                   {"rotary", Positions::kRotary},
                                                   {"alibi", Positions::kAlibi},
                                                   {"relative", Positions::kRelative}};
inline constexpr Choice<kernels::AttentionScore> kAttentionScores[] = {
    {"scaled_dot", kernels::AttentionScore::kScaledDot},
    {"dot", kernels::AttentionScore::kDot},
    {"general", kernels::AttentionScore::kGeneral},
    {"additive", kernels::AttentionScore::kAdditive}};
inline constexpr Choice<kernels::AttentionScope> kSelfAttentionScopes[] = {
    {"global", kernels::AttentionScope::kGlobal},
    {"local", kernels::AttentionScope::kLocal},
    {"strided", kernels::AttentionScope::kStrided}};
inline constexpr Choice<kernels::AttentionScope> kCrossAttentionScopes[] = {
    {"global", kernels::AttentionScope::kGlobal},
    {"monotonic", kernels::AttentionScope::kMonotonic},
    {"predictive", kernels::AttentionScope::kPredictive}};
inline constexpr Choice<kernels::AttentionNormalizer> kAttentionNormalizers[] = {
    {"softmax", kernels::AttentionNormalizer::kSoftmax},
    {"sparsemax", kernels::AttentionNormalizer::kSparsemax},
    {"entmax15", kernels::AttentionNormalizer::kEntmax15}};
inline constexpr Choice<kernels::AttentionSelection> kAttentionSelections[] = {
    {"soft", kernels::AttentionSelection::kSoft}, {"hard", kernels::AttentionSelection::kHard}};
inline constexpr Choice<kernels::SelectionEstimator> kSelectionEstimators[] = {
    {"straight_through", kernels::SelectionEstimator::kStraightThrough},
    {"reinforce", kernels::SelectionEstimator::kReinforce}};
inline constexpr Choice<Tying> kTyings[] = {
    {"none", Tying::kNone}, {"decoder", Tying::kDecoder}, {"all", Tying::kAll}};
inline constexpr Choice<ScheduleKind> kSchedules[] = {{"inverse_sqrt", ScheduleKind::kInverseSqrt},
                                                      {"noam", ScheduleKind::kNoam},
                                                      {"linear", ScheduleKind::kLinear},
                                                      {"cosine", ScheduleKind::kCosine},
                                                      {"constant", ScheduleKind::kConstant}};
inline constexpr Choice<OptimizerKind> kOptimizers[] = {{"adam", OptimizerKind::kAdam},
                                                        {"adamw", OptimizerKind::kAdamW}};
inline constexpr Choice<kernels::Precision> kPrecisions[] = {
    {"float32", kernels::Precision::kFloat32}, {"bfloat16", kernels::Precision::kBfloat16}};
inline constexpr Choice<BestMetric> kBestMetrics[] = {{"bleu", BestMetric::kBleu},
                                                      {"loss", BestMetric::kLoss}};
inline constexpr Choice<WordTokenizer> kWordTokenizers[] = {{"13a", WordTokenizer::k13a},
                                                            {"intl", WordTokenizer::kIntl},
                                                            {"zh", WordTokenizer::kZh},
                                                            {"char", WordTokenizer::kChar},
                                                            {"none", WordTokenizer::kNone}};

inline constexpr Number kDropout = Number::below(0, 1);
inline constexpr Integer kLayers(1, 1000);
inline constexpr Integer kWidth(1, 65536);
inline constexpr Integer kCount(1, 1'000'000'000);
inline constexpr Integer kCountOrNone(0, 1'000'000'000);
inline constexpr Integer kBeam(1, 1000);
inline constexpr Number kLengthPenalty = Number::from_to(0, 10);
inline constexpr Number kMaxLengthRatio = Number::above(0, 100);
inline constexpr int64_t kMostThreads = 4096;

}  // namespace calque
