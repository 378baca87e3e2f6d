#include <fmt/format.h>

#include <memory>

#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/text_output.h"
#include "cli/translation.h"
#include "export/ctranslate2.h"
#include "export/safetensors.h"

namespace calque {
namespace {

enum class ExportFormat { kCTranslate2, kSafetensors };
constexpr Choice<ExportFormat> kFormats[] = {{"ctranslate2", ExportFormat::kCTranslate2},
                                             {"safetensors", ExportFormat::kSafetensors}};

struct ExportArguments {
  ExportFormat format = ExportFormat::kCTranslate2;
  std::string model;
  std::string output;
};

void export_model(const ExportArguments& arguments) {
  const OpenedModel opened = open_model(arguments.model);
  const bool is_ctranslate2 = arguments.format == ExportFormat::kCTranslate2;
  (is_ctranslate2 ? export_to_ctranslate2 : export_to_safetensors)(opened, arguments.output);
  write_to_stdout(fmt::format("{}: {} as {}\n", arguments.output, opened.checkpoint.string(),
                              is_ctranslate2 ? "a model of CTranslate2" : "safetensors and JSON"));
}

}  // namespace

void add_export_command(CLI::App& app) {
  auto arguments = std::make_shared<ExportArguments>();
  CLI::App* command =
      app.add_subcommand("export", "Write a model as a folder that other programs open");
  add_value_option(*command, "--format", arguments->format, OneOf<ExportFormat>(kFormats),
                   "ctranslate2: what CTranslate2 serves; safetensors: weights, sizes and "
                   "vocabulary for a program that builds the model itself")
      ->type_name("FORMAT")
      ->required();
  command->add_option("DIR", arguments->model, kModelHelp)->required();
  command->add_option("OUT", arguments->output, "Folder to make; it must not exist, or be empty")
      ->required();
  command->footer(
      "Both hold the vocabulary too: source.spm and target.spm are SentencePiece models, the\n"
      "JSON files list their pieces by id. docs/export.md shows how to translate with the one\n"
      "and how to load the other, and has the table of the names of all weights.\n"
      "\n"
      "Examples:\n"
      "  calque export --format ctranslate2 runs/demo demo-ct2\n"
      "  calque export --format safetensors runs/demo/checkpoints/step_00001500 demo-weights");
  command->callback([arguments] { export_model(*arguments); });
}

}  // namespace calque
