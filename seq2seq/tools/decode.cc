// `seq2seq decode`: translates lines, as they come.
#include <atomic>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include <CLI/CLI.hpp>

#include "seq2seq/base/file.h"
#include "seq2seq/base/line_reader.h"
#include "seq2seq/base/options.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/search/translation_json.h"
#include "seq2seq/tools/attention_page.h"
#include "seq2seq/tools/command.h"
#include "seq2seq/tools/line_queue.h"
#include "seq2seq/tools/model_flags.h"
#include "seq2seq/tools/option_flags.h"

namespace seq2seq {
namespace {

struct DecodeFlags {
  ModelFlags model;
  SearchOptions search;
  std::string input = "-";
  std::string input_format = "text";
  std::string output = "-";
  std::string format = "text";
};

std::atomic<int> signals_received = 0;

// The first signal asks for an end behind the lines at work, a second one ends the program.
void OnSignal(int signal) {
  if (++signals_received > 1) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
}

// A line of --input-format jsonl.
absl::StatusOr<Request> ParseLine(const std::string& line) {
  SearchOptions defaults;
  SEQ2SEQ_ASSIGN_OR_RETURN(RequestBlock block, ParseRequests(line, defaults));
  if (block.is_list) return absl::InvalidArgumentError("text: expected one text a line");
  if (PrintOptions(ListOptions(block.options)) != PrintOptions(ListOptions(defaults)))
    return absl::InvalidArgumentError("options of search are flags, and hold for all lines");
  return std::move(block.Requests()[0]);
}

// One line, or with n-best several, for what became of the `number`th line, counted from 0.
std::string Format(const std::string& format, int64_t number,
                   const std::vector<Candidate>& candidates) {
  if (format == "text") return absl::StrCat(candidates[0].text, "\n");
  if (format == "pharaoh") return absl::StrCat(PharaohText(candidates[0]), "\n");
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

// Where translations go: a file that appears when it is complete; or standard output, a pipe or a
// device, which get every line at once.
class Output {
 public:
  static absl::StatusOr<Output> Open(const std::string& path) {
    Output output;
    output.path_ = path;
    std::error_code ignored;
    if (path == "-") {
      output.path_ = "standard output";
    } else if (std::filesystem::exists(path, ignored) &&
               !std::filesystem::is_regular_file(path, ignored)) {
      output.stream_ = std::make_unique<std::ofstream>(path);
      if (!*output.stream_) return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot open"));
    } else {
      SEQ2SEQ_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
      output.file_.emplace(std::move(file));
    }
    return output;
  }

  absl::Status Write(const std::string& text) {
    if (file_) return file_->Append(text);
    std::ostream& stream = stream_ ? *stream_ : std::cout;
    if (stream << text << std::flush) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat(path_, ": cannot write"));
  }

  absl::Status Close() { return file_ ? file_->Commit() : absl::OkStatus(); }

 private:
  std::string path_;
  std::optional<AtomicFile> file_;
  std::unique_ptr<std::ofstream> stream_;
};

// Asks for what the format shows, or says why it cannot be shown.
absl::Status CheckFormat(DecodeFlags& flags) {
  const bool one = flags.format == "text" || flags.format == "html" || flags.format == "pharaoh";
  if (one && flags.search.n_best > 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--n-best: ", flags.format, " shows the best alone; use --format jsonl or moses"));
  }
  if (flags.format == "html" || flags.format == "pharaoh") flags.search.attention = true;
  return NamingFlag(Validate(flags.search, flags.model.limits));
}

absl::Status RunDecode(DecodeFlags& flags) {
  SEQ2SEQ_RETURN_IF_ERROR(CheckFormat(flags));
  const bool html = flags.format == "html";
  SEQ2SEQ_ASSIGN_OR_RETURN(
      std::unique_ptr<LineReader> reader,
      LineReader::Open(flags.input, static_cast<size_t>(flags.model.max_line_bytes)));
  SEQ2SEQ_ASSIGN_OR_RETURN(const Translator translator, LoadTranslator(flags.model));
  if (translator.source_kind() == SourceKind::kNone && flags.search.attention) {
    return absl::InvalidArgumentError(
        absl::StrCat(flags.model.models[0], ": has no source, and looks nowhere: leave out ",
                     html || flags.format == "pharaoh" ? absl::StrCat("--format ", flags.format)
                                                       : "--attention"));
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(Output output, Output::Open(flags.output));
  std::signal(SIGINT, OnSignal);
  std::signal(SIGTERM, OnSignal);
  // Enough lines to sort into batches of like length.
  LineQueue queue(std::move(reader), static_cast<size_t>(flags.model.batch_size) * 16);
  int64_t lines_read = 0;
  const auto read = [&](size_t most) -> absl::StatusOr<std::vector<Request>> {
    SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> lines,
                             queue.Next(most, [] { return signals_received > 0; }));
    std::vector<Request> requests;
    for (const std::string& line : lines) {
      ++lines_read;
      if (flags.input_format == "text") {
        requests.push_back({line, {}, {}, {}});
        continue;
      }
      absl::StatusOr<Request> request = ParseLine(line);
      const absl::Status valid =
          request.ok() ? translator.CheckRequest(*request, flags.search) : request.status();
      if (!valid.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat(flags.input == "-" ? "standard input" : flags.input, ":", lines_read, ": ",
                         valid.message()));
      }
      requests.push_back(*std::move(request));
    }
    return requests;
  };
  const auto section =
      translator.source_kind() == SourceKind::kImage ? CaptionSection : TranslationSection;
  int64_t number = 0;
  const auto write = [&](const Request& request, const std::vector<Candidate>& candidates) {
    if (html) return output.Write(section(request.text, candidates[0]));
    return output.Write(Format(flags.format, number++, candidates));
  };
  if (html)
    SEQ2SEQ_RETURN_IF_ERROR(output.Write(PageStart(absl::StrJoin(flags.model.models, ", "))));
  SEQ2SEQ_RETURN_IF_ERROR(translator.TranslateStream(read, write, flags.search));
  if (signals_received > 0) {
    return absl::CancelledError(absl::StrCat("stopped by a signal behind line ", number));
  }
  if (html) SEQ2SEQ_RETURN_IF_ERROR(output.Write(PageEnd()));
  return output.Close();
}

}  // namespace

