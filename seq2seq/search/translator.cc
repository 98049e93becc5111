#include "seq2seq/search/translator.h"

#include <algorithm>
#include <exception>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/log.h"
#include "seq2seq/base/options.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/utf8.h"
#include "seq2seq/data/batch.h"
#include "seq2seq/model/describe_error.h"
#include "seq2seq/model/run_folder.h"
#include "seq2seq/search/alignment.h"
#include "seq2seq/search/ensemble_scorer.h"
#include "seq2seq/search/model_scorer.h"

namespace seq2seq {
namespace {

std::string Repaired(const std::string& line) {
  if (IsValidUtf8(line)) return line;
  Log(LogLevel::kWarning, "a line is not UTF-8; its bad bytes are replaced");
  return RepairUtf8(line);
}

// LibTorch reports by exceptions: no memory, no device.
absl::Status ToStatus(const std::exception& error) {
  return absl::InternalError(absl::StrCat("translation failed: ", Describe(error)));
}

absl::StatusOr<Tokenizer> LoadTokenizer(const std::string& path, int64_t vocab) {
  SEQ2SEQ_ASSIGN_OR_RETURN(Tokenizer tokenizer, Tokenizer::Load(path));
  if (tokenizer.size() == vocab) return tokenizer;
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": the tokenizer has ", tokenizer.size(), " pieces, the model ", vocab));
}

}  // namespace

absl::StatusOr<Translator> Translator::Load(const std::string& path, torch::Device device) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const StoredModel stored, FindModel(path));
  std::optional<Tokenizer> source;
  if (stored.options.source == SourceKind::kText) {
    SEQ2SEQ_ASSIGN_OR_RETURN(
        source, LoadTokenizer(stored.run.SourceTokenizer(), stored.options.source_vocab));
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(
      Tokenizer target, LoadTokenizer(stored.run.TargetTokenizer(), stored.options.target_vocab));
  SEQ2SEQ_ASSIGN_OR_RETURN(Model model, LoadModel(stored));
  try {
    model->to(device);
  } catch (const std::exception& error) {
    return ToStatus(error);
  }
  return Translator(std::move(model), std::move(source), std::move(target), device);
}

absl::StatusOr<Translator> Translator::LoadEnsemble(absl::Span<const std::string> paths,
                                                    torch::Device device) {
  if (paths.empty()) return absl::InvalidArgumentError("no model is named");
  SEQ2SEQ_ASSIGN_OR_RETURN(Translator ensemble, Load(paths[0], device));
  for (const std::string& path : paths.subspan(1)) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const Translator member, Load(path, device));
    const auto differ = [&](const char* what) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": has ", what, " than ", paths[0]));
    };
    if (member.target_.model() != ensemble.target_.model()) return differ("another tokenizer");
    if (member.reads_images() != ensemble.reads_images()) return differ("other sources");
    if (member.source_ && member.source_->model() != ensemble.source_->model())
      return differ("another tokenizer of the source");
    if (member.reads_images() && ImageInput(member) != ImageInput(ensemble))
      return differ("another model.image.input");
    ensemble.models_.push_back(member.models_[0]);
  }
  return ensemble;
}

Translator::Translator(Model model, std::optional<Tokenizer> source, Tokenizer target,
                       torch::Device device)
    : models_({std::move(model)}),
      source_(std::move(source)),
      target_(std::move(target)),
      device_(device) {
  read_image = [options = models_[0]->options().image](const std::string& file) {
    return ReadImageInput(options, file);
  };
}

std::string Translator::ImageInput(const Translator& translator) {
  ImageEncoderOptions image = translator.models_[0]->options().image;
  const bool features = image.network.kind == ImageNetworkKind::kFeatures;
  return absl::StrCat(features ? "features\n" : "", PrintOptions(ListOptions(image.input)));
}

std::vector<int32_t> Translator::EncodeLine(const Tokenizer& tokenizer,
                                            const std::string& line) const {
  std::vector<int32_t> ids = tokenizer.Encode(Repaired(line));
  if (static_cast<int64_t>(ids.size()) > max_line_length) {
    Log(LogLevel::kWarning,
        absl::StrCat("a line of ", ids.size(), " pieces is cut to ", max_line_length));
    ids.resize(static_cast<size_t>(max_line_length));
  }
  return ids;
}

