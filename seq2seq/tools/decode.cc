// `seq2seq decode`: translates a stream of lines.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include "seq2seq/base/decompressor.h"
#include "seq2seq/base/file.h"
#include "seq2seq/base/line_reader.h"
#include "seq2seq/base/options.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/task.h"
#include "seq2seq/search/alignment.h"
#include "seq2seq/search/translation_json.h"
#include "seq2seq/tools/attention_page.h"
#include "seq2seq/tools/command.h"
#include "seq2seq/tools/line_queue.h"
#include "seq2seq/tools/model_flags.h"
#include "seq2seq/tools/option_flags.h"
#include "seq2seq/tools/page.h"
#include "seq2seq/tools/part_file.h"
#include "seq2seq/tools/search_flags.h"
#include "seq2seq/tools/signals.h"

namespace seq2seq {
namespace {

struct DecodeFlags {
  ModelFlags model;
  SearchFlags search_flags;
  SearchOptions search;  // Set by RunDecode.
  std::string input = "-";
  std::string input_format = "text";
  std::string output = "-";
  std::string format = "text";
  bool resume = false;
};

// Parses a line of --input-format jsonl.
absl::StatusOr<Request> ParseLine(const std::string& line) {
  if (absl::StripAsciiWhitespace(line).empty())
    return absl::InvalidArgumentError("expected {\"text\": \"…\"}, found an empty line");
  SEQ2SEQ_ASSIGN_OR_RETURN(RequestBlock block, ParseRequests(line, SearchOptions()));
  if (block.is_list) return absl::InvalidArgumentError("text: expected one text per line");
  if (block.stream) return absl::InvalidArgumentError("stream: only the server streams");
  if (!block.named_options.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(block.named_options[0], ": search options are set by flags, for all lines"));
  }
  return std::move(block.Requests()[0]);
}

// Reads input lines as translation requests.
class Input {
 public:
  // Continues with a reader from which `lines` lines have been read. `flags` and `translator` must
  // outlive it.
  Input(std::unique_ptr<LineReader> reader, const DecodeFlags& flags, const Translator& translator,
        int64_t lines)
      : path_(reader->path()),
        flags_(flags),
        translator_(translator),
        lines_(lines),
        // Enough lines to sort into batches of similar length.
        queue_(std::move(reader), static_cast<size_t>(flags.model.batch_size) * 16,
               BlocksOf(flags.input)) {}

  // The `read` function of Translator::TranslateStream. Lines before an invalid one are returned
  // before its error.
  absl::StatusOr<std::vector<Request>> Next(size_t most) {
    SEQ2SEQ_RETURN_IF_ERROR(mistake_);
    SEQ2SEQ_ASSIGN_OR_RETURN(lines_now_, queue_.Next(most, StopRequested));
    std::vector<Request> requests;
    for (const std::string& line : lines_now_) {
      ++lines_;
      absl::StatusOr<Request> request = MakeRequest(line);
      if (!request.ok()) {
        mistake_ = absl::InvalidArgumentError(
            absl::StrCat(path_, ":", lines_, ": ", request.status().message()));
        break;
      }
      requests.push_back(*std::move(request));
    }
    if (requests.empty()) SEQ2SEQ_RETURN_IF_ERROR(mistake_);
    return requests;
  }

  // The input line of the `index`th request that Next returned last.
  const std::string& line(size_t index) const { return lines_now_[index]; }

  // A file is decoded in the same blocks of lines in every run, so that whatever depends on the
  // block, such as the rounding of LibTorch's operations, does not change.
  static LineBlocks BlocksOf(const std::string& input) {
    std::error_code ignored;
    return std::filesystem::is_regular_file(input, ignored) ? LineBlocks::kWhole
                                                            : LineBlocks::kAsTheyCome;
  }

 private:
  absl::StatusOr<Request> MakeRequest(const std::string& line) const {
    if (flags_.input_format == "text") return Request{line, {}, {}, {}};
    SEQ2SEQ_ASSIGN_OR_RETURN(Request request, ParseLine(line));
    SEQ2SEQ_RETURN_IF_ERROR(translator_.CheckRequests({request}, flags_.search));
    return request;
  }

  std::string path_;
  const DecodeFlags& flags_;
  const Translator& translator_;
  int64_t lines_;  // Read so far.
  LineQueue queue_;
  std::vector<std::string> lines_now_;
  absl::Status mistake_;
};

// The output for the input line `number`, counted from 0; moses has a line for each hypothesis.
std::string Format(const std::string& format, int64_t number,
                   const std::vector<Candidate>& candidates) {
  if (format == "text") return absl::StrCat(candidates[0].text, "\n");
  if (format == "pharaoh") return absl::StrCat(PharaohText(AlignWords(candidates[0])), "\n");
  if (format == "moses") {
    std::string lines;
    for (const Candidate& candidate : candidates) {
      absl::StrAppendFormat(&lines, "%d ||| %s ||| logprob= %.6f ||| %.6f\n", number,
                            candidate.text, candidate.log_probability, candidate.score);
    }
    return lines;
  }
  const std::string all = absl::StrJoin(candidates, ",", [](std::string* out, const auto& one) {
    absl::StrAppend(out, CandidateJson(one));
  });
  return absl::StrCat("{\"id\":", number, ",\"translations\":[", all, "]}\n");
}

// The settings that the output depends on, one per line: partial output is resumed only with equal
// ones.
absl::StatusOr<std::string> Settings(const DecodeFlags& flags) {
  std::string settings =
      absl::StrCat("input_format: ", flags.input_format, "\nformat: ", flags.format, "\n");
  SearchOptions search = flags.search;
  for (const Option& option : ListOptions(search))
    absl::StrAppend(&settings, option.key, ": ", OptionText(option), "\n");
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::string model, ModelSettings(flags.model));
  return settings + model;
}

