#include "seq2seq/tools/torch/corpus_shortlist.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include <ATen/Parallel.h>
#include <spdlog/spdlog.h>

#include "seq2seq/base/options.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/data/corpus_mix.h"
#include "seq2seq/data/data_options.h"
#include "seq2seq/data/learn_shortlist.h"
#include "seq2seq/data/source_encoder.h"
#include "seq2seq/model/stored_module.h"
#include "seq2seq/search/translator.h"
#include "seq2seq/tools/machine.h"
#include "seq2seq/train/standard_input.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

// The section of config.yaml that names the training corpus.
struct DataSection {
  DataOptions data;

  template <typename V>
  void Visit(V&& visit) {
    visit("data", data);
  }
};

// Sentences of the training corpus that are translated to find the subwords that the model
// generates most. More would hardly change these, and take longer.
constexpr int64_t kTranslated = 3000;

// The model's translations of sentences of its corpus at equal distances.
absl::StatusOr<std::vector<TokenIds>> TranslateSome(const StoredModel& stored,
                                                    const CorpusMix& corpus,
                                                    const Tokenizer& tokenizer) {
  SEQ2SEQ_ASSIGN_OR_RETURN(
      const Translator translator,
      Translator::Load({stored.step}, {.shortlist = false, .load_module = LoadScoringModel}));
  std::vector<std::string> lines;
  const int64_t distance = (corpus.size() + kTranslated - 1) / kTranslated;
  for (int64_t pair = 0; pair < corpus.size(); pair += distance)
    lines.push_back(tokenizer.Decode(corpus[pair].source));
  spdlog::info("translating {} sentences for the shortlist", lines.size());
  SEQ2SEQ_ASSIGN_OR_RETURN(const auto results, translator.Translate(lines));
  std::vector<TokenIds> outputs;
  for (const std::vector<Candidate>& candidates : results) outputs.push_back(candidates[0].tokens);
  return outputs;
}

}  // namespace

absl::StatusOr<Shortlist> LearnCorpusShortlist(const StoredModel& stored,
                                               const std::vector<std::string>& corpus,
                                               const ShortlistSize& size, const std::string& room) {
  if (stored.options.source != SourceKind::kText) {
    return absl::InvalidArgumentError(
        absl::StrCat(stored.run.path, ": a shortlist needs a model whose model.source is text"));
  }
  DataSection section;
  SEQ2SEQ_RETURN_IF_ERROR(
      ReadOptions(stored.run.Config(), ListOptions(section), OtherSections::kIgnored));
  SEQ2SEQ_ASSIGN_OR_RETURN(const Tokenizer source, Tokenizer::Load(stored.run.SourceTokenizer()));
  SEQ2SEQ_ASSIGN_OR_RETURN(const Tokenizer target, Tokenizer::Load(stored.run.TargetTokenizer()));
  DataOptions& data = section.data;
  data.train = ReplaceStandardInput(stored.run, std::move(data.train));
  if (!corpus.empty()) {
    data.train = corpus;
    data.weights.clear();
  }
  SetUpThreads(0);
  std::vector<Corpus> corpora;
  std::vector<const Corpus*> mixed;
  for (const std::vector<std::string>& files : TrainCorpora(data)) {
    const std::string cache = room + "/corpus";
    SEQ2SEQ_ASSIGN_OR_RETURN(Corpus one, Corpus::Build(files, EncodeText(source), target,
                                                       data.filter, cache, at::get_num_threads()));
    std::filesystem::remove(cache);  // It stays mapped.
    corpora.push_back(std::move(one));
  }
  for (const Corpus& one : corpora) mixed.push_back(&one);
  const CorpusMix mix(mixed, std::vector<double>(mixed.size(), 1));
  spdlog::info("learning a shortlist from {} pairs", mix.size());
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<TokenIds> outputs, TranslateSome(stored, mix, source));
  return LearnShortlist(mix, outputs, source.size(), target.size(), size);
}

}  // namespace seq2seq
