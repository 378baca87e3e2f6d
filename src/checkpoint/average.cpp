#include "checkpoint/average.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "base/error.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/save.h"

namespace calque {
namespace {

namespace fs = std::filesystem;

/// What must be equal in all checkpoints of an average, with the folder that it comes from.
struct Member {
  Checkpoint checkpoint;
  SafetensorsFile model;
};

/// Throws unless `other` holds the same vocabulary and tensors as `first`, naming every difference.
void check_alike(const Member& first, const Member& other) {
  std::vector<std::string> lines;
  auto texts = first.checkpoint.texts();
  auto other_texts = other.checkpoint.texts();
  texts.erase(kConfigFile);  // compared by who can read it
  other_texts.erase(kConfigFile);
  for (const auto& [name, text] : other_texts) texts.try_emplace(name);
  for (const auto& [name, text] : texts) {
    if (!first.checkpoint.has(name) || !other.checkpoint.has(name) || other_texts[name] != text) {
      lines.push_back(fmt::format("{} is not the same", name));
    }
  }
  for (const StoredTensor& tensor : first.model.tensors()) {
    const StoredTensor* const found = other.model.find(tensor.name);
    if (found == nullptr) {
      lines.push_back(fmt::format("{} is in the first alone", tensor.name));
    } else if (found->shape != tensor.shape || found->type != StoredType::kF32) {
      lines.push_back(fmt::format("{} is {} in the first and {} in the second", tensor.name,
                                  tensor.shape.to_string(), found->shape.to_string()));
    }
  }
  for (const StoredTensor& tensor : other.model.tensors()) {
    if (first.model.find(tensor.name) == nullptr) {
      lines.push_back(fmt::format("{} is in the second alone", tensor.name));
    }
  }
  if (!lines.empty()) {
    throw UserError(fmt::format("{} and {} cannot be averaged:\n  {}",
                                first.checkpoint.folder().string(),
                                other.checkpoint.folder().string(), fmt::join(lines, "\n  ")));
  }
}

/// The mean of one tensor over all members, summed in double in the members' order.
void average_tensor(const std::vector<Member>& members, const std::string& name,
                    std::span<float> mean) {
  std::vector<double> sums(mean.size());
  for (const Member& member : members) {
    copy_finite_values(member.model, name, mean);
    std::ranges::transform(sums, mean, sums.begin(), std::plus<>());
  }
  const auto count = static_cast<double>(members.size());
  std::ranges::transform(sums, mean.begin(),
                         [&](double sum) { return static_cast<float>(sum / count); });
}

/// The newest member's state, as that of an average.
CheckpointState averaged_state(const std::vector<Member>& members) {
  CheckpointState state = members.front().checkpoint.state();
  std::vector<int64_t> steps;
  for (const Member& member : members) {
    const CheckpointState& other = member.checkpoint.state();
    steps.push_back(other.step);
    if (other.step > state.step) state = other;
  }
  state.averaged_steps = steps;
  return state;
}

/// Throws when a checkpoint is named twice, by whatever paths.
void check_named_once(std::span<const fs::path> folders) {
  for (size_t i = 0; i < folders.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      std::error_code ignored;
      if (!fs::equivalent(folders[i], folders[j], ignored)) continue;
      throw UserError(
          fmt::format("{} is named twice; name each checkpoint once", folders[i].string()));
    }
  }
}

}  // namespace

void average_checkpoints(std::span<const fs::path> folders, const fs::path& output) {
  if (folders.empty()) throw UserError("there is no checkpoint to average: name at least one");
  check_named_once(folders);
  std::error_code ignored;
  if (fs::exists(output, ignored)) {
    throw UserError(fmt::format("{} exists already; name a new folder", output.string()));
  }
  std::vector<Member> members;
  for (const fs::path& folder : folders) {
    Checkpoint checkpoint(folder);
    SafetensorsFile model = checkpoint.tensors(kModelFile);
    members.push_back({std::move(checkpoint), std::move(model)});
    check_alike(members.front(), members.back());
  }

  ParameterStore layout;
  for (const StoredTensor& tensor : members.front().model.tensors()) {
    layout.declare(tensor.name, tensor.shape, Init::kZeros);
  }
  std::vector<Real> mean(static_cast<size_t>(layout.count()));
  for (const Parameter& parameter : layout.parameters()) {
    average_tensor(members, parameter.name,
                   std::span(mean).subspan(static_cast<size_t>(parameter.offset),
                                           static_cast<size_t>(parameter.shape.count())));
  }
  write_checkpoint_folder(
      output, {layout, mean, {}, members.front().checkpoint.texts(), averaged_state(members)});
}

}  // namespace calque