std::vector<std::vector<int32_t>> Translator::EncodeSources(
    absl::Span<const std::string> lines) const {
  std::vector<std::vector<int32_t>> sources(lines.size());
  for (size_t i = 0; i < lines.size() && source_; ++i) sources[i] = EncodeLine(*source_, lines[i]);
  return sources;
}

torch::Tensor Translator::ReadImages(absl::Span<const std::string> files,
                                     std::vector<bool>& read) const {
  std::vector<torch::Tensor> images;
  for (const std::string& file : files) {
    const auto image = read_image(file);
    read.push_back(image.ok());
    if (image.ok()) {
      images.push_back(*image);
    } else if (!file.empty()) {
      Log(LogLevel::kWarning, image.status().message());
    }
  }
  return images.empty() ? torch::Tensor() : torch::stack(images);
}

std::vector<std::vector<size_t>> Translator::Batches(
    const std::vector<std::vector<int32_t>>& sources) const {
  std::vector<size_t> order(sources.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return sources[a].size() < sources[b].size(); });
  std::vector<std::vector<size_t>> batches;
  for (const size_t index : order) {
    if (batches.empty() || static_cast<int64_t>(batches.back().size()) == batch_size)
      batches.emplace_back();
    batches.back().push_back(index);
  }
  return batches;
}

Candidate Translator::MakeCandidate(const Hypothesis& hypothesis) const {
  return {target_.Decode(hypothesis.tokens), hypothesis.tokens,
          target_.Pieces(hypothesis.tokens), hypothesis.token_scores,
          hypothesis.log_probability,        hypothesis.score};
}

absl::StatusOr<std::vector<std::vector<Candidate>>> Translator::Translate(
    absl::Span<const std::string> lines, const BeamOptions& options) const {
  SEQ2SEQ_RETURN_IF_ERROR(Validate(options));
  const std::vector<std::vector<int32_t>> sources = EncodeSources(lines);
  std::vector<std::vector<Candidate>> results(lines.size());
  try {
    const torch::InferenceMode inference;
    for (const std::vector<size_t>& indices : Batches(sources)) {
      std::vector<size_t> filled;  // Of the lines with something to translate.
      std::vector<int64_t> max_lengths;
      const Batch batch = MakeBatch(lines, sources, indices, filled);
      for (const size_t index : indices) results[index].resize(1);
      if (filled.empty()) continue;
      for (const size_t index : filled) {
        results[index].clear();
        max_lengths.push_back(
            reads_images() ? options.max_length
                           : MaxLength(static_cast<int64_t>(sources[index].size()), options));
      }
      const Batch moved = batch.To(device_);
      std::vector<std::unique_ptr<Scorer>> members;
      for (const Model& model : models_)
        members.push_back(std::make_unique<ModelScorer>(model, moved));
      EnsembleScorer scorer(std::move(members));
      const auto found = BeamSearch(scorer, max_lengths, options);
      for (size_t i = 0; i < filled.size(); ++i) {
        for (const Hypothesis& hypothesis : found[i])
          results[filled[i]].push_back(MakeCandidate(hypothesis));
      }
    }
  } catch (const std::exception& error) {
    return ToStatus(error);
  }
  return results;
}

Batch Translator::MakeBatch(absl::Span<const std::string> lines,
                            const std::vector<std::vector<int32_t>>& sources,
                            const std::vector<size_t>& indices, std::vector<size_t>& filled) const {
  if (reads_images()) {
    std::vector<std::string> files;
    for (const size_t index : indices) files.push_back(lines[index]);
    std::vector<bool> read;
    Batch batch;
    batch.images = ReadImages(files, read);
    for (size_t i = 0; i < indices.size(); ++i) {
      if (read[i]) filled.push_back(indices[i]);
    }
    return batch;
  }
  std::vector<absl::Span<const int32_t>> texts;
  for (const size_t index : indices) {
    if (sources[index].empty()) continue;
    filled.push_back(index);
    texts.push_back(sources[index]);
  }
  return CollateSources(texts);
}

