#include "seq2seq/weights/transfer.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include <torch/torch.h>

namespace seq2seq {
namespace {

// The vocabulary that the rows of a tensor belong to; null if none.
const std::vector<std::string>* SubwordsOf(const std::string& name, const Vocabularies& subwords) {
  if (name == "encoder.embedding.weight") return &subwords.source;
  const bool target = name == "decoder.embedding.weight" || name == "decoder.output_weight" ||
                      name == "decoder.output_bias";
  return target ? &subwords.target : nullptr;
}

// Copies the rows of the subwords that are in both vocabularies; returns their number.
int64_t CopyRows(const torch::Tensor& from, const std::vector<std::string>& from_subwords,
                 torch::Tensor to, const std::vector<std::string>& to_subwords) {
  absl::flat_hash_map<std::string, int64_t> positions;
  for (size_t i = 0; i < from_subwords.size(); ++i)
    positions.emplace(from_subwords[i], static_cast<int64_t>(i));
  std::vector<int64_t> sources, targets;
  for (size_t i = 0; i < to_subwords.size(); ++i) {
    const auto found = positions.find(to_subwords[i]);
    if (found == positions.end()) continue;
    sources.push_back(found->second);
    targets.push_back(static_cast<int64_t>(i));
  }
  to.index_copy_(0, torch::tensor(targets, torch::kInt64),
                 from.index_select(0, torch::tensor(sources, torch::kInt64)).to(to.scalar_type()));
  return static_cast<int64_t>(targets.size());
}

}  // namespace

std::vector<std::string> TransferReport::Lines() const {
  const size_t all = taken.size() + taken_in_part.size();
  std::vector<std::string> lines = {
      absl::StrCat(all, all == 1 ? " tensor copied" : " tensors copied")};
  const auto add = [&](const char* what, const std::vector<std::string>& names) {
    if (!names.empty()) lines.push_back(absl::StrCat(what, ": ", absl::StrJoin(names, ", ")));
  };
  add("of these in part", taken_in_part);
  add("of another shape, not copied", misfits);
  add("in the new model only, initialised", missing);
  add("in the old model only, ignored", unused);
  return lines;
}

TransferReport TransferWeights(const TensorMap& from, const Vocabularies& from_subwords,
                               TensorMap to, const Vocabularies& to_subwords) {
  const torch::NoGradGuard no_grad;
  TransferReport report;
  for (auto& [name, tensor] : to) {
    const auto found = from.find(name);
    if (found == from.end()) {
      report.missing.push_back(name);
      continue;
    }
    const torch::Tensor& source = found->second;
    const std::vector<std::string>* before = SubwordsOf(name, from_subwords);
    const std::vector<std::string>* now = SubwordsOf(name, to_subwords);
    const bool rows_fit = source.dim() == tensor.dim() && source.dim() > 0 &&
                          source.sizes().slice(1) == tensor.sizes().slice(1);
    if (before != nullptr && *before != *now && rows_fit) {
      const int64_t copied = CopyRows(source, *before, tensor, *now);
      report.taken_in_part.push_back(
          absl::StrCat(name, " (", copied, " of ", now->size(), " subwords)"));
    } else if (source.sizes() == tensor.sizes()) {
      tensor.copy_(source);
      report.taken.push_back(name);
    } else {
      report.misfits.push_back(absl::StrCat(name, " [", absl::StrJoin(source.sizes(), ", "),
                                            "] for [", absl::StrJoin(tensor.sizes(), ", "), "]"));
    }
  }
  for (const auto& [name, tensor] : from) {
    if (to.count(name) == 0) report.unused.push_back(name);
  }
  return report;
}

}  // namespace seq2seq
