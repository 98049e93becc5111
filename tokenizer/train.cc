#include "tokenizer/train.h"

#include <unordered_map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "seq2seq/base/file.h"
#include "seq2seq/base/line_reader.h"
#include "seq2seq/base/log.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/utf8.h"

// SentencePiece's header puts a string_view of its own into namespace absl, which is not Abseil's.
#define absl sentencepiece_absl
#include <sentencepiece_trainer.h>
#undef absl

namespace seq2seq {
namespace {

// Hands the lines of several files to SentencePiece.
class FileLines : public sentencepiece::SentenceIterator {
 public:
  explicit FileLines(std::vector<std::unique_ptr<LineReader>> readers) : readers_(std::move(readers)) {
    FileLines::Next();
  }

  bool done() const override { return current_ == readers_.size(); }

  void Next() override {
    for (; current_ < readers_.size(); ++current_) {
      while (true) {
        const absl::StatusOr<bool> more = readers_[current_]->Next(line_);
        if (!more.ok()) {
          error_ = more.status();
          current_ = readers_.size();
          return;
        }
        if (!*more) break;
        // SentencePiece ends the program over a text of nothing but space.
        if (absl::StripAsciiWhitespace(line_).empty()) continue;
        if (IsValidUtf8(line_)) return;
        ++invalid_;
      }
    }
  }

  const std::string& value() const override { return line_; }
  sentencepiece::util::Status status() const override { return {}; }

  const absl::Status& error() const { return error_; }
  int64_t invalid() const { return invalid_; }

 private:
  std::vector<std::unique_ptr<LineReader>> readers_;
  size_t current_ = 0;
  std::string line_;
  absl::Status error_;
  int64_t invalid_ = 0;
};

// As an item of a CSV line, which may hold commas.
void AppendQuoted(std::string* out, const std::string& symbol) {
  absl::StrAppend(out, "\"", absl::StrReplaceAll(symbol, {{"\"", "\"\""}}), "\"");
}

}  // namespace

absl::Status TrainTokenizer(const TokenizerTrainOptions& options) {
  for (const std::string& symbol : options.symbols) {
    if (symbol.empty() || symbol == "<pad>" || symbol == "<unk>" || symbol == "<s>" || symbol == "</s>") {
      return absl::InvalidArgumentError(absl::StrCat("symbols: '", symbol, "' cannot be one"));
    }
  }
  std::vector<std::unique_ptr<LineReader>> readers;
  for (const std::string& path : options.input) {
    SEQ2SEQ_ASSIGN_OR_RETURN(std::unique_ptr<LineReader> reader, LineReader::Open(path));
    readers.push_back(std::move(reader));
  }
  FileLines lines(std::move(readers));
  const std::string files = absl::StrJoin(options.input, ", ");
  if (lines.done() && lines.error().ok()) {
    return absl::InvalidArgumentError(absl::StrCat(files, ": no text to learn from"));
  }
  const std::unordered_map<std::string, std::string> arguments = {
      {"model_type", EnumTexts(options.kind)[static_cast<size_t>(options.kind)]},
      {"vocab_size", absl::StrCat(options.vocab_size)},
      {"hard_vocab_limit", "false"},
      {"character_coverage", absl::StrCat(options.character_coverage)},
      {"normalization_rule_name", options.normalization},
      {"user_defined_symbols", absl::StrJoin(options.symbols, ",", AppendQuoted)},
      {"input_sentence_size", absl::StrCat(options.max_sentences)},
      {"pad_id", "0"},
      {"unk_id", "1"},
      {"bos_id", "2"},
      {"eos_id", "3"},
      {"minloglevel", "2"},
  };
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(arguments, &lines, &model);
  SEQ2SEQ_RETURN_IF_ERROR(lines.error());
  if (!status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(files, ": cannot learn a tokenizer: ", status.error_message()));
  }
  if (lines.invalid() > 0) {
    Log(LogLevel::kWarning, absl::StrCat(files, ": passed over ", lines.invalid(), " lines that are not UTF-8"));
  }
  return WriteFile(options.model, model);
}

}  // namespace seq2seq
