// Translators over models in memory.
#ifndef TESTS_SEARCH_MODEL_TRANSLATOR_H_
#define TESTS_SEARCH_MODEL_TRANSLATOR_H_

#include <memory>
#include <optional>
#include <utility>

#include "seq2seq/model/scoring_model.h"
#include "seq2seq/search/translator.h"
#include "seq2seq/source/source.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

// A translator in fp32 on the CPU.
inline Translator ModelTranslator(Model model, std::optional<Tokenizer> source, Tokenizer target,
                                  const TranslatorOptions& options = {}) {
  const SourceOptions reads = {.kind = model->options().source};
  std::shared_ptr<const Source> reader = MakeSource(reads, std::move(source), target);
  return Translator(MakeScoringModel(std::move(model), torch::kCPU, Precision::kFp32),
                    std::move(reader), std::move(target), options);
}

}  // namespace seq2seq

#endif  // TESTS_SEARCH_MODEL_TRANSLATOR_H_