absl::StatusOr<std::vector<Alignment>> Translator::Align(
    absl::Span<const std::string> lines, absl::Span<const Candidate> candidates) const {
  if (lines.size() != candidates.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(lines.size(), " lines and ", candidates.size(), " candidates do not pair up"));
  }
  const std::vector<std::vector<int32_t>> sources = EncodeSources(lines);
  std::vector<Alignment> alignments(lines.size());
  try {
    const torch::InferenceMode inference;
    for (const std::vector<size_t>& indices : Batches(sources)) {
      std::vector<size_t> filled;
      Batch batch = MakeBatch(lines, sources, indices, filled);
      if (filled.empty()) continue;
      std::vector<Example> examples;
      for (const size_t index : filled)
        examples.push_back({sources[index], candidates[index].tokens});
      const torch::Tensor images = batch.images;
      batch = Collate(examples);
      batch.images = images;
      const torch::Tensor weights = seq2seq::Align(models_[0], batch.To(device_));
      for (size_t i = 0; i < filled.size(); ++i) {
        Alignment& alignment = alignments[filled[i]];
        if (!reads_images()) {
          alignment.source = source_->Pieces(sources[filled[i]]);
          alignment.source.push_back("</s>");
        }
        const auto length =
            reads_images() ? weights.size(2) : static_cast<int64_t>(alignment.source.size());
        for (size_t step = 0; step <= candidates[filled[i]].tokens.size(); ++step) {
          const torch::Tensor row = weights[static_cast<int64_t>(i)][static_cast<int64_t>(step)]
                                        .narrow(0, 0, length)
                                        .contiguous();
          alignment.weights.emplace_back(row.data_ptr<float>(), row.data_ptr<float>() + length);
        }
      }
    }
  } catch (const std::exception& error) {
    return ToStatus(error);
  }
  return alignments;
}

absl::StatusOr<std::vector<Candidate>> Translator::Score(absl::Span<const std::string> sources,
                                                         absl::Span<const std::string> targets,
                                                         const BeamOptions& options) const {
  if (sources.size() != targets.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(sources.size(), " sources and ", targets.size(), " targets do not pair up"));
  }
  const std::vector<std::vector<int32_t>> source_ids = EncodeSources(sources);
  std::vector<std::vector<int32_t>> target_ids;
  for (const std::string& target : targets) target_ids.push_back(EncodeLine(target_, target));
  std::vector<Candidate> results(sources.size());
  try {
    const torch::InferenceMode inference;
    for (const std::vector<size_t>& indices : Batches(source_ids)) {
      std::vector<Example> examples;
      for (const size_t index : indices) examples.push_back({source_ids[index], target_ids[index]});
      Batch batch = Collate(examples);
      if (reads_images()) {
        std::vector<std::string> files;
        for (const size_t index : indices) files.push_back(sources[index]);
        std::vector<bool> read;
        batch.images = ReadImages(files, read);
        const auto unread = std::find(read.begin(), read.end(), false);
        if (unread != read.end()) {
          return absl::InvalidArgumentError(absl::StrCat(
              files[static_cast<size_t>(unread - read.begin())], ": no image to score"));
        }
      }
      batch = batch.To(device_);
      std::vector<torch::Tensor> scores_of_models;
      for (Model model : models_) {
        scores_of_models.push_back(
            torch::log_softmax(model(batch, TeacherForcing()), -1, torch::kFloat32));
      }
      const torch::Tensor log_probs = LogMean(scores_of_models);
      const torch::Tensor truth = batch.target_output.masked_select(batch.target_output.ne(kPadId));
      const torch::Tensor scores =
          log_probs.gather(1, truth.unsqueeze(1)).to(torch::kCPU).contiguous();
      const auto* next = scores.data_ptr<float>();  // Sentence after sentence.
      for (const size_t index : indices) {
        Hypothesis hypothesis;
        hypothesis.tokens = target_ids[index];
        for (size_t i = 0; i <= target_ids[index].size(); ++i) {
          hypothesis.token_scores.push_back(*next);
          hypothesis.log_probability += *next++;
        }
        hypothesis.score =
            NormalizedScore(hypothesis.log_probability, hypothesis.token_scores.size(), options);
        results[index] = MakeCandidate(hypothesis);
      }
    }
  } catch (const std::exception& error) {
    return ToStatus(error);
  }
  return results;
}

}  // namespace seq2seq