// Whether `path` is the file that stdout writes to. Opened again, it would have a file offset of
// its own, and other writers to stdout would overwrite the output.
bool IsStandardOutput(const std::string& path) {
  if (path == "-") return true;
  struct stat file, standard;
  return stat(path.c_str(), &file) == 0 && fstat(STDOUT_FILENO, &standard) == 0 &&
         file.st_dev == standard.st_dev && file.st_ino == standard.st_ino;
}

// Destination of the translations: a file that appears when it is complete; or standard output, a
// pipe or a device, to which each line is written at once.
class Output {
 public:
  // With --resume, `keep` maps the number of lines of partial output to the number to be kept; as
  // many are read from `input`.
  static absl::StatusOr<Output> Open(const DecodeFlags& flags, LineReader& input,
                                     absl::FunctionRef<int64_t(int64_t)> keep) {
    Output output;
    output.path_ = flags.output;
    const bool standard = IsStandardOutput(flags.output);
    if (standard || IsStream(flags.output)) {
      if (flags.resume) return absl::InvalidArgumentError("--resume: requires --output FILE");
      if (standard) return output;
      // If it leads to a regular file, that is appended to, as by >>.
      output.stream_ = std::make_unique<std::ofstream>(flags.output, std::ios::app);
      if (!*output.stream_)
        return absl::ErrnoToStatus(errno, absl::StrCat(flags.output, ": cannot open"));
      return output;
    }
    SEQ2SEQ_ASSIGN_OR_RETURN(const std::string settings, Settings(flags));
    SEQ2SEQ_ASSIGN_OR_RETURN(PartFile file,
                             flags.resume ? PartFile::Resume(flags.output, settings, input, keep)
                                          : PartFile::Begin(flags.output, settings));
    output.file_.emplace(std::move(file));
    return output;
  }

  // Writes the output of the next line of the input.
  absl::Status Write(const std::string& line, const std::string& text) {
    return file_ ? file_->Append(line, text) : WriteStream(text);
  }

  absl::Status Close(const std::string& ending) {
    return file_ ? file_->Commit(ending) : WriteStream(ending);
  }

  // Lines of the input whose output is in the file.
  int64_t lines() const { return file_ ? file_->lines() : 0; }

  // `status`, with which decoding ended, extended by what --resume can continue.
  absl::Status Stopped(const absl::Status& status) const {
    if (status.ok() || lines() == 0) return status;
    return absl::Status(status.code(),
                        absl::StrCat(status.message(), "; ", file_->part(), " covers ", lines(),
                                     lines() == 1 ? " line" : " lines",
                                     " of the input, and --resume continues from there"));
  }

 private:
  absl::Status WriteStream(const std::string& text) {
    std::ostream& stream = stream_ ? *stream_ : std::cout;
    if (stream << text << std::flush) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat(stream_ ? path_ : "standard output", ": cannot write"));
  }

  std::string path_;
  std::optional<PartFile> file_;
  std::unique_ptr<std::ofstream> stream_;
};

// Requests the attention weights that the format shows; rejects options that it cannot show.
absl::Status CheckFormat(DecodeFlags& flags) {
  const bool one = flags.format == "text" || flags.format == "html" || flags.format == "pharaoh";
  if (one && flags.search.n_best > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--n-best: --format ", flags.format,
                     " shows only the best hypothesis; use --format jsonl or moses"));
  }
  if (flags.format == "html" || flags.format == "pharaoh") flags.search.attention = true;
  return NamingFlag(Validate(flags.search, flags.model.limits));
}

// Rejects flags that need attention, by name, if no model has any.
absl::Status CheckAttention(const DecodeFlags& flags, const Translator& translator) {
  const bool shown = flags.search.attention;
  if (translator.has_attention() || !(shown || flags.search.coverage_penalty > 0))
    return absl::OkStatus();
  const bool format = flags.format == "html" || flags.format == "pharaoh";
  return absl::InvalidArgumentError(
      absl::StrCat(format  ? "--format " + flags.format
                   : shown ? "--attention"
                           : "--coverage-penalty",
                   ": ", flags.model.models[0],
                   " has no attention: its model.source or model.decoder.attention is none"));
}

