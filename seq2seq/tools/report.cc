// `seq2seq report`: a page of the course of training runs.
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "seq2seq/base/file.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/tools/command.h"
#include "seq2seq/tools/report_page.h"
#include "seq2seq/tools/run_report.h"

namespace seq2seq {
namespace {

struct ReportFlags {
  std::vector<std::string> runs;
  std::string output = "-";
};

absl::Status RunReport(const ReportFlags& flags) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const auto data, ReadReports(flags.runs, /*live=*/false));
  const std::string page = ReportPage(data);
  if (flags.output != "-" && !IsStream(flags.output)) return WriteFile(flags.output, page);
  std::cout << page;
  if (!std::cout.flush()) return absl::DataLossError("standard output: cannot write");
  return absl::OkStatus();
}

}  // namespace

void AddReport(CLI::App& program, absl::Status* status) {
  CLI::App* report = program.add_subcommand(
      "report", "Writes a page of the course of training runs: curves, outputs, configurations");
  auto flags = std::make_shared<ReportFlags>();
  report->add_option("runs", flags->runs, "Run folders, also of runs in training")
      ->option_text("RUN ...")
      ->required();
  report
      ->add_option("-o,--output", flags->output,
                   "HTML file, which needs no other file and no network; - is standard output")
      ->option_text("FILE")
      ->capture_default_str();
  report->callback([flags, status] { *status = RunReport(*flags); });
}

}  // namespace seq2seq
