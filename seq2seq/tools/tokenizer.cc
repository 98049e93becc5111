// `seq2seq tokenizer`: learns tokenizer models and applies them to lines.
#include "tokenizer/tokenizer.h"

#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include <CLI/CLI.hpp>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/line_reader.h"
#include "seq2seq/base/options.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/utf8.h"
#include "seq2seq/tools/command.h"
#include "tokenizer/train.h"

namespace seq2seq {
namespace {

struct CodeFlags {
  std::string model;
  std::string input = "-";
  bool ids = false;
  int n_best = 1;
  double sample = 0;
  uint32_t seed = 1;
};

// Writes `translate` of each line of a file to stdout, flushed line by line for interactive use.
absl::Status MapLines(
    const std::string& path,
    const std::function<absl::StatusOr<std::string>(const std::string&)>& translate) {
  SEQ2SEQ_ASSIGN_OR_RETURN(std::unique_ptr<LineReader> reader, LineReader::Open(path));
  std::string line;
  while (true) {
    SEQ2SEQ_ASSIGN_OR_RETURN(bool more, reader->Next(line));
    if (!more) return absl::OkStatus();
    SEQ2SEQ_ASSIGN_OR_RETURN(const std::string output, translate(line));
    if (!(std::cout << output << std::endl))
      return absl::DataLossError("standard output: cannot write");
  }
}

std::string Format(const Tokenizer& tokenizer, const std::vector<int32_t>& ids, bool as_ids) {
  return as_ids ? absl::StrJoin(ids, " ") : absl::StrJoin(tokenizer.Subwords(ids), " ");
}

absl::Status Encode(const CodeFlags& flags) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const Tokenizer tokenizer, Tokenizer::Load(flags.model));
  uint32_t number = 0;
  return MapLines(flags.input, [&](const std::string& raw) -> absl::StatusOr<std::string> {
    const std::string line = RepairUtf8(raw);
    if (flags.sample > 0) {
      return Format(tokenizer, tokenizer.Sample({line}, flags.sample, flags.seed + number++)[0],
                    flags.ids);
    }
    if (flags.n_best == 1) return Format(tokenizer, tokenizer.Encode(line), flags.ids);
    SEQ2SEQ_ASSIGN_OR_RETURN(const auto segmentations, tokenizer.EncodeNBest(line, flags.n_best));
    std::vector<std::string> texts;
    for (const auto& ids : segmentations) texts.push_back(Format(tokenizer, ids, flags.ids));
    return absl::StrJoin(texts, "\t");
  });
}

absl::Status Decode(const CodeFlags& flags) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const Tokenizer tokenizer, Tokenizer::Load(flags.model));
  std::map<std::string, int32_t> ids_by_piece;
  for (int32_t id = 0; id < tokenizer.size(); ++id)
    ids_by_piece.emplace(tokenizer.Subwords({id})[0], id);
  int64_t number = 0;
  return MapLines(flags.input, [&](const std::string& line) -> absl::StatusOr<std::string> {
    ++number;
    std::vector<int32_t> ids;
    for (const absl::string_view word : absl::StrSplit(line, ' ', absl::SkipEmpty())) {
      int32_t id = kUnknownId;
      if (flags.ids) {
        if (!absl::SimpleAtoi(word, &id) || id < 0 || id >= tokenizer.size()) {
          return absl::InvalidArgumentError(
              absl::StrCat(flags.input == "-" ? "standard input" : flags.input, ":", number,
                           ": expected an id below ", tokenizer.size(), ", found '", word, "'"));
        }
      } else if (const auto found = ids_by_piece.find(std::string(word));
                 found != ids_by_piece.end()) {
        id = found->second;
      }
      ids.push_back(id);
    }
    return tokenizer.Decode(ids);
  });
}

