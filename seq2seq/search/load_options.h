// Options for loading trained models.
#ifndef SEQ2SEQ_SEARCH_LOAD_OPTIONS_H_
#define SEQ2SEQ_SEARCH_LOAD_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "seq2seq/image/image.h"
#include "seq2seq/inference/run_folder.h"
#include "seq2seq/kernels/precision_choice.h"
#include "seq2seq/search/ensemble_scorer.h"
#include "seq2seq/search/scorer.h"
#include "seq2seq/search/search_limits.h"

namespace seq2seq {

// Loads a model that has no inference form, or for another device than the CPU: LoadScoringModel of
// model/stored_module.h, which needs LibTorch.
using ModuleLoader = std::function<absl::StatusOr<std::shared_ptr<const ScoringModel>>(
    const StoredModel& stored, const std::string& device, Precision precision)>;

// Bounds of a translator.
struct TranslatorOptions {
  // Maximum number of sentences that are searched together, and of the tokens of their sources or
  // prefixes, padding included. More are faster on long inputs, and take more memory.
  int64_t batch_size = 64;
  int64_t batch_tokens = 8192;

  // Maximum number of scores in a time step of a batch, 4 bytes each: a row of the target
  // vocabulary for each hypothesis of each sentence. It limits the sentences in a batch.
  int64_t batch_scores = 64'000'000;

  // Maximum of the estimated bytes of a batch, beyond weight_bytes(); 0 is no bound. It limits the
  // sentences in a batch, to at least one.
  double batch_bytes = 0;

  // Longest line in subwords; longer ones are cut.
  int64_t max_line_length = 1000;

  // Limits on each request.
  SearchLimits limits = {};
};

struct LoadOptions {
  std::string device = "cpu";  // Or "cuda", "cuda:1", …, which need `load_module`.
  // Precision of matrix products; bf16 and int8 are faster. If absent, that of the stored weights
  // if the device has it; auto is the same, but bf16 for fp32 weights if the processor has it.
  std::optional<PrecisionChoice> precision = std::nullopt;
  EnsembleMean mean = EnsembleMean::kProbability;
  std::vector<double> weights =
      {};                 // Of the models of an ensemble, positive; empty for equal ones.
  bool shortlist = true;  // Use that of the first model, if it has one.
  // Run folder of a language model for shallow fusion, weighted by
  // SearchOptions::language_model_weight: without a source, and with the tokenizer of the target.
  std::string language_model = "";
  // A lexicon (search/lexicon.h) for SearchOptions::replace_unknown.
  std::string lexicon = "";
  // Run image networks in TorchScript: code written by the author of the model.
  bool allow_scripts = false;
  // Largest image in pixels, and largest sum of the images that are decoded at the same time, at 12
  // bytes each; larger ones are refused.
  int64_t max_pixels = kMaxPixels;
  TranslatorOptions translator = {};
  ModuleLoader load_module = nullptr;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_LOAD_OPTIONS_H_