void AddDecode(CLI::App& program, absl::Status* status) {
  CLI::App* decode = program.add_subcommand(
      "decode", "Translates lines of text, describes images, or goes on with texts");
  auto flags = std::make_shared<DecodeFlags>();
  AddModelFlags(*decode, flags->model);
  decode
      ->add_option("-i,--input", flags->input,
                   "Text, a sentence a line; for a model of images a path a line; for a language "
                   "model what a "
                   "text begins with, or nothing; - is standard input")
      ->option_text("FILE")
      ->capture_default_str();
  decode
      ->add_option(
          "--input-format", flags->input_format,
          "text; or jsonl: {\"text\": …, \"prefix\": words that the translation begins with, "
          "\"constraints\": [words that it holds]}")
      ->check(CLI::IsMember({"text", "jsonl"}))
      ->capture_default_str();
  decode
      ->add_option("-o,--output", flags->output,
                   "Where the translations go, a line each; - is standard output")
      ->option_text("FILE")
      ->capture_default_str();
  decode
      ->add_option("--format", flags->format,
                   "text; jsonl: scores and pieces too, with --attention where they looked; moses: "
                   "id ||| text ||| features ||| score; pharaoh: which word became which; html: a "
                   "page that shows where the model looked")
      ->check(CLI::IsMember({"text", "jsonl", "moses", "pharaoh", "html"}))
      ->capture_default_str();
  AddOptionFlags(*decode, ListOptions(flags->search));
  AddOptionFlags(*decode, ListOptions(flags->model.limits));
  decode->get_option("--language-model-weight")->needs("--language-model");
  decode->callback([flags, status] { *status = RunDecode(*flags); });
}

}  // namespace seq2seq
