// `seq2seq serve`: translates over HTTP.
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include "seq2seq/base/options.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/serve/server.h"
#include "seq2seq/tools/command.h"
#include "seq2seq/tools/model_flags.h"
#include "seq2seq/tools/option_flags.h"

namespace seq2seq {
namespace {

struct ServeFlags {
  ModelFlags model;
  SearchOptions search;
  ServeOptions serve;
};

absl::Status RunServe(ServeFlags& flags) {
  SEQ2SEQ_RETURN_IF_ERROR(NamingFlag(Validate(flags.search, flags.model.limits)));
  SEQ2SEQ_RETURN_IF_ERROR(NamingFlag(Validate(flags.serve)));
  // Taken by a thread that waits for them; set before others start, which inherit it.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  SEQ2SEQ_ASSIGN_OR_RETURN(Translator translator, LoadTranslator(flags.model));
  if (translator.source_kind() != SourceKind::kText) {
    return absl::InvalidArgumentError(absl::StrCat(
        flags.model.models[0], ": serve translates texts, which is not what this model does"));
  }
  Server server(std::move(translator), flags.search, flags.serve);
  SEQ2SEQ_RETURN_IF_ERROR(server.Bind());
  spdlog::info("listening at http://{}:{}/", flags.serve.host, server.port());
  std::thread([&server, signals] {
    int signal = 0;
    sigwait(&signals, &signal);
    spdlog::info("finishing what has begun");
    server.Stop();
    // A second one ends the program at once.
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  }).detach();
  return server.Run();
}

}  // namespace

void AddServe(CLI::App& program, absl::Status* status) {
  CLI::App* serve = program.add_subcommand("serve", "Translates over HTTP, with a trained model");
  auto flags = std::make_shared<ServeFlags>();
  AddModelFlags(*serve, flags->model);
  AddOptionFlags(*serve, ListOptions(flags->serve));
  AddOptionFlags(*serve, ListOptions(flags->search));
  AddOptionFlags(*serve, ListOptions(flags->model.limits));
  serve->get_option("--language-model-weight")->needs("--language-model");
  serve->footer(
      "POST /translate with {\"text\": \"…\"} or {\"text\": [\"…\", …]}; further keys are the "
      "options of "
      "search, as \"beam\": 5. Send it as application/json: forms end at 8 KB. GET / is a page to "
      "try it, /health and /metrics are for machines.");
  serve->callback([flags, status] { *status = RunServe(*flags); });
}

}  // namespace seq2seq
