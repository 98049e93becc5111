// `seq2seq decode`: translates lines, as they come.
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "seq2seq/base/file.h"
#include "seq2seq/base/line_reader.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/tools/attention_page.h"
#include "seq2seq/tools/command.h"
#include "seq2seq/tools/search_flags.h"

namespace seq2seq {
namespace {

struct DecodeFlags {
  SearchFlags search;
  std::string input = "-";
  std::string output = "-";
  std::string format = "text";
};

// Lines read ahead by a thread of its own: whoever asks gets all that are there, so that a person
// at a terminal gets an answer to one line and a file is searched in large blocks.
class LineQueue {
 public:
  LineQueue(std::unique_ptr<LineReader> reader, size_t capacity) {
    std::thread([state = state_, capacity, reader = std::move(reader)] {
      Fill(*state, capacity, *reader);
    }).detach();
  }

  // All lines that are there, at least one; none at the end.
  absl::StatusOr<std::vector<std::string>> Next() {
    std::unique_lock<std::mutex> lock(state_->mutex);
    state_->changed.wait(lock, [this] { return state_->ended || !state_->lines.empty(); });
    std::vector<std::string> lines(std::make_move_iterator(state_->lines.begin()),
                                   std::make_move_iterator(state_->lines.end()));
    state_->lines.clear();
    state_->changed.notify_all();
    if (lines.empty()) SEQ2SEQ_RETURN_IF_ERROR(state_->status);
    return lines;
  }

 private:
  // Shared with the thread, which may wait for a line that never comes while the program wants to
  // end.
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::string> lines;
    bool ended = false;
    absl::Status status;
  };

  static void Fill(State& state, size_t capacity, LineReader& reader) {
    std::string line;
    while (true) {
      const absl::StatusOr<bool> more = reader.Next(line);
      std::unique_lock<std::mutex> lock(state.mutex);
      if (!more.ok() || !*more) {
        state.status = more.status();
        state.ended = true;
        state.changed.notify_all();
        return;
      }
      state.changed.wait(lock, [&] { return state.lines.size() < capacity; });
      state.lines.push_back(line);
      state.changed.notify_all();
    }
  }

  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

// One line, or with n-best several, for what became of the `number`th line, counted from 0.
std::string Format(const std::string& format, int64_t number,
                   const std::vector<Candidate>& candidates) {
  if (format == "text") return absl::StrCat(candidates[0].text, "\n");
  if (format == "moses") {
    std::string lines;
    for (const Candidate& candidate : candidates) {
      absl::StrAppendFormat(&lines, "%d ||| %s ||| logprob= %.6f ||| %.6f\n", number,
                            candidate.text, candidate.log_probability, candidate.score);
    }
    return lines;
  }
  nlohmann::ordered_json line = {{"id", number}, {"translations", nlohmann::json::array()}};
  for (const Candidate& candidate : candidates) {
    line["translations"].push_back({{"text", candidate.text},
                                    {"score", candidate.score},
                                    {"log_probability", candidate.log_probability},
                                    {"pieces", candidate.pieces},
                                    {"token_scores", candidate.token_scores}});
  }
  return absl::StrCat(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), "\n");
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

// The best translation of each line, with where the model looked.
absl::Status WriteSections(const Translator& translator, const std::vector<std::string>& lines,
                           const std::vector<std::vector<Candidate>>& translations,
                           Output& output) {
  std::vector<Candidate> best;
  for (const std::vector<Candidate>& candidates : translations) best.push_back(candidates[0]);
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<Alignment> alignments, translator.Align(lines, best));
  const auto section = translator.reads_images() ? CaptionSection : TranslationSection;
  for (size_t i = 0; i < lines.size(); ++i) {
    SEQ2SEQ_RETURN_IF_ERROR(output.Write(section(lines[i], best[i], alignments[i])));
  }
  return absl::OkStatus();
}

absl::Status RunDecode(DecodeFlags& flags) {
  if (flags.format == "html" && flags.search.beam.n_best > 1) {
    return absl::InvalidArgumentError("--n-best: html shows the best; use --format jsonl or moses");
  }
  if (flags.format == "text" && flags.search.beam.n_best > 1) {
    return absl::InvalidArgumentError(
        "--n-best: text has one line for each input; use --format jsonl or moses");
  }
  SEQ2SEQ_RETURN_IF_ERROR(Validate(flags.search.beam));
  SEQ2SEQ_ASSIGN_OR_RETURN(std::unique_ptr<LineReader> reader, LineReader::Open(flags.input));
  SEQ2SEQ_ASSIGN_OR_RETURN(const Translator translator, LoadTranslator(flags.search));
  SEQ2SEQ_ASSIGN_OR_RETURN(Output output, Output::Open(flags.output));
  // Enough lines to sort into batches of like length.
  LineQueue queue(std::move(reader), static_cast<size_t>(flags.search.batch_size) * 16);
  const bool html = flags.format == "html";
  if (html)
    SEQ2SEQ_RETURN_IF_ERROR(output.Write(PageStart(absl::StrJoin(flags.search.models, ", "))));
  for (int64_t number = 0;;) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> lines, queue.Next());
    if (lines.empty()) {
      if (html) SEQ2SEQ_RETURN_IF_ERROR(output.Write(PageEnd()));
      return output.Close();
    }
    SEQ2SEQ_ASSIGN_OR_RETURN(const auto translations,
                             translator.Translate(lines, flags.search.beam));
    if (html) {
      SEQ2SEQ_RETURN_IF_ERROR(WriteSections(translator, lines, translations, output));
      continue;
    }
    for (const std::vector<Candidate>& candidates : translations) {
      SEQ2SEQ_RETURN_IF_ERROR(output.Write(Format(flags.format, number++, candidates)));
    }
  }
}

}  // namespace

void AddDecode(CLI::App& program, absl::Status* status) {
  CLI::App* decode = program.add_subcommand(
      "decode", "Translates lines of text, or describes images, with a trained model");
  auto flags = std::make_shared<DecodeFlags>();
  AddSearchFlags(*decode, flags->search);
  decode
      ->add_option(
          "-i,--input", flags->input,
          "Text, a sentence a line, or for a model of images a path a line; - is standard input")
      ->option_text("FILE")
      ->capture_default_str();
  decode
      ->add_option("-o,--output", flags->output,
                   "Where the translations go, a line each; - is standard output")
      ->option_text("FILE")
      ->capture_default_str();
  BeamOptions& beam = flags->search.beam;
  decode->add_option("-b,--beam", beam.beam, "Hypotheses kept at each step; 1 is greedy")
      ->capture_default_str();
  decode->add_option("--n-best", beam.n_best, "Translations for each line, best first")
      ->capture_default_str();
  decode->add_option("--min-length", beam.min_length, "Pieces that a translation has at least")
      ->capture_default_str();
  decode->add_option("--max-length", beam.max_length, "Pieces that it has at most")
      ->capture_default_str();
  decode
      ->add_option("--max-ratio", beam.max_ratio,
                   "And at most so many for each piece of a text, plus 10")
      ->capture_default_str();
  decode
      ->add_option("--format", flags->format,
                   "text; jsonl: scores and pieces too; moses: id ||| text ||| features ||| score; "
                   "html: a page that shows where the model looked")
      ->check(CLI::IsMember({"text", "jsonl", "moses", "html"}))
      ->capture_default_str();
  decode->callback([flags, status] { *status = RunDecode(*flags); });
}

}  // namespace seq2seq
