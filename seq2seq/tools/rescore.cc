// `seq2seq rescore`: adds features to n-best lists, ranks them by weighted sums, and learns the
// weights.
#include <algorithm>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/file.h"
#include "seq2seq/base/line_reader.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/task.h"
#include "seq2seq/base/yaml_keys.h"
#include "seq2seq/metrics/corpus_metric.h"
#include "seq2seq/search/error_rate_training.h"
#include "seq2seq/search/n_best_lists.h"
#include "seq2seq/tools/command.h"
#include "seq2seq/tools/model_flags.h"
#include "seq2seq/tools/option_flags.h"

namespace seq2seq {
namespace {

struct RescoreFlags {
  ModelFlags model;  // Without models: those of the features.
  std::string input;
  std::string source;
  std::vector<std::string> features;           // NAME=RUN, log p(target | source).
  std::vector<std::string> backward_features;  // log p(source | target).
  std::vector<std::string> reversed_features;  // Of the words in reverse order.
  std::string weights;
  std::vector<std::string> references;
  std::string save_weights;
  MetricKind metric = MetricKind::kBleu;
  MetricOptions metric_options;
  std::string format = "text";
};

std::string ReverseWords(const std::string& text) {
  std::vector<std::string> words = absl::StrSplit(text, ' ', absl::SkipEmpty());
  return absl::StrJoin(words.rbegin(), words.rend(), " ");
}

// A model that gives a feature, and what it reads.
struct ModelFeature {
  std::string name;
  std::string run;
  bool backward = false;
  bool reversed = false;
};

absl::StatusOr<std::vector<ModelFeature>> ParseFeatures(const RescoreFlags& flags) {
  std::vector<ModelFeature> features;
  const auto parse = [&](const char* flag, const std::vector<std::string>& texts,
                         const ModelFeature& kind) -> absl::Status {
    for (const std::string& text : texts) {
      const size_t equals = text.find('=');
      ModelFeature& feature = features.emplace_back(kind);
      feature.name = text.substr(0, equals);
      if (equals != std::string::npos) feature.run = text.substr(equals + 1);
      if (!feature.name.empty() && !feature.run.empty() && !absl::StrContains(feature.name, ' '))
        continue;
      return absl::InvalidArgumentError(
          absl::StrCat(flag, ": expected NAME=RUN, found '", text, "'"));
    }
    return absl::OkStatus();
  };
  SEQ2SEQ_RETURN_IF_ERROR(parse("--feature", flags.features, {}));
  SEQ2SEQ_RETURN_IF_ERROR(
      parse("--backward", flags.backward_features, {.name = "", .run = "", .backward = true}));
  SEQ2SEQ_RETURN_IF_ERROR(
      parse("--reversed", flags.reversed_features, {.name = "", .run = "", .reversed = true}));
  return features;
}

// Adds what a model makes of the translations of `sources`, which are empty for language models.
absl::Status AddModelFeature(const RescoreFlags& flags, const ModelFeature& feature,
                             const std::vector<std::string>& sources, NBestLists& lists) {
  ModelFlags model = flags.model;
  model.models = {feature.run};
  SEQ2SEQ_ASSIGN_OR_RETURN(const Translator translator, LoadTranslator(model));
  const bool alone = translator.source_kind() == SourceKind::kNone;
  if (alone && feature.backward) {
    return absl::InvalidArgumentError(
        absl::StrCat("--backward: ", feature.run, " has no source: it is a language model"));
  }
  if (!alone && sources.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--source: ", feature.run, " needs the sources of the lists"));
  }
  std::vector<double> values;
  Task task(absl::StrCat("scoring with ", feature.run), "translations", lists.size());
  for (size_t list = 0; list < lists.lists.size(); ++list) {
    std::vector<std::string> from, to;
    for (const NBestEntry& entry : lists.lists[list].entries) {
      const std::string text = feature.reversed ? ReverseWords(entry.text) : entry.text;
      if (!alone) from.push_back(feature.backward ? text : sources[list]);
      to.push_back(feature.backward ? sources[list] : text);
    }
    SEQ2SEQ_ASSIGN_OR_RETURN(const auto scored, translator.Score(from, to));
    for (const Candidate& candidate : scored) values.push_back(candidate.log_probability);
    task.Add(static_cast<int64_t>(to.size()));
  }
  return lists.AddFeature(feature.name, values);
}

// The lines of `path` that belong to the lists.
absl::StatusOr<std::vector<std::string>> LinesOf(const std::string& path, const NBestLists& lists) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> lines, ReadLines(path));
  std::vector<std::string> chosen;
  for (const NBestList& list : lists.lists) {
    if (list.sentence < 0 || list.sentence >= static_cast<int64_t>(lines.size())) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": has ", lines.size(),
                                                     " lines, none for sentence ", list.sentence,
                                                     " of the n-best lists"));
    }
    chosen.push_back(lines[static_cast<size_t>(list.sentence)]);
  }
  return chosen;
}

