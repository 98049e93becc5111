#include "seq2seq/tools/torch/config.h"

#include "seq2seq/base/options.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {
namespace {

absl::Status ReadSettings(const std::vector<std::string>& files,
                          const std::vector<std::string>& settings, Config& config) {
  const OptionList options = ListOptions(config);
  for (const std::string& path : files) SEQ2SEQ_RETURN_IF_ERROR(ReadOptions(path, options));
  for (const std::string& assignment : settings)
    SEQ2SEQ_RETURN_IF_ERROR(SetOption(assignment, options));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Config> ReadConfig(const std::vector<std::string>& files,
                                  const std::vector<std::string>& settings) {
  Config kinds;
  SEQ2SEQ_RETURN_IF_ERROR(ReadSettings(files, settings, kinds));
  const ModelOptions& model = kinds.training.model;
  Config config;
  config.training =
      DefaultConfig(kinds.training.train.objective, model.encoder.kind, model.decoder.kind);
  SEQ2SEQ_RETURN_IF_ERROR(ReadSettings(files, settings, config));
  return config;
}

}  // namespace seq2seq
