#include "seq2seq/search/ensemble.h"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/inference/run_folder.h"
#include "seq2seq/kernels/precision_choice.h"
#include "seq2seq/search/fusion_scorer.h"

#if SEQ2SEQ_KERNELS
#include "seq2seq/inference/inference_model.h"
#include "seq2seq/search/inference_scorer.h"
#endif

namespace seq2seq {
namespace {

bool IsCpu(const std::string& device) { return absl::StartsWith(device, "cpu"); }

std::string Unsupported(Precision precision, const std::string& device) {
  return absl::StrCat("precision ", EnumText(precision), " is not supported on ",
                      IsCpu(device) ? "this CPU" : device);
}

absl::StatusOr<Tokenizer> LoadTokenizer(const std::string& path, int64_t vocab) {
  SEQ2SEQ_ASSIGN_OR_RETURN(Tokenizer tokenizer, Tokenizer::Load(path));
  if (tokenizer.size() == vocab) return tokenizer;
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": the tokenizer has ", tokenizer.size(), " subwords, the model ", vocab));
}

SourceOptions SourceOptionsOf(const ModelOptions& model, const LoadOptions& options) {
  return {.kind = model.source,
          .image = model.image.input,
          .features = model.image.network.kind == ImageNetworkKind::kFeatures,
          .max_pixels = options.max_pixels};
}

// The precision to compute in. Adds a note to `notes` if it is not the stored one.
absl::StatusOr<Precision> ChoosePrecision(const StoredModel& stored, const LoadOptions& options,
                                          std::vector<std::string>& notes) {
  const bool on_cpu = IsCpu(options.device);
  if (options.precision && *options.precision != PrecisionChoice::kAuto)
    return Resolve(*options.precision, on_cpu);
  SEQ2SEQ_ASSIGN_OR_RETURN(Precision precision, StoredPrecision(stored));
  if (options.precision && precision == Precision::kFp32)
    precision = Resolve(PrecisionChoice::kAuto, on_cpu);
  if (HasPrecision(precision, on_cpu)) return precision;
  notes.push_back(absl::StrCat(Unsupported(precision, options.device), "; computing in fp32"));
  return Precision::kFp32;
}

// The reason why a model cannot be loaded without LibTorch; empty if it can.
std::string NeedsModule(const ModelOptions& options, const std::string& device) {
  if (!IsCpu(device)) return absl::StrCat("device ", device);
#if SEQ2SEQ_KERNELS
  const std::string part = UnsupportedPart(options);
  return part.empty() ? "" : absl::StrCat("model.", part);
#else
  return "a build without kernels";
#endif
}

absl::StatusOr<std::shared_ptr<const ScoringModel>> LoadScoring(const StoredModel& stored,
                                                                const LoadOptions& options,
                                                                Precision precision) {
  const std::string reason = NeedsModule(stored.options, options.device);
  if (!reason.empty()) {
    if (options.load_module) return options.load_module(stored, options.device, precision);
    return absl::UnimplementedError(absl::StrCat(stored.run.path, ": ", reason, " needs LibTorch"));
  }
#if SEQ2SEQ_KERNELS
  SEQ2SEQ_ASSIGN_OR_RETURN(auto model, LoadInferenceModel(stored, precision));
  return MakeScoringModel(std::move(model));
#else
  return absl::InternalError("built without kernels");  // NeedsModule has returned it.
#endif
}

// A model with its source and tokenizer.
absl::StatusOr<Ensemble> LoadOne(const std::string& path, const LoadOptions& options) {
  SEQ2SEQ_ASSIGN_OR_RETURN(StoredModel stored, FindModel(path));
  if (stored.options.decoder.kind == DecoderKind::kHead) {
    return absl::InvalidArgumentError(
        absl::StrCat(path,
                     " was trained with train.objective masked: it has no decoder; train "
                     "another run from it with train.init_from"));
  }
  stored.options.image.network.allow_scripts = options.allow_scripts;
  std::vector<std::string> notes;
  SEQ2SEQ_ASSIGN_OR_RETURN(const Precision precision, ChoosePrecision(stored, options, notes));
  std::optional<Tokenizer> source;
  if (stored.options.source == SourceKind::kText) {
    SEQ2SEQ_ASSIGN_OR_RETURN(
        source, LoadTokenizer(stored.run.SourceTokenizer(), stored.options.source_vocab));
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(
      Tokenizer target, LoadTokenizer(stored.run.TargetTokenizer(), stored.options.target_vocab));
  SEQ2SEQ_ASSIGN_OR_RETURN(auto model, LoadScoring(stored, options, precision));
  if (!model->note().empty()) notes.push_back(model->note());
  for (std::string& note : notes) note = absl::StrCat(path, ": ", note);
  std::shared_ptr<const Source> reader =
      MakeSource(SourceOptionsOf(stored.options, options), std::move(source), target);
  SearchOptions search;
  SEQ2SEQ_RETURN_IF_ERROR(ReadSearchOptions(stored.run.Config(), search));
  return Ensemble{.models = {std::move(model)},
                  .source = std::move(reader),
                  .target = std::move(target),
                  .mean = options.mean,
                  .language_model = nullptr,
                  .shortlist = std::nullopt,
                  .search = std::move(search),
                  .notes = std::move(notes)};
}

// InvalidArgument if `member` cannot translate together with `first`.
absl::Status CheckMember(const Ensemble& member, const std::string& path, const Ensemble& first,
                         const std::string& first_path) {
  const auto differ = [&](absl::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": has a different ", what, " from ", first_path));
  };
  if (member.target.model() != first.target.model()) return differ("target tokenizer");
  if (member.source->kind() != first.source->kind()) return differ("model.source");
  if (member.source->Fingerprint() != first.source->Fingerprint())
    return differ(member.source->Requirement());
  return absl::OkStatus();
}