// The weights of a file of lines "name: value"; features that it lacks weigh nothing.
absl::StatusOr<std::vector<double>> ReadWeights(const std::string& path,
                                                const std::vector<std::string>& names) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const auto keys, ReadYamlKeys(path));
  std::vector<double> weights(names.size());
  for (const auto& [name, text] : keys) {
    const auto found = std::find(names.begin(), names.end(), name);
    double value = 0;
    if (found == names.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          path, ": ", name, ": expected a feature, one of ", absl::StrJoin(names, ", ")));
    }
    if (!absl::SimpleAtod(text, &value)) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": ", name, ": expected a number, found ", text));
    }
    weights[static_cast<size_t>(found - names.begin())] = value;
  }
  return weights;
}

// Learns the weights from `weights` on, and writes them.
absl::Status LearnWeights(const RescoreFlags& flags, const NBestLists& lists,
                          std::vector<double>& weights) {
  std::vector<std::vector<std::string>> references;
  for (const std::string& path : flags.references) {
    SEQ2SEQ_ASSIGN_OR_RETURN(references.emplace_back(), LinesOf(path, lists));
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(const auto metric, MakeMetric(flags.metric, flags.metric_options));
  const auto trained = [&] {
    const Task task("learning weights", "");
    return TrainWeights(lists, *metric, references, weights);
  }();
  SEQ2SEQ_RETURN_IF_ERROR(trained.status());
  weights = trained->weights;
  spdlog::info("{} {:.2f} -> {:.2f}", metric->Name(), trained->before, trained->after);
  std::string text;
  for (size_t i = 0; i < weights.size(); ++i)
    absl::StrAppendFormat(&text, "%s: %.6f\n", lists.names[i], weights[i]);
  return WriteFile(flags.save_weights, text);
}

absl::Status RunRescore(const RescoreFlags& flags) {
  if (flags.references.empty() != flags.save_weights.empty()) {
    return absl::InvalidArgumentError(
        "--reference: weights are learnt from references, and written to --save-weights: give "
        "both");
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<ModelFeature> features, ParseFeatures(flags));
  SEQ2SEQ_ASSIGN_OR_RETURN(NBestLists lists, NBestLists::Read(flags.input));
  std::vector<std::string> sources;
  if (!flags.source.empty()) {
    SEQ2SEQ_ASSIGN_OR_RETURN(sources, LinesOf(flags.source, lists));
  }
  for (const ModelFeature& feature : features)
    SEQ2SEQ_RETURN_IF_ERROR(AddModelFeature(flags, feature, sources, lists));
  std::vector<double> words;
  for (const NBestList& list : lists.lists) {
    for (const NBestEntry& entry : list.entries) {
      const std::vector<absl::string_view> parts =
          absl::StrSplit(entry.text, ' ', absl::SkipEmpty());
      words.push_back(static_cast<double>(parts.size()));
    }
  }
  const bool has_words =
      std::find(lists.names.begin(), lists.names.end(), "words") != lists.names.end();
  if (!has_words) SEQ2SEQ_RETURN_IF_ERROR(lists.AddFeature("words", words));
  // Without others, all log-probabilities count the same.
  std::vector<double> weights(lists.names.size(), 1.0);
  weights[static_cast<size_t>(std::find(lists.names.begin(), lists.names.end(), "words") -
                              lists.names.begin())] = 0;
  if (!flags.weights.empty()) {
    SEQ2SEQ_ASSIGN_OR_RETURN(weights, ReadWeights(flags.weights, lists.names));
  }
  if (!flags.references.empty()) SEQ2SEQ_RETURN_IF_ERROR(LearnWeights(flags, lists, weights));
  lists.Rank(weights);
  for (const NBestList& list : lists.lists)
    std::cout << (flags.format == "text" ? list.entries[0].text + "\n" : lists.Text(list));
  if (!std::cout.flush()) return absl::DataLossError("standard output: cannot write");
  return absl::OkStatus();
}

}  // namespace

