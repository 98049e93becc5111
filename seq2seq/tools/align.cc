// `seq2seq align`: learns word alignments of parallel text, and prints them.
#include <algorithm>
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include "seq2seq/align/word_aligner.h"
#include "seq2seq/base/file.h"
#include "seq2seq/base/line_reader.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/task.h"
#include "seq2seq/metrics/unicode.h"
#include "seq2seq/tools/command.h"
#include "seq2seq/tools/option_flags.h"

namespace seq2seq {
namespace {

struct AlignFlags {
  std::string source;
  std::string target;
  std::string output = "-";
  std::string lexicon;
  Symmetrization symmetrization = Symmetrization::kGrowDiagFinalAnd;
  bool lowercase = false;
};

// The lines of a file as ids of their words, from 1 on, in the order of their first occurrence.
class Words {
 public:
  static absl::StatusOr<Words> Read(const std::string& path, bool lowercase) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<LineReader> reader, LineReader::Open(path));
    Words words;
    Task task("reading " + path, "lines");
    std::string line;
    while (true) {
      SEQ2SEQ_ASSIGN_OR_RETURN(const bool more, reader->Next(line));
      if (!more) return words;
      words.Append(lowercase ? EncodeUtf8(ToLower(DecodeUtf8(line))) : line);
      task.Add(1);
    }
  }

  int64_t lines() const { return static_cast<int64_t>(begins_.size()) - 1; }
  int64_t vocabulary() const { return static_cast<int64_t>(texts_.size()); }
  const std::string& text(size_t id) const { return texts_[id]; }

  absl::Span<const int32_t> operator[](int64_t line) const {
    const auto number = static_cast<size_t>(line);
    return absl::MakeConstSpan(ids_).subspan(begins_[number],
                                             begins_[number + 1] - begins_[number]);
  }

 private:
  void Append(const std::string& line) {
    for (const absl::string_view word :
         absl::StrSplit(line, absl::ByAnyChar(" \t\v\f\r"), absl::SkipEmpty())) {
      const auto [found, is_new] = numbers_.try_emplace(word, static_cast<int32_t>(texts_.size()));
      if (is_new) texts_.emplace_back(word);
      ids_.push_back(found->second);
    }
    begins_.push_back(ids_.size());
  }

  std::vector<int32_t> ids_;
  std::vector<size_t> begins_ = {0};
  std::vector<std::string> texts_ = {""};  // By id; the first is the empty word.
  absl::flat_hash_map<std::string, int32_t> numbers_;
};

// Writes the most probable translations of each word.
absl::Status WriteLexicon(const std::string& path, const LexicalModel& model, const Words& source,
                          const Words& target) {
  constexpr size_t kMost = 5;
  constexpr float kLeast = 0.05F;
  SEQ2SEQ_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
  const auto translations = model.Translations();
  for (size_t word = 1; word < translations.size(); ++word) {
    for (size_t i = 0; i < translations[word].size() && i < kMost; ++i) {
      const LexicalTranslation& translation = translations[word][i];
      if (translation.probability < kLeast) break;
      SEQ2SEQ_RETURN_IF_ERROR(file.Append(absl::StrFormat(
          "%s\t%s\t%.4f\n", source.text(word), target.text(static_cast<size_t>(translation.token)),
          translation.probability)));
    }
  }
  return file.Commit();
}

