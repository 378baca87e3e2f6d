#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_folder.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/run_checkpoints.h"
#include "checkpoint/save.h"

namespace calque::test {

/// The message of the UserError that `action` throws; empty when it throws none.
template <class Action>
std::string user_error(const Action& action) {
  try {
    action();
  } catch (const UserError& error) {
    return error.what();
  }
  return {};
}

/// Three parameters, and everything that a training run keeps of them.
struct SmallRun {
  ParameterStore store;
  std::vector<Real> first_moments;
  std::vector<Real> second_moments;
  std::vector<Real> weights;
  CheckpointState state;

  explicit SmallRun(float offset = 0) {
    store.declare("encoder.weight", {3, 4}, Init::kZeros);
    store.declare("encoder.bias", {3}, Init::kZeros);
    store.declare("decoder.weight", {2, 5}, Init::kZeros);
    store.allocate(/*inference=*/true);
    float next = offset;
    for (Real& value : store.values()) value = next += 0.25F;
    const auto block = [&] {
      std::vector<Real> values(store.values().size());
      for (Real& value : values) value = next += 0.5F;
      return values;
    };
    first_moments = block();
    second_moments = block();
    weights = block();
    state.step = 12000;
    state.position = {3, 721};
    state.micro_batches = 24000;
    state.optimizer_steps = 11999;
    state.moving_average_updates = 12000;
    state.source_tokens = int64_t{1} << 40;
    state.target_tokens = 123456789;
    state.trained_seconds = 1234.0625;
    state.best = MetricRecord{11000, 34.1, std::nullopt};
    state.validations_without_best = 1;
    state.calque_version = "0.1.0";
    state.gemm_engine = "eigen";
    state.instruction_set = "AVX2";
    state.corpus = {0xFEDCBA9876543210U, 29000, {{"data/train.en", {1801239, 7}}}};
  }

  std::vector<NamedBlock> blocks() {
    return {{"adam.first_moment", first_moments},
            {"adam.second_moment", second_moments},
            {"weights", weights}};
  }

  CheckpointContents contents() {
    return {store,
            store.values(),
            blocks(),
            {{kConfigFile, "model: 4\n"}, {kSharedVocabularyFile, std::string("\0\xFFpieces", 8)}},
            state};
  }

  std::filesystem::path save(const std::filesystem::path& run_folder, int64_t step) {
    state.step = step;
    return save_checkpoint(run_folder, contents());
  }
};

/// Name and bytes of every file below a folder, hidden ones included.
inline std::map<std::string, std::string> all_files(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string name = std::filesystem::relative(entry.path(), folder).string();
    files[name] = entry.is_regular_file() ? read_file(entry.path()) : "";
  }
  return files;
}

}  // namespace calque::test