void AddRescore(CLI::App& program, absl::Status* status) {
  CLI::App* rescore = program.add_subcommand(
      "rescore",
      "Ranks n-best lists by weighted features of further models, and learns the weights");
  auto flags = std::make_shared<RescoreFlags>();
  const auto add_list = [&](const char* flag, std::vector<std::string>& values, const char* help) {
    return rescore->add_option(flag, values, help)->allow_extra_args(false);
  };
  rescore
      ->add_option("-i,--input", flags->input,
                   "n-best lists, as decode --format moses --n-best N writes them; - is standard "
                   "input")
      ->option_text("FILE")
      ->required();
  rescore->add_option("-s,--source", flags->source, "The sentences that the lists translate")
      ->option_text("FILE");
  add_list("-f,--feature", flags->features,
           "Adds the log-probability under a model, or a language model, by this name; repeat for "
           "several")
      ->option_text("NAME=RUN");
  add_list("--backward", flags->backward_features,
           "The same of the source, given the translation, under a model of the other direction")
      ->option_text("NAME=RUN");
  add_list("--reversed", flags->reversed_features,
           "The same under a model that was trained on targets whose words are in reverse order")
      ->option_text("NAME=RUN");
  rescore
      ->add_option("-w,--weights", flags->weights,
                   "Weights of the features, a line `name: value` each; without them, all but "
                   "`words`, the number of words, weigh the same")
      ->option_text("FILE");
  add_list("-r,--reference", flags->references,
           "Learns the weights that score best against these references; repeat for several")
      ->option_text("FILE");
  rescore->add_option("--save-weights", flags->save_weights, "The file of the learnt weights")
      ->option_text("FILE");
  AddEnumFlag<MetricKind>(*rescore, "--metric", flags->metric, "The metric that they are learnt by")
      ->default_str("bleu");
  AddOptionFlags(*rescore, ListOptions(flags->metric_options),
                 {"tokenize", "language", "lowercase"});
  rescore->add_option("--format", flags->format, "text: the best translations; moses: all")
      ->check(CLI::IsMember({"text", "moses"}))
      ->capture_default_str();
  AddModelFlags(*rescore, flags->model);
  rescore->remove_option(rescore->get_option("--model"));
  rescore->footer(
      "Weights are learnt by minimum error rate training (Och 2003) on a development set:\n"
      "  seq2seq decode -m runs/mine -i dev.en --n-best 20 -b 20 --format moses -o dev.nbest\n"
      "  seq2seq rescore -i dev.nbest -s dev.en -f lm=runs/lm --backward back=runs/de-en \\\n"
      "      -r dev.de --save-weights weights.yaml > dev.de.out\n"
      "  seq2seq rescore -i test.nbest -s test.en -f lm=runs/lm --backward back=runs/de-en \\\n"
      "      -w weights.yaml > test.de.out");
  rescore->callback([flags, status] { *status = RunRescore(*flags); });
}

}  // namespace seq2seq