absl::Status RunAlign(const AlignFlags& flags) {
  for (const auto& [flag, path] :
       {std::pair{"--source", flags.source}, {"--target", flags.target}}) {
    if (path == "-")
      return absl::InvalidArgumentError(absl::StrCat(flag, ": expected a file, found -"));
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(const Words source, Words::Read(flags.source, flags.lowercase));
  SEQ2SEQ_ASSIGN_OR_RETURN(const Words target, Words::Read(flags.target, flags.lowercase));
  if (source.lines() != target.lines()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s has %d lines, and %s %d: each line of one is a translation of that of "
                        "the other",
                        flags.source, source.lines(), flags.target, target.lines()));
  }
  if (source.lines() == 0)
    return absl::InvalidArgumentError(absl::StrCat(flags.source, ": has no lines to align"));
  std::optional<AtomicFile> file;
  if (flags.output != "-") {
    SEQ2SEQ_ASSIGN_OR_RETURN(AtomicFile created, AtomicFile::Create(flags.output));
    file.emplace(std::move(created));
  }
  const SentencePairs pairs = {source.lines(), [&](int64_t line) {
                                 return SentencePair{source[line], target[line]};
                               }};
  std::optional<WordAligner> aligner;
  {
    const Task task("learning alignments", "");
    aligner.emplace(
        WordAligner::Learn(pairs, source.vocabulary(), target.vocabulary(), flags.symmetrization));
  }
  if (!flags.lexicon.empty()) {
    SEQ2SEQ_RETURN_IF_ERROR(WriteLexicon(flags.lexicon, aligner->lexical_model(), source, target));
  }
  Task task("aligning", "lines", pairs.size);
  int64_t links = 0, too_long = 0;
  for (int64_t line = 0; line < pairs.size; ++line) {
    const SentencePair pair = pairs.at(line);
    const std::vector<AlignedWords> aligned = aligner->Align(pair);
    links += static_cast<int64_t>(aligned.size());
    if (std::max(pair.source.size(), pair.target.size()) > HiddenMarkovAligner::kMaxWords)
      ++too_long;
    const std::string text = PharaohText(aligned) + "\n";
    if (file) {
      SEQ2SEQ_RETURN_IF_ERROR(file->Append(text));
    } else if (!(std::cout << text)) {
      return absl::DataLossError("standard output: cannot write");
    }
    task.Add(1);
  }
  if (too_long > 0) {
    spdlog::warn("warning: {} lines have more than {} words, and were not aligned", too_long,
                 HiddenMarkovAligner::kMaxWords);
  }
  spdlog::info("{} lines, {} links", pairs.size, links);
  if (file) return file->Commit();
  if (!std::cout.flush()) return absl::DataLossError("standard output: cannot write");
  return absl::OkStatus();
}

}  // namespace

void AddAlign(CLI::App& program, absl::Status* status) {
  CLI::App* align = program.add_subcommand(
      "align", "Learns which words of parallel text translate each other, and prints their links");
  auto flags = std::make_shared<AlignFlags>();
  align
      ->add_option(
          "-s,--source", flags->source,
          "Sentences, one per line, with spaces between the words; plain, or in gzip, zstd "
          "or xz")
      ->option_text("FILE")
      ->required();
  align->add_option("-t,--target", flags->target, "Their translations")
      ->option_text("FILE")
      ->required();
  align
      ->add_option("-o,--output", flags->output,
                   "Output file, a line of links per pair, in the Pharaoh format; - is standard "
                   "output")
      ->option_text("FILE")
      ->capture_default_str();
  align
      ->add_option("--lexicon", flags->lexicon,
                   "Also write the most probable translations of each word to this file: word, "
                   "translation and probability, separated by tabs; decode --lexicon reads it")
      ->option_text("FILE");
  AddEnumFlag<Symmetrization>(
      *align, "--symmetrization", flags->symmetrization,
      "How the alignments of both directions are combined: grow_diag_final_and suits most uses, "
      "intersection gives few reliable links, forward and reverse are one direction alone")
      ->default_str("grow_diag_final_and");
  align->add_flag("--lowercase", flags->lowercase, "Ignore upper and lower case");
  align->footer(
      "Learns from the very text: IBM Model 1, then hidden Markov models of both directions. A "
      "link "
      "is source-target, positions of words counted from 0. Punctuation that touches a word "
      "belongs "
      "to it: split text into tokens before, for example by `seq2seq tokenizer encode`. Some 10 "
      "seconds for 30,000 pairs of 13 words; of more than a million pairs, a million are learnt "
      "from.");
  align->callback([flags, status] { *status = RunAlign(*flags); });
}

}  // namespace seq2seq