// Lines of a plain file, for the progress bar; 0 if unknown, and where there is no bar.
int64_t CountLines(const std::string& path) {
  std::error_code error;
  if (!isatty(STDERR_FILENO) || !std::filesystem::is_regular_file(path, error)) return 0;
  const absl::StatusOr<MappedFile> file = MappedFile::Open(path);
  if (!file.ok()) return 0;
  const absl::string_view text(file->data(), file->size());
  if (CompressionOf(text.substr(0, kMagicBytes)) != Compression::kNone) return 0;
  return std::count(text.begin(), text.end(), '\n');
}

// Translates `input` to `output`, which holds the output of the first `done` lines already.
absl::Status Decode(const DecodeFlags& flags, const Translator& translator, int64_t done,
                    Input& input, Output& output) {
  const bool html = flags.format == "html";
  const auto section =
      translator.source_kind() == SourceKind::kImage ? CaptionSection : TranslationSection;
  const std::string page_start =
      html ? AttentionPageStart(absl::StrJoin(flags.model.models, ", ")) : "";
  int64_t number = done;
  size_t index = 0;
  Task task("decoding", "lines", CountLines(flags.input));
  task.Set(done);
  const auto read = [&](size_t most) {
    index = 0;
    return input.Next(most);
  };
  const auto write = [&](const Request& request, const std::vector<Candidate>& candidates) {
    const std::string text =
        html ? section(request.text, candidates[0]) : Format(flags.format, number, candidates);
    task.Add(1);
    return output.Write(input.line(index++), number++ == 0 ? page_start + text : text);
  };
  SEQ2SEQ_RETURN_IF_ERROR(translator.TranslateStream(read, write, flags.search, done));
  if (StopRequested())
    return absl::CancelledError(absl::StrCat("stopped by a signal after line ", number));
  return output.Close(html ? (number == 0 ? page_start : "") + PageEnd() : "");
}

absl::Status RunDecode(const CLI::App& command, DecodeFlags& flags) {
  SEQ2SEQ_ASSIGN_OR_RETURN(flags.search,
                           ChooseSearch(command, flags.search_flags, flags.model.models[0]));
  SEQ2SEQ_RETURN_IF_ERROR(CheckFormat(flags));
  SEQ2SEQ_ASSIGN_OR_RETURN(
      std::unique_ptr<LineReader> reader,
      LineReader::Open(flags.input, static_cast<size_t>(flags.model.max_line_bytes)));
  SEQ2SEQ_ASSIGN_OR_RETURN(const Translator translator, LoadTranslator(flags.model));
  SEQ2SEQ_RETURN_IF_ERROR(CheckAttention(flags, translator));
  const bool whole = Input::BlocksOf(flags.input) == LineBlocks::kWhole;
  SEQ2SEQ_ASSIGN_OR_RETURN(Output output, Output::Open(flags, *reader, [&](int64_t lines) {
                             return whole ? translator.BlockStart(lines) : lines;
                           }));
  CatchStopSignals();
  const int64_t done = output.lines();
  if (done > 0) spdlog::info("resuming after line {} of {}", done, reader->path());
  Input input(std::move(reader), flags, translator, done);
  return output.Stopped(Decode(flags, translator, done, input, output));
}

}  // namespace

void AddDecode(CLI::App& program, absl::Status* status) {
  CLI::App* decode = program.add_subcommand(
      "decode", "Translates lines of text, captions images, or completes prompts");
  auto flags = std::make_shared<DecodeFlags>();
  AddModelFlags(*decode, flags->model);
  decode
      ->add_option("-i,--input", flags->input,
                   "Input, one per line: a sentence; for a captioning model, the path of an image; "
                   "for a language model, a prompt, which may be empty. - is standard input")
      ->option_text("FILE")
      ->capture_default_str();
  decode
      ->add_option(
          "--input-format", flags->input_format,
          "text; jsonl: {\"text\": …, \"prefix\": words that the translation must begin with, "
          "\"constraints\": [words that it must contain]}")
      ->check(CLI::IsMember({"text", "jsonl"}))
      ->capture_default_str();
  decode
      ->add_option("-o,--output", flags->output,
                   "Output file, a line per translation; - is standard output. Until complete, the "
                   "output is in FILE.part, which is kept if the program is stopped")
      ->option_text("FILE")
      ->capture_default_str();
  decode->add_flag(
      "--resume", flags->resume,
      "Continue FILE.part of --output, which must be of the same input and settings; start anew if "
      "there is none");
  decode
      ->add_option("--format", flags->format,
                   "text; jsonl: with scores and subwords, and attention weights if --attention; "
                   "moses: id ||| text ||| features ||| score; pharaoh: word alignment; html: a "
                   "page that shows the attention weights")
      ->check(CLI::IsMember({"text", "jsonl", "moses", "pharaoh", "html"}))
      ->capture_default_str();
  AddSearchFlags(*decode, flags->search_flags);
  AddOptionFlags(*decode, ListOptions(flags->model.limits));
  decode->get_option("--language-model-weight")->needs("--language-model");
  decode->callback([decode, flags, status] { *status = RunDecode(*decode, *flags); });
}

}  // namespace seq2seq
