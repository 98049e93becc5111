#include "seq2seq/tools/torch/corpus_shortlist.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include <spdlog/spdlog.h>

#include "seq2seq/base/options.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/data/corpus_mix.h"
#include "seq2seq/data/data_options.h"
#include "seq2seq/data/learn_shortlist.h"
#include "seq2seq/data/source_encoder.h"
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
  if (!corpus.empty()) {
    data.train = corpus;
    data.weights.clear();
  }
  std::vector<Corpus> corpora;
  std::vector<const Corpus*> mixed;
  for (const std::vector<std::string>& files : TrainCorpora(data)) {
    const std::string cache = room + "/corpus";
    SEQ2SEQ_ASSIGN_OR_RETURN(Corpus one,
                             Corpus::Build(files, EncodeText(source), target, data.filter, cache));
    std::filesystem::remove(cache);  // It stays mapped.
    corpora.push_back(std::move(one));
  }
  for (const Corpus& one : corpora) mixed.push_back(&one);
  const CorpusMix mix(mixed, std::vector<double>(mixed.size(), 1));
  spdlog::info("learning a shortlist from {} pairs", mix.size());
  return LearnShortlist(mix, source.size(), target.size(), size);
}

}  // namespace seq2seq