// Adds the language model of `options`.
absl::Status AddLanguageModel(const LoadOptions& options, const std::string& first_path,
                              Ensemble& ensemble) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const Ensemble model, LoadOne(options.language_model, options));
  if (model.source->kind() != SourceKind::kNone) {
    return absl::InvalidArgumentError(absl::StrCat(
        options.language_model, ": not a language model: its model.source is not none"));
  }
  if (model.target.model() != ensemble.target.model()) {
    return absl::InvalidArgumentError(absl::StrCat(
        options.language_model, ": has a different tokenizer from the target of ", first_path));
  }
  ensemble.language_model = model.models[0];
  ensemble.notes.insert(ensemble.notes.end(), model.notes.begin(), model.notes.end());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Ensemble> LoadEnsemble(absl::Span<const std::string> paths,
                                      const LoadOptions& options) {
  if (paths.empty()) return absl::InvalidArgumentError("expected at least one model, found none");
  if (!options.weights.empty() && options.weights.size() != paths.size()) {
    return absl::InvalidArgumentError(absl::StrCat("expected a weight for each of ", paths.size(),
                                                   " models, found ", options.weights.size()));
  }
  for (const double weight : options.weights) {
    if (!(weight > 0 && weight <= 1e6))
      return absl::InvalidArgumentError(absl::StrCat(
          "the weight of a model: expected more than 0, up to 1,000,000, found ", weight));
  }
  const bool on_cpu = IsCpu(options.device);
  if (options.precision) {
    const Precision precision = Resolve(*options.precision, on_cpu);
    if (!HasPrecision(precision, on_cpu))
      return absl::InvalidArgumentError(Unsupported(precision, options.device));
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(Ensemble ensemble, LoadOne(paths[0], options));
  SEQ2SEQ_ASSIGN_OR_RETURN(const StoredModel first, FindModel(paths[0]));
  std::error_code ignored;
  if (options.shortlist && std::filesystem::exists(first.run.Shortlist(), ignored)) {
    SEQ2SEQ_ASSIGN_OR_RETURN(ensemble.shortlist,
                             Shortlist::Load(first.run.Shortlist(), first.options.source_vocab,
                                             first.options.target_vocab));
  }
  const double sum = std::accumulate(options.weights.begin(), options.weights.end(), 0.0);
  for (const double weight : options.weights) ensemble.weights.push_back(weight / sum);
  if (!options.lexicon.empty()) {
    SEQ2SEQ_ASSIGN_OR_RETURN(Lexicon lexicon, Lexicon::Load(options.lexicon));
    ensemble.lexicon = std::make_shared<const Lexicon>(std::move(lexicon));
  }
  for (const std::string& path : paths.subspan(1)) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const Ensemble member, LoadOne(path, options));
    SEQ2SEQ_RETURN_IF_ERROR(CheckMember(member, path, ensemble, paths[0]));
    ensemble.models.push_back(member.models[0]);
    ensemble.notes.insert(ensemble.notes.end(), member.notes.begin(), member.notes.end());
  }
  if (!options.language_model.empty())
    SEQ2SEQ_RETURN_IF_ERROR(AddLanguageModel(options, paths[0], ensemble));
  return ensemble;
}

std::unique_ptr<Scorer> Ensemble::Begin(absl::Span<const SourceInput* const> sources,
                                        const BatchShortlist& shortlists,
                                        double language_model_weight) const {
  std::vector<std::unique_ptr<Scorer>> members;
  for (const auto& model : models) members.push_back(model->Begin(sources, shortlists));
  auto scorer = std::make_unique<EnsembleScorer>(std::move(members), mean, weights);
  if (language_model == nullptr || language_model_weight == 0) return scorer;
  return std::make_unique<FusionScorer>(
      std::move(scorer), language_model->Begin(sources, shortlists), language_model_weight);
}

bool Ensemble::has_attention() const {
  return std::any_of(models.begin(), models.end(),
                     [](const auto& model) { return model->has_attention(); });
}

bool Ensemble::copies() const {
  return std::any_of(models.begin(), models.end(),
                     [](const auto& model) { return model->copies(); });
}

double Ensemble::weight_bytes() const {
  double bytes = language_model == nullptr ? 0 : language_model->weight_bytes();
  for (const auto& model : models) bytes += model->weight_bytes();
  return bytes;
}

double Ensemble::BatchBytes(const SearchShape& shape) const {
  double bytes = language_model == nullptr ? 0 : language_model->BatchBytes(shape);
  for (const auto& model : models) bytes += model->BatchBytes(shape);
  return bytes;
}

}  // namespace seq2seq
