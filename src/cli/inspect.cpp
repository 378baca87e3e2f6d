#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/printable.h"
#include "base/stopwatch.h"
#include "checkpoint/run_checkpoints.h"
#include "cli/command.h"
#include "cli/text_output.h"
#include "cli/vocabulary_report.h"
#include "config/run_files.h"

namespace calque {
namespace {

constexpr int64_t kPiecesInJson = 24;

struct InspectArguments {
  std::string folder;
  bool json = false;
};

/// A checkpoint with everything in it opened that translates.
struct OpenedCheckpoint {
  Checkpoint checkpoint;
  std::string damage;  // what is wrong with the files that only training needs, or ""
  RunConfig config;
  TokenizerPair tokenizers;
  SafetensorsFile model;
};

/// What is wrong with the files of a checkpoint that translates.
std::string find_damage(const Checkpoint& checkpoint) {
  try {
    checkpoint.verify(/*training=*/true);
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

OpenedCheckpoint open_checkpoint(const std::string& folder) {
  Checkpoint checkpoint(resolve_model_folder(folder));
  RunConfig config = load_config(checkpoint);
  TokenizerPair tokenizers = load_tokenizers(checkpoint);
  SafetensorsFile model = checkpoint.tensors(kModelFile);
  std::string damage = find_damage(checkpoint);
  return {std::move(checkpoint), std::move(damage), std::move(config), std::move(tokenizers),
          std::move(model)};
}

bool is_resumable(const OpenedCheckpoint& opened) {
  return opened.checkpoint.is_resumable() && opened.checkpoint.state().has_this_order() &&
         opened.damage.empty();
}

std::string describe_use(const OpenedCheckpoint& opened) {
  if (is_resumable(opened)) return "translates; training can go on from it";
  std::string why = opened.damage;
  if (why.empty() && opened.checkpoint.is_resumable()) {
    why = "an older Calque sorted its batches by length";
  }
  return "translates; training cannot go on from it" + (why.empty() ? "" : ": " + why);
}

int64_t count_parameters(const SafetensorsFile& model) {
  int64_t count = 0;
  for (const StoredTensor& tensor : model.tensors()) count += tensor.shape.count();
  return count;
}

std::string describe_state(const CheckpointState& state, const RunConfig& config) {
  std::string text =
      fmt::format("training     step {}, epoch {}; {} source and {} target tokens in {}\n",
                  format_count(state.step), format_count(state.position.epoch),
                  format_count(state.source_tokens), format_count(state.target_tokens),
                  format_duration(state.trained_seconds));
  if (!state.averaged_steps.empty()) {
    text += fmt::format("averaged     of steps {}\n", fmt::join(state.averaged_steps, ", "));
  }
  if (state.skipped > 0) {
    text += fmt::format("skipped      {} without finite loss or gradient\n",
                        format_count(state.skipped, "update"));
  }
  if (state.passed_over) {
    text += fmt::format("passed over  the batches behind {} up to {}\n",
                        state.passed_over->after.to_string(), state.passed_over->last.to_string());
  }
  if (state.best) {
    const char* metric = config.train.best_metric == BestMetric::kBleu ? "BLEU" : "loss";
    text += fmt::format("best         {} {:.4g} at step {}; {} since\n", metric, state.best->value,
                        format_count(state.best->step),
                        format_count(state.validations_without_best, "validation"));
  }
  text += fmt::format("corpus       {}\n", format_count(state.corpus.pairs, "sentence pair"));
  for (const auto& [file, record] : state.corpus.files) {
    text += fmt::format("             {} ({})\n", file,
                        format_bytes(static_cast<double>(record.bytes)));
  }
  text += fmt::format("written by   calque {} with {}, {}\n", state.calque_version,
                      state.gemm_engine, state.instruction_set);
  return text;
}

std::string describe_tensors(const SafetensorsFile& model) {
  size_t width = 0;
  for (const StoredTensor& tensor : model.tensors()) width = std::max(width, tensor.name.size());
  std::string text;
  for (const StoredTensor& tensor : model.tensors()) {
    text += fmt::format("  {:{}}  {:>14}  {:>12}\n", tensor.name, width, tensor.shape.to_string(),
                        format_count(tensor.shape.count()));
  }
  return text;
}

std::string indent(const std::string& text) {
  std::string indented;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    if (end > begin) indented += "  " + text.substr(begin, end - begin);
    indented += '\n';
    begin = end + 1;
  }
  return indented;
}

std::string describe(const OpenedCheckpoint& opened) {
  const TransformerOptions& sizes = opened.config.model;
  const int64_t count = count_parameters(opened.model);
  return fmt::format(
             "checkpoint   {}\n"
             "             {}\n"
             "model        {}+{} layers, model {}, hidden {}, {} heads\n"
             "parameters   {} in {} ({})\n",
             opened.checkpoint.folder().string(), describe_use(opened), sizes.encoder_layers,
             sizes.decoder_layers, sizes.model, sizes.hidden, sizes.heads, format_count(count),
             format_count(std::ssize(opened.model.tensors()), "tensor"),
             format_bytes(static_cast<double>(count) * sizeof(float))) +
         describe_state(opened.checkpoint.state(), opened.config) + "\n" +
         describe_vocabulary(opened.tokenizers) + "\nconfig:\n" +
         indent(opened.checkpoint.text(kConfigFile)) + "\ntensors:\n" +
         describe_tensors(opened.model);
}

nlohmann::ordered_json vocabulary_json(const Tokenizer& tokenizer) {
  return {{"pieces", tokenizer.size()},
          {"type", tokenizer.type()},
          {"first_pieces", first_pieces(tokenizer, kPiecesInJson)}};
}

nlohmann::ordered_json shape_json(const Shape& shape) {
  auto sizes = nlohmann::ordered_json::array();
  for (int i = 0; i < shape.rank(); ++i) sizes.push_back(shape[i]);
  return sizes;
}

std::string describe_in_json(const OpenedCheckpoint& opened) {
  nlohmann::ordered_json json;
  json["checkpoint"] = opened.checkpoint.folder().string();
  json["resumable"] = is_resumable(opened);
  if (!opened.damage.empty()) json["damage"] = opened.damage;
  json["parameters"] = count_parameters(opened.model);
  json["state"] = nlohmann::ordered_json::parse(to_json(opened.checkpoint.state()));
  json["vocabulary"]["shared"] = opened.tokenizers.shared();
  json["vocabulary"]["source"] = vocabulary_json(opened.tokenizers.source());
  json["vocabulary"]["target"] = vocabulary_json(opened.tokenizers.target());
  json["config_yaml"] = opened.checkpoint.text(kConfigFile);
  for (const StoredTensor& tensor : opened.model.tensors()) {
    json["tensors"].push_back({{"name", tensor.name}, {"shape", shape_json(tensor.shape)}});
  }
  return json_text(json);
}

}  // namespace

void add_inspect_command(CLI::App& app) {
  auto arguments = std::make_shared<InspectArguments>();
  CLI::App* command = app.add_subcommand("inspect", "Show what a checkpoint holds");
  command
      ->add_option(
          "DIR", arguments->folder,
          "A checkpoint folder, or a run folder: then its best checkpoint, else its latest")
      ->required();
  command->add_flag("--json", arguments->json, "As one JSON object, for other programs");
  command->footer(
      "Shows where training stands, the vocabulary, the effective config, and every\n"
      "tensor with its shape. Files are checked against their checksums on the way.\n"
      "\n"
      "Examples:\n"
      "  calque inspect runs/demo\n"
      "  calque inspect runs/demo/checkpoints/step_00002000 --json | jq .state.step");
  command->callback([arguments] {
    const OpenedCheckpoint opened = open_checkpoint(arguments->folder);
    write_to_stdout(arguments->json ? describe_in_json(opened) : printable(describe(opened)));
  });
}

}  // namespace calque