void AddLearning(CLI::App& tokenizer, absl::Status* status) {
  CLI::App* train = tokenizer.add_subcommand("train", "Learns a tokenizer model from text");
  auto options = std::make_shared<TokenizerTrainOptions>();
  const std::vector<std::string> kinds = EnumTexts(options->kind);
  auto kind = std::make_shared<std::string>(kinds[0]);
  train
      ->add_option("-i,--input", options->input,
                   "Text, plain or in gzip, zstd or xz; repeat for a model shared by several "
                   "languages")
      ->option_text("FILE")
      ->allow_extra_args(false)
      ->required();
  train->add_option("-m,--model", options->model, "The file to write")
      ->option_text("FILE")
      ->required();
  train->add_option("-t,--type", *kind, "Type of subword model")
      ->check(CLI::IsMember(kinds))
      ->capture_default_str();
  train
      ->add_option(
          "-v,--vocab-size", options->vocab_size,
          "Maximum number of subwords; 4000 to 8000 for small corpora, 32000 for large ones")
      ->check(CLI::Range(5, 1'000'000))
      ->capture_default_str();
  train
      ->add_option("--character-coverage", options->character_coverage,
                   "Share of the text's characters that the vocabulary covers; 0.9995 for Chinese "
                   "or Japanese")
      ->check(CLI::Range(0.9, 1.0))
      ->capture_default_str();
  train
      ->add_option("--normalization", options->normalization,
                   "Unicode normalisation; those with _cf also fold case")
      ->check(CLI::IsMember({"nmt_nfkc", "nfkc", "nmt_nfkc_cf", "nfkc_cf", "identity"}))
      ->capture_default_str();
  train->add_flag("--byte-fallback", options->byte_fallback,
                  "Add a subword for each byte, so that no character is unknown: those that the "
                  "text lacks, or character coverage leaves out, are spelt in UTF-8; bpe and "
                  "unigram");
  train
      ->add_option("--symbol", options->symbols,
                   "A subword that is never split, such as <name>; repeat for several")
      ->option_text("TEXT")
      ->allow_extra_args(false);
  train
      ->add_option("--max-sentences", options->max_sentences,
                   "Maximum number of lines to learn from; a larger corpus is sampled")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  train->callback([options, kind, status] {
    options->kind = *EnumFromText<TokenizerKind>(*kind);
    *status = TrainTokenizer(*options);
  });
}

// The flags that encode and decode share.
std::shared_ptr<CodeFlags> AddCoding(CLI::App& command, const std::string& ids_help) {
  auto flags = std::make_shared<CodeFlags>();
  command.add_option("-m,--model", flags->model, "A tokenizer model")
      ->option_text("FILE")
      ->required();
  command.add_option("-i,--input", flags->input, "Lines; - is standard input")
      ->option_text("FILE")
      ->capture_default_str();
  command.add_flag("--ids", flags->ids, ids_help);
  return flags;
}

}  // namespace

void AddTokenizer(CLI::App& program, absl::Status* status) {
  CLI::App* tokenizer =
      program.add_subcommand("tokenizer", "Learns tokenizer models and applies them");
  tokenizer->require_subcommand(1);
  AddLearning(*tokenizer, status);

  CLI::App* encode = tokenizer->add_subcommand("encode", "Splits lines of text into subwords");
  const auto encode_flags = AddCoding(*encode, "Print ids instead of subwords");
  encode
      ->add_option("--n-best", encode_flags->n_best,
                   "Segmentations per line, separated by tabs; unigram models only")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  encode
      ->add_option("--sample", encode_flags->sample,
                   "Sample a segmentation: unigram smooths probabilities by this power, bpe drops "
                   "merges with this probability")
      ->check(CLI::Range(0.0, 1.0))
      ->option_text("ALPHA");
  encode->add_option("--seed", encode_flags->seed, "Random seed of --sample")
      ->capture_default_str();
  encode->callback([encode_flags, status] { *status = Encode(*encode_flags); });

  CLI::App* decode = tokenizer->add_subcommand("decode", "Joins subwords into text");
  const auto decode_flags = AddCoding(*decode, "Read ids instead of subwords");
  decode->callback([decode_flags, status] { *status = Decode(*decode_flags); });
}

}  // namespace seq2seq
