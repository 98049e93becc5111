#include "seq2seq/search/translator.h"

#include <algorithm>
#include <exception>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/log.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/utf8.h"
#include "seq2seq/data/batch.h"
#include "seq2seq/model/describe_error.h"
#include "seq2seq/model/run_folder.h"
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

}  // namespace

absl::StatusOr<Translator> Translator::Load(const std::string& path, torch::Device device) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const StoredModel stored, FindModel(path));
  SEQ2SEQ_ASSIGN_OR_RETURN(Tokenizer source, Tokenizer::Load(stored.run.SourceTokenizer()));
  SEQ2SEQ_ASSIGN_OR_RETURN(Tokenizer target, Tokenizer::Load(stored.run.TargetTokenizer()));
  if (source.size() != stored.options.source_vocab ||
      target.size() != stored.options.target_vocab) {
    return absl::InvalidArgumentError(absl::StrCat(
        stored.run.path, ": the tokenizers have ", source.size(), " and ", target.size(),
        " pieces, the model ", stored.options.source_vocab, " and ", stored.options.target_vocab));
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(Model model, LoadModel(stored));
  try {
    model->to(device);
  } catch (const std::exception& error) {
    return ToStatus(error);
  }
  return Translator(std::move(model), std::move(source), std::move(target), device);
}

Translator::Translator(Model model, Tokenizer source, Tokenizer target, torch::Device device)
    : model_(std::move(model)),
      source_(std::move(source)),
      target_(std::move(target)),
      device_(device) {}

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
  return {target_.Decode(hypothesis.tokens), target_.Pieces(hypothesis.tokens),
          hypothesis.token_scores, hypothesis.log_probability, hypothesis.score};
}

absl::StatusOr<std::vector<std::vector<Candidate>>> Translator::Translate(
    absl::Span<const std::string> lines, const BeamOptions& options) const {
  SEQ2SEQ_RETURN_IF_ERROR(Validate(options));
  std::vector<std::vector<int32_t>> sources;
  sources.reserve(lines.size());
  for (const std::string& line : lines) sources.push_back(EncodeLine(source_, line));
  std::vector<std::vector<Candidate>> results(lines.size());
  try {
    const torch::InferenceMode inference;
    for (const std::vector<size_t>& indices : Batches(sources)) {
      std::vector<size_t> filled;
      std::vector<absl::Span<const int32_t>> texts;
      std::vector<int64_t> max_lengths;
      for (const size_t index : indices) {
        if (sources[index].empty()) {
          results[index].emplace_back();
          continue;
        }
        filled.push_back(index);
        texts.push_back(sources[index]);
        max_lengths.push_back(MaxLength(static_cast<int64_t>(sources[index].size()), options));
      }
      if (filled.empty()) continue;
      ModelScorer scorer(model_, CollateSources(texts).To(device_));
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

absl::StatusOr<std::vector<Candidate>> Translator::Score(absl::Span<const std::string> sources,
                                                         absl::Span<const std::string> targets,
                                                         const BeamOptions& options) const {
  if (sources.size() != targets.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(sources.size(), " sources and ", targets.size(), " targets do not pair up"));
  }
  std::vector<std::vector<int32_t>> source_ids;
  std::vector<std::vector<int32_t>> target_ids;
  for (size_t i = 0; i < sources.size(); ++i) {
    source_ids.push_back(EncodeLine(source_, sources[i]));
    target_ids.push_back(EncodeLine(target_, targets[i]));
  }
  std::vector<Candidate> results(sources.size());
  try {
    const torch::InferenceMode inference;
    Model model = model_;
    for (const std::vector<size_t>& indices : Batches(source_ids)) {
      std::vector<Example> examples;
      for (const size_t index : indices) examples.push_back({source_ids[index], target_ids[index]});
      const Batch batch = Collate(examples).To(device_);
      const torch::Tensor log_probs =
          torch::log_softmax(model(batch, TeacherForcing()), -1, torch::kFloat32);
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
