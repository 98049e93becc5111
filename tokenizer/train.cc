#include "tokenizer/train.h"

#include <set>
#include <unordered_map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/file.h"
#include "seq2seq/base/line_reader.h"
#include "seq2seq/base/log.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/task.h"
#include "seq2seq/base/utf8.h"
#include "tokenizer/sentencepiece.h"

namespace seq2seq {
namespace {

// Maximum bytes of a line: a longer one is hardly a sentence.
constexpr size_t kMaxLine = 20'000;

// Whether a line is not empty once normalised. SentencePiece, whose symbol for a space is U+2581,
// ends the program over text of which nothing is left.
bool HasText(const std::string& line) {
  return !IsBlank(absl::StrReplaceAll(line, {{"\u2581", ""}, {"\uFFFD", ""}}));
}

// The lines of several files that a tokenizer can be trained on.
class FileLines {
 public:
  explicit FileLines(std::vector<std::unique_ptr<LineReader>> readers)
      : readers_(std::move(readers)) {}

  // Puts the next line into `line`; false at the end or at an error.
  bool Next(std::string& line) {
    while (current_ < readers_.size() && error_.ok()) {
      const absl::StatusOr<bool> more = readers_[current_]->Next(line);
      if (!more.ok()) {
        error_ = more.status();
      } else if (!*more) {
        ++current_;
      } else if (!IsValidUtf8(line)) {
        ++invalid_;
      } else if (line.size() > kMaxLine) {
        ++too_long_;
      } else if (HasText(line)) {
        ++lines_;
        return true;
      }
    }
    return false;
  }

  const absl::Status& error() const { return error_; }
  int64_t invalid() const { return invalid_; }
  int64_t too_long() const { return too_long_; }
  int64_t lines() const { return lines_; }

 private:
  std::vector<std::unique_ptr<LineReader>> readers_;
  size_t current_ = 0;
  absl::Status error_;
  int64_t invalid_ = 0;
  int64_t too_long_ = 0;
  int64_t lines_ = 0;
};

// As an item of a CSV line, which may hold commas.
void AppendQuoted(std::string* out, const std::string& symbol) {
  absl::StrAppend(out, "\"", absl::StrReplaceAll(symbol, {{"\"", "\"\""}}), "\"");
}

// SentencePiece's messages without the source location that they begin with: "file.cc(12)
// [condition] what".
std::string WithoutPlace(const std::string& message) {
  const size_t end = message.rfind("] ");
  if (end == std::string::npos) return message;
  if (end + 2 < message.size()) return message.substr(end + 2);
  return message.substr(message.find('['));  // The condition that failed.
}

}  // namespace

absl::Status TrainTokenizer(const TokenizerTrainOptions& options) {
  std::set<std::string> symbols;
  for (const std::string& symbol : options.symbols) {
    if (!symbols.insert(symbol).second)
      return absl::InvalidArgumentError(absl::StrCat("symbols: '", symbol, "' is listed twice"));
    if (symbol.empty() || symbol == "<pad>" || symbol == "<unk>" || symbol == "<s>" ||
        symbol == "</s>") {
      return absl::InvalidArgumentError(
          absl::StrCat("symbols: '", symbol, "' is empty or reserved"));
    }
  }
  if (options.byte_fallback && options.kind != TokenizerKind::kBpe &&
      options.kind != TokenizerKind::kUnigram) {
    return absl::InvalidArgumentError(absl::StrCat(
        "byte_fallback: needs a tokenizer of type bpe or unigram, found ", EnumText(options.kind)));
  }
  std::vector<std::unique_ptr<LineReader>> readers;
  for (const std::string& path : options.input) {
    SEQ2SEQ_ASSIGN_OR_RETURN(std::unique_ptr<LineReader> reader, LineReader::Open(path));
    readers.push_back(std::move(reader));
  }
  FileLines lines(std::move(readers));
  const std::unordered_map<std::string, std::string> arguments = {
      {"model_type", EnumText(options.kind)},
      {"vocab_size", absl::StrCat(options.vocab_size)},
      {"hard_vocab_limit", "false"},
      {"character_coverage", absl::StrCat(options.character_coverage)},
      {"byte_fallback", options.byte_fallback ? "true" : "false"},
      {"normalization_rule_name", options.normalization},
      {"user_defined_symbols", absl::StrJoin(options.symbols, ",", AppendQuoted)},
      {"input_sentence_size", absl::StrCat(options.max_sentences)},
      {"pad_id", "0"},
      {"unk_id", "1"},
      {"bos_id", "2"},
      {"eos_id", "3"},
      {"max_sentence_length", absl::StrCat(kMaxLine)},
      {"minloglevel", "2"},
  };
  SEQ2SEQ_ASSIGN_OR_RETURN(const SentencePieceLibrary* library, OpenSentencePiece());
  SEQ2SEQ_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(options.model));
  std::string model;
  Task task(absl::StrCat("learning subwords of ", absl::StrJoin(options.input, ", ")),
            "lines read");
  const auto next = [&](std::string& line) {
    task.Add(1);
    return lines.Next(line);
  };
  const std::string problem = library->train(arguments, next, model);
  SEQ2SEQ_RETURN_IF_ERROR(lines.error());
  const std::string files = absl::StrJoin(options.input, ", ");
  if (lines.lines() == 0)
    return absl::InvalidArgumentError(absl::StrCat(files, ": no text to train on"));
  if (!problem.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(files, ": cannot train the tokenizer: ", WithoutPlace(problem)));
  }
  if (lines.invalid() > 0) {
    Log(LogLevel::kWarning,
        absl::StrCat(files, ": skipped ", lines.invalid(), " lines that are not UTF-8"));
  }
  if (lines.too_long() > 0) {
    Log(LogLevel::kWarning, absl::StrCat(files, ": skipped ", lines.too_long(),
                                         " lines of more than ", kMaxLine, " bytes"));
  }
  SEQ2SEQ_RETURN_IF_ERROR(file.Append(model));
  return file.Commit();
}

}  // namespace seq2seq
