#include "data/corpus.h"

#include <bit>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/stop_signal.h"
#include "base/stopwatch.h"
#include "data/pair_block.h"
#include "data/pair_checks.h"
#include "text/text_files.h"

namespace calque {
namespace {

/// Changes with the layout of the cache and with what the first pass does to a sentence.
constexpr uint64_t kFormatVersion = 2;

uint64_t hash_values(const std::vector<uint64_t>& values) {
  return hash_bytes(std::as_bytes(std::span(values)));
}

FileRecord record_with_progress(const std::string& file) {
  constexpr int kShift = 20;
  std::error_code unknown;  // also a pipe may be read: then without a total
  const uintmax_t bytes = std::filesystem::file_size(file, unknown);
  Progress progress("checking " + file, unknown ? 0 : static_cast<int64_t>(bytes >> kShift), "MB");
  return record_file(file, [&](int64_t read) { progress.update_or_stop(read >> kShift); });
}

FileRecords record_files(const ParallelFiles& files) {
  FileRecords records;
  for (const auto* side : {&files.source, &files.target}) {
    for (const std::string& file : *side) {
      if (!records.contains(file)) records[file] = record_with_progress(file);
    }
  }
  return records;
}

uint64_t hash_inputs(const ParallelFiles& files, const FileRecords& records,
                     const DataOptions& options, const TokenizerPair& tokenizers) {
  std::vector<uint64_t> values = {kFormatVersion, static_cast<uint64_t>(options.max_length),
                                  std::bit_cast<uint64_t>(options.max_length_ratio),
                                  hash_bytes(tokenizers.source().serialized()),
                                  hash_bytes(tokenizers.target().serialized())};
  // Whether a pair that cannot be used is left out or refused makes no other cache.
  const DataOptions treatment = options.without_errors();
  for (size_t i = 0; i < kFaults; ++i) {
    values.push_back(static_cast<uint64_t>(treatment.policy(fault(i))));
  }
  for (const auto* side : {&files.source, &files.target}) {
    values.push_back(side->size());
    for (const std::string& file : *side) values.push_back(records.at(file).hash);
  }
  return hash_values(values);
}

void check_given(const std::string& name, const char* side, const std::vector<std::string>& files) {
  if (files.empty()) {
    throw UserError(
        fmt::format("data.{}.{} should name at least one file but is empty", name, side));
  }
}

/// `files`, when both sides are given.
const ParallelFiles& checked(const std::string& name, const ParallelFiles& files) {
  check_given(name, "source", files.source);
  check_given(name, "target", files.target);
  return files;
}

/// Reads the pairs again that a pass which was broken off has judged.
void pass_over(PairReader& reader, PairChecks& checks) {
  const int64_t pairs = checks.report().read;
  Progress progress("passing over what is tokenised", pairs, "pairs");
  TextPair pair;
  for (int64_t i = 0; i < pairs && reader.next(pair); ++i) {
    if (i % kLinesPerUpdate == 0) progress.update_or_stop(i);
    checks.pass_over(pair);
  }
}

/// The first pass over a corpus, from where the writer stands.
void make_cache(const std::string& name, const ParallelFiles& files, const DataOptions& options,
                const TokenizerPair& tokenizers, TokenCacheWriter& writer) {
  constexpr double kSecondsPerSave = 30;
  const TextSurvey survey = survey_text(files.source, options.lines);
  check_equal_lines(files.source, survey.lines, files.target,
                    survey_text(files.target, options.lines).lines);
  PairReader reader(files, options.lines);
  PairChecks checks(options, DropReport::kExamples, writer.saved());
  const int64_t begun = checks.report().read;
  if (begun > 0) log::info("{}: going on behind pair {}", name, format_count(begun));
  pass_over(reader, checks);
  Progress progress("tokenising " + name, survey.all_lines, "pairs", begun);
  Stopwatch since_save;
  for (PairBlock block; block.read(reader); progress.update(checks.report().read)) {
    block.tokenize(tokenizers);
    for (TextPair& pair : block.pairs()) {
      if (checks.keep(pair)) writer.add(checks.report().read, pair.source, pair.target);
    }
    if (stop_requested() || since_save.seconds() >= kSecondsPerSave) {
      writer.save(checks.report());
      if (stop_requested()) {
        log::info("{}: {} of {} pairs are tokenised and saved", name,
                  format_count(checks.report().read), format_count(survey.all_lines));
      }
      throw_if_stopped();
      since_save.restart();
    }
  }
  progress.finish();
  writer.finish(checks.finish());
}

TokenCache open_cache(const std::string& name, const ParallelFiles& files, uint64_t fingerprint,
                      const DataOptions& options, const TokenizerPair& tokenizers,
                      const std::filesystem::path& folder, const std::filesystem::path& borrowed) {
  const std::filesystem::path stem = folder / name;
  const int64_t source_vocab = tokenizers.source().size();
  const int64_t target_vocab = tokenizers.target().size();
  const int64_t most_resident = options.cache_memory << 20;
  if (!borrowed.empty()) {
    try {
      return TokenCache(borrowed / name, fingerprint, source_vocab, target_vocab, most_resident);
    } catch (const BadCache&) {  // made below, where it may be written
    }
  }
  try {
    return TokenCache(stem, fingerprint, source_vocab, target_vocab, most_resident);
  } catch (const BadCache& why) {
    log::info("{}: making the token cache {}: {}", name, stem.string(), why.what());
  }
  TokenCacheWriter writer(stem, fingerprint, source_vocab, target_vocab);
  make_cache(name, files, options, tokenizers, writer);
  try {
    return TokenCache(stem, fingerprint, source_vocab, target_vocab, most_resident);
  } catch (const BadCache& why) {
    throw UserError(
        fmt::format("the token cache {} was just written but cannot be used: {}; is "
                    "the disk sound, and does nothing else write there?",
                    stem.string(), why.what()));
  }
}

}  // namespace

ParallelCorpus::ParallelCorpus(std::string name, const ParallelFiles& files,
                               const DataOptions& options, const TokenizerPair& tokenizers,
                               const std::filesystem::path& cache_folder,
                               const std::filesystem::path& borrowed)
    : name_(std::move(name)),
      files_(record_files(checked(name_, files))),
      cache_(open_cache(name_, files, hash_inputs(files, files_, options, tokenizers), options,
                        tokenizers, cache_folder, borrowed)),
      summary_(drop_report().summary(options)) {
  const std::vector<std::string> refusals = drop_report().refusals(name_, options);
  if (!refusals.empty()) throw UserError(refusals.front());
  for (const std::string& line : drop_report().lines(name_, options)) log::info("{}", line);
}

ParallelCorpus::ParallelCorpus(std::string name, TokenCache cache)
    : name_(std::move(name)), cache_(std::move(cache)), summary_(drop_report().summary({})) {}

void ParallelCorpus::append_source(int64_t pair, std::vector<int32_t>& ids) const {
  cache_.append_source(pair, ids);
}

void ParallelCorpus::append_target(int64_t pair, std::vector<int32_t>& ids) const {
  cache_.append_target(pair, ids);
}

}  // namespace calque
