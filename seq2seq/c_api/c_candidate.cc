#include "seq2seq/c_api/c_candidate.h"

#include <string>
#include <utility>

namespace seq2seq {
namespace {

std::vector<const char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<const char*> pointers;
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  return pointers;
}

}  // namespace

CCandidate::CCandidate(Candidate candidate)
    : candidate_(std::move(candidate)),
      subwords_(Pointers(candidate_.subwords)),
      source_(Pointers(candidate_.alignment.source)) {
  const auto& weights = candidate_.alignment.weights;
  for (const std::vector<float>& row : weights)
    attention_.insert(attention_.end(), row.begin(), row.end());
  fields_.size = sizeof fields_;
  fields_.text = candidate_.text.c_str();
  fields_.score = candidate_.score;
  fields_.log_probability = candidate_.log_probability;
  fields_.subword_count = subwords_.size();
  fields_.subwords = subwords_.data();
  fields_.tokens = candidate_.tokens.data();
  fields_.score_count = candidate_.token_scores.size();
  fields_.token_scores = candidate_.token_scores.data();
  if (weights.empty()) return;
  fields_.attention = attention_.data();
  fields_.source_count = weights[0].size();
  if (!source_.empty()) fields_.source_subwords = source_.data();
}

}  // namespace seq2seq
