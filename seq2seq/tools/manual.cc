// `seq2seq manual`: the manual page and the completion for bash, both generated from the program's
// flags, so that they list all of them, those of `train` where its executable is installed.
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include <CLI/CLI.hpp>

#include "seq2seq/tools/command.h"
#include "seq2seq/tools/hand_over.h"
#include "seq2seq/tools/libtorch.h"

namespace seq2seq {
namespace {

// The subcommands of `app`, in the order of --help.
std::vector<const CLI::App*> SubcommandsOf(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

// Calls `visit` with `app` and all its subcommands, and their names: "", "decode",
// "tokenizer train".
template <typename Visit>
void Walk(const CLI::App& app, const std::string& name, const Visit& visit) {
  visit(app, name);
  for (const CLI::App* subcommand : SubcommandsOf(app))
    Walk(*subcommand, absl::StrCat(name, name.empty() ? "" : " ", subcommand->get_name()), visit);
}

// "-i", "--input".
std::vector<std::string> Names(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

// The allowed values of an option, if its type name "TEXT:{text,jsonl}" lists them.
std::vector<std::string> Choices(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t begin = type.find('{');
  if (begin == std::string::npos) return {};
  return absl::StrSplit(type.substr(begin + 1, type.find('}') - begin - 1), ',');
}

// `text` escaped for troff.
std::string Escaped(const std::string& text) {
  std::string escaped = absl::StrReplaceAll(text, {{"\\", "\\e"}, {"-", "\\-"}});
  for (const char* first : {".", "'"}) {  // At the start of a line they begin a request.
    escaped =
        absl::StrReplaceAll(escaped, {{absl::StrCat("\n", first), absl::StrCat("\n\\&", first)}});
    if (absl::StartsWith(escaped, first)) escaped = "\\&" + escaped;
  }
  return escaped;
}

std::string ManualPage(const CLI::App& program) {
  const CLI::Formatter formatter;
  std::string page =
      absl::StrCat(".TH SEQ2SEQ 1 \"\" \"seq2seq " SEQ2SEQ_VERSION "\"\n.SH NAME\nseq2seq \\- ",
                   Escaped(program.get_description()),
                   "\n.SH SYNOPSIS\n.B seq2seq\n.I command\n.RI [ options ]\n.SH COMMANDS\n");
  Walk(program, "seq2seq", [&](const CLI::App& app, const std::string& name) {
    absl::StrAppend(&page, ".SS ", name, "\n");
    if (&app != &program) absl::StrAppend(&page, Escaped(app.get_description()), ".\n");
    for (const CLI::Option* option : app.get_options()) {
      const std::string names = option->nonpositional()
                                    ? absl::StrJoin(Names(*option), "\\fR, \\fB")
                                    : option->get_name(/*positional=*/true);
      absl::StrAppend(&page, ".TP\n\\fB", absl::StrReplaceAll(names, {{"-", "\\-"}}), "\\fR",
                      Escaped(formatter.make_option_opts(option)), "\n",
                      Escaped(option->get_description()), "\n");
    }
    if (!app.get_footer().empty())
      absl::StrAppend(&page, ".PP\n.nf\n", Escaped(app.get_footer()), "\n.fi\n");
  });
  return page +
         ".SH EXIT STATUS\n0, or 1 after a line on standard error that describes the error.\n";
}

std::string BashCompletion(const CLI::App& program) {
  std::string commands, words, values;
  Walk(program, "", [&](const CLI::App& app, const std::string& name) {
    std::vector<std::string> offered;
    for (const CLI::App* subcommand : SubcommandsOf(app)) offered.push_back(subcommand->get_name());
    for (const CLI::Option* option : app.get_options()) {
      const std::vector<std::string> names = Names(*option);
      offered.insert(offered.end(), names.begin(), names.end());
      const std::string choices = absl::StrJoin(Choices(*option), " ");
      for (const std::string& flag : names) {
        if (!choices.empty())
          absl::StrAppend(&values, "    '", name, " ", flag, "') words='", choices, "' ;;\n");
      }
    }
    if (!name.empty()) absl::StrAppend(&commands, commands.empty() ? "" : "|", "'", name, "'");
    absl::StrAppend(&words, "    '", name, "') words='", absl::StrJoin(offered, " "), "' ;;\n");
  });
  return absl::StrCat(R"(# Completion of seq2seq for bash.
_seq2seq() {
  local command= words= next word
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next=${command:+$command }$word
    case $next in
)",
                      "      ", commands, R"() command=$next ;;
    esac
  done
  case $command in
)",
                      words, R"(  esac
  case "$command ${COMP_WORDS[COMP_CWORD-1]}" in
)",
                      values, R"(  esac
  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
# Everything else is a file name.
complete -o default -F _seq2seq seq2seq
)");
}

}  // namespace

void AddManual(CLI::App& program, absl::Status* status) {
  CLI::App* manual = program.add_subcommand(
      "manual", "Prints the manual page (for man -l -) or the completion for bash (to be sourced)");
  auto format = std::make_shared<std::string>("man");
  manual->add_option("--format", *format, "man or bash")
      ->check(CLI::IsMember({"man", "bash"}))
      ->capture_default_str();
  manual->callback([&program, format, status] {
    if (kLibTorch == nullptr && !TorchProgram().empty()) {
      *status = HandOver("manual needs LibTorch");
      return;
    }
    std::cout << (*format == "man" ? ManualPage(program) : BashCompletion(program));
    *status = absl::OkStatus();
  });
}

}  // namespace seq2seq
