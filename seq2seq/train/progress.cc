#include "seq2seq/train/progress.h"

#include <cmath>

#include <nlohmann/json.hpp>

namespace seq2seq {
namespace {

// {"encoder.forward_0": {"gradient": …, "weight": …, "saturated": …}, …}.
nlohmann::ordered_json ToJson(const std::map<std::string, ModuleReport>& modules) {
  nlohmann::ordered_json json;
  for (const auto& [module, report] : modules) {
    json[module] = {{"gradient", report.gradient}, {"weight", report.weight}};
    if (report.saturated) json[module]["saturated"] = *report.saturated;
  }
  return json;
}

}  // namespace

Progress ProgressSums::Means() const {
  const auto count = static_cast<double>(tokens);  // Means of no tokens are NaN.
  Progress progress;
  progress.loss = nll / count;
  progress.perplexity = std::exp(progress.loss);
  progress.token_accuracy = correct / count;
  if (samples > 0) progress.reward = reward / static_cast<double>(samples);
  progress.gradient_norm = gradient_norm / static_cast<double>(updates);
  progress.tokens_per_second = count / seconds;
  progress.waiting = waiting / seconds;
  progress.exchanging = exchanging / seconds;
  progress.sent_bytes = sent_bytes / static_cast<double>(updates);
  return progress;
}

std::string LogLine(const Progress& progress, const std::map<std::string, ModuleReport>& modules) {
  nlohmann::ordered_json line = {
      {"event", "progress"},
      {"update", progress.update},
      {"epoch", progress.epoch},
      {"loss", progress.loss},
      {"perplexity", progress.perplexity},
      {"token_accuracy", progress.token_accuracy},
      {"gradient_norm", progress.gradient_norm},
      {"learning_rate", progress.learning_rate},
      {"teacher_forcing", progress.teacher_forcing},
      {"tokens_per_second", progress.tokens_per_second},
      {"waiting", progress.waiting},
      {"seconds", progress.seconds},
      {"skipped", progress.skipped},
  };
  if (progress.reward) line["reward"] = *progress.reward;
  if (progress.processes > 1) {
    line["processes"] = progress.processes;
    line["exchanging"] = progress.exchanging;
    line["sent_bytes"] = progress.sent_bytes;
  }
  if (!modules.empty()) line["norms"] = ToJson(modules);
  return line.dump();
}

}  // namespace seq2seq
