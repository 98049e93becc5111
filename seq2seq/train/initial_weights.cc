#include "seq2seq/train/initial_weights.h"

#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/log.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/inference/run_folder.h"
#include "seq2seq/model/parameters.h"
#include "seq2seq/weights/quantized_weights.h"
#include "seq2seq/weights/safetensors.h"
#include "seq2seq/weights/transfer.h"
#include "seq2seq/weights/word_vectors.h"

namespace seq2seq {
namespace {

std::vector<std::string> SubwordsOf(const Tokenizer& tokenizer) {
  std::vector<int32_t> ids(static_cast<size_t>(tokenizer.size()));
  std::iota(ids.begin(), ids.end(), 0);
  return tokenizer.Subwords(ids);
}

// A contiguous copy in fp32. Parameters of an image network have the type and layout that its file
// gives them.
torch::Tensor CopyToFloat32(const torch::Tensor& parameter) {
  return parameter.detach().to(torch::kFloat32, /*non_blocking=*/false, /*copy=*/true,
                               torch::MemoryFormat::Contiguous);
}

absl::Status TakeFromRun(const std::string& path, const Vocabularies& subwords, Model& model) {
  const absl::StatusOr<StoredModel> found = FindModel(path);
  if (!found.ok()) {
    return absl::Status(found.status().code(),
                        absl::StrCat("train.init_from: ", found.status().message()));
  }
  const StoredModel& stored = *found;
  Vocabularies theirs;
  if (stored.options.source == SourceKind::kText) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const Tokenizer source, Tokenizer::Load(stored.run.SourceTokenizer()));
    theirs.source = SubwordsOf(source);
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(const Tokenizer target, Tokenizer::Load(stored.run.TargetTokenizer()));
  theirs.target = SubwordsOf(target);
  const std::string file = stored.step + kWeightsFile;
  SEQ2SEQ_ASSIGN_OR_RETURN(const ArrayMap arrays, ReadArrays(file));
  SEQ2SEQ_ASSIGN_OR_RETURN(ArrayMap weights, DequantizeWeights(arrays, file));
  const TensorMap parameters = Parameters(*model);
  // A shared embedding is the encoder's too.
  const std::string own = "encoder.embedding.weight";
  const auto shared = weights.find("decoder.embedding.weight");
  if (stored.options.shared_embeddings && parameters.count(own) > 0 && shared != weights.end())
    weights.emplace(own, shared->second);
  TensorMap values;
  for (const auto& [name, parameter] : parameters) values.emplace(name, CopyToFloat32(parameter));
  const TransferReport report = TransferWeights(weights, theirs, ToArrays(values), subwords);
  for (const std::string& line : report.Lines())
    Log(LogLevel::kInfo, absl::StrCat("train.init_from: ", line));
  if (report.taken.empty() && report.taken_in_part.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("train.init_from: no tensor of ", path, " fits this model"));
  }
  return AssignTensors(values, path, parameters);
}

absl::Status TakeVectors(const char* key, const std::string& path,
                         const std::vector<std::string>& subwords, const std::string& tensor,
                         Model& model) {
  torch::Tensor parameter = Parameters(*model).at(tensor);
  const torch::Tensor values = CopyToFloat32(parameter);
  SEQ2SEQ_ASSIGN_OR_RETURN(const VectorCoverage coverage,
                           LoadWordVectors(path, subwords, ToArray(values).matrix()));
  Log(LogLevel::kInfo, absl::StrCat(key, ": ", coverage.words, " words read, vectors for ",
                                    coverage.found, " of ", coverage.subwords, " subwords"));
  const torch::NoGradGuard no_grad;
  parameter.copy_(values);
  return absl::OkStatus();
}

}  // namespace

absl::Status SetInitialWeights(const RunOptions& options, const std::optional<Tokenizer>& source,
                               const Tokenizer& target, Model& model) {
  Vocabularies subwords = {{}, SubwordsOf(target)};
  if (source) subwords.source = SubwordsOf(*source);
  if (!options.init_from.empty())
    SEQ2SEQ_RETURN_IF_ERROR(TakeFromRun(options.init_from, subwords, model));
  const bool shared = model->options().shared_embeddings;
  if (!options.source_vectors.empty()) {
    if (!source || shared) {
      return absl::InvalidArgumentError(
          absl::StrCat("train.source_vectors: ",
                       shared ? "source and target share one embedding; use train.target_vectors"
                              : "model.source is not text"));
    }
    SEQ2SEQ_RETURN_IF_ERROR(TakeVectors("train.source_vectors", options.source_vectors,
                                        subwords.source, "encoder.embedding.weight", model));
  }
  if (options.target_vectors.empty()) return absl::OkStatus();
  return TakeVectors("train.target_vectors", options.target_vectors, subwords.target,
                     "decoder.embedding.weight", model);
}

}  // namespace seq2seq
