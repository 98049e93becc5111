#include "seq2seq/weights/transfer.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace seq2seq {
namespace {

// The tensors with a row per subword, and the vocabulary of their rows.
constexpr std::pair<const char*, std::vector<std::string> Vocabularies::*> kTensorsOfSubwords[] = {
    {"encoder.embedding.weight", &Vocabularies::source},
    {"decoder.embedding.weight", &Vocabularies::target},
    {"decoder.output_weight", &Vocabularies::target},
    {"decoder.output_bias", &Vocabularies::target},
};

// The vocabulary that the rows of a tensor belong to; null if none.
const std::vector<std::string>* SubwordsOf(const std::string& name, const Vocabularies& subwords) {
  for (const auto& [tensor, vocabulary] : kTensorsOfSubwords) {
    if (name == tensor) return &(subwords.*vocabulary);
  }
  return nullptr;
}

// Whether rows of `a` can be copied to `b`, and each has a row per subword.
bool RowsFit(const Array& a, size_t a_subwords, const Array& b, size_t b_subwords) {
  return a.shape.size() == b.shape.size() && !a.shape.empty() &&
         std::equal(a.shape.begin() + 1, a.shape.end(), b.shape.begin() + 1) &&
         a.shape[0] >= static_cast<int64_t>(a_subwords) &&
         b.shape[0] >= static_cast<int64_t>(b_subwords);
}

// Copies the rows of the subwords that are in both vocabularies; returns their number.
int64_t CopyRows(const Array& from, const std::vector<std::string>& from_subwords, const Array& to,
                 const std::vector<std::string>& to_subwords) {
  absl::flat_hash_map<std::string, size_t> rows;
  for (size_t row = 0; row < from_subwords.size(); ++row) rows.emplace(from_subwords[row], row);
  const auto size = static_cast<size_t>(to.size() / std::max<int64_t>(to.shape[0], 1));
  int64_t copied = 0;
  for (size_t row = 0; row < to_subwords.size(); ++row) {
    const auto found = rows.find(to_subwords[row]);
    if (found == rows.end()) continue;
    std::copy_n(from.values<float>() + found->second * size, size, to.values<float>() + row * size);
    ++copied;
  }
  return copied;
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

TransferReport TransferWeights(const ArrayMap& from, const Vocabularies& from_subwords,
                               const ArrayMap& to, const Vocabularies& to_subwords) {
  TransferReport report;
  for (const auto& [name, array] : to) {
    const auto found = from.find(name);
    if (found == from.end()) {
      report.missing.push_back(name);
      continue;
    }
    const Array& source = found->second;
    const std::vector<std::string>* before = SubwordsOf(name, from_subwords);
    const std::vector<std::string>* now = SubwordsOf(name, to_subwords);
    const bool follow = before != nullptr && *before != *now;
    if (follow && RowsFit(source, before->size(), array, now->size())) {
      const int64_t copied = CopyRows(ToFloat32(source), *before, array, *now);
      report.taken_in_part.push_back(
          absl::StrCat(name, " (", copied, " of ", now->size(), " subwords)"));
    } else if (!follow && source.shape == array.shape) {
      const Array values = ToFloat32(source);
      std::copy_n(values.values<float>(), values.size(), array.values<float>());
      report.taken.push_back(name);
    } else {
      report.misfits.push_back(
          absl::StrCat(name, " ", ShapeText(source.shape), " for ", ShapeText(array.shape)));
    }
  }
  for (const auto& [name, array] : from) {
    if (to.count(name) == 0) report.unused.push_back(name);
  }
  return report;
}

}  // namespace seq2seq
