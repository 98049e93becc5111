#include "seq2seq/inference/attention_kind.h"

#include <cmath>

namespace seq2seq {
namespace {

// Additive attention, and what coverage and location add to it.
void ListAdditive(int64_t memory, int64_t hidden, AttentionArrays& attention,
                  const ArrayLister& lister) {
  lister.Add("key_projection.weight", attention.key_projection, {hidden, memory});
  lister.Add("key_projection.bias", attention.key_projection_bias, {hidden});
  lister.Add("query_projection.weight", attention.query_projection, {hidden, hidden});
  lister.Add("energy.weight", attention.energy, {1, hidden});
}

}  // namespace

bool HasTrainingKernel(AttentionKind kind) {
  switch (kind) {
    case AttentionKind::kGeneral:
    case AttentionKind::kDot:
    case AttentionKind::kScaledDot:
    case AttentionKind::kMlp:
    case AttentionKind::kCoverage:
    case AttentionKind::kNone:
      return true;
    case AttentionKind::kMultiHead:
    case AttentionKind::kLocation:
      return false;
  }
  return false;  // Not one of the kinds.
}

bool HasPast(AttentionKind kind) {
  switch (kind) {
    case AttentionKind::kCoverage:
    case AttentionKind::kLocation:
      return true;
    case AttentionKind::kGeneral:
    case AttentionKind::kDot:
    case AttentionKind::kMlp:
    case AttentionKind::kScaledDot:
    case AttentionKind::kMultiHead:
    case AttentionKind::kNone:
      return false;
  }
  return false;  // Not one of the kinds.
}

double KeyScale(AttentionKind kind, int64_t memory) {
  return kind == AttentionKind::kScaledDot ? 1 / std::sqrt(static_cast<double>(memory)) : 1;
}

int64_t ContextSize(AttentionKind kind, int64_t memory, int64_t hidden) {
  switch (kind) {
    case AttentionKind::kGeneral:
    case AttentionKind::kDot:
    case AttentionKind::kScaledDot:
    case AttentionKind::kMlp:
    case AttentionKind::kCoverage:
    case AttentionKind::kLocation:
      return memory;
    case AttentionKind::kMultiHead:
      return hidden;
    case AttentionKind::kNone:
      return 0;
  }
  return 0;  // Not one of the kinds.
}

int64_t ScoreWorkspace(AttentionKind kind, int64_t hidden) {
  switch (kind) {
    case AttentionKind::kMlp:
      return 2 * hidden;  // A sum of projections, and its tanh.
    case AttentionKind::kCoverage:
    case AttentionKind::kLocation:
      return 3 * hidden;  // Projections of earlier attention weights, too.
    case AttentionKind::kGeneral:
    case AttentionKind::kDot:
    case AttentionKind::kScaledDot:
    case AttentionKind::kMultiHead:
    case AttentionKind::kNone:
      return hidden;  // A copy of the key.
  }
  return 0;  // Not one of the kinds.
}

void ListArrays(AttentionKind kind, int64_t memory, int64_t hidden, AttentionArrays& attention,
                const ArrayLister& lister) {
  switch (kind) {
    case AttentionKind::kGeneral:
      lister.Add("projection.weight", attention.projection, {hidden, memory});
      break;
    case AttentionKind::kDot:
    case AttentionKind::kScaledDot:
    case AttentionKind::kNone:
      break;
    case AttentionKind::kMlp:
      ListAdditive(memory, hidden, attention, lister);
      break;
    case AttentionKind::kCoverage:
      ListAdditive(memory, hidden, attention, lister);
      lister.Add("coverage.weight", attention.coverage, {hidden, 1});
      break;
    case AttentionKind::kLocation:
      ListAdditive(memory, hidden, attention, lister);
      lister.Add("filters.weight", attention.filters, {kLocationFilters, 1, kLocationFilterWidth});
      lister.Add("location.weight", attention.location, {hidden, kLocationFilters});
      break;
    case AttentionKind::kMultiHead:
      lister.Add("query_projection.weight", attention.query_projection, {hidden, hidden});
      lister.Add("key_projection.weight", attention.key_projection, {hidden, memory});
      lister.Add("value_projection.weight", attention.value_projection, {hidden, memory});
      break;
  }
}

}  // namespace seq2seq
