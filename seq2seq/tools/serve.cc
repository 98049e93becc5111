// `seq2seq serve`: HTTP translation server.
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include "seq2seq/base/options.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/serve/server.h"
#include "seq2seq/tools/command.h"
#include "seq2seq/tools/ending.h"
#include "seq2seq/tools/model_flags.h"
#include "seq2seq/tools/option_flags.h"
#include "seq2seq/tools/search_flags.h"
#include "seq2seq/tools/server_log.h"

namespace seq2seq {
namespace {

struct ServeFlags {
  ModelFlags model;
  SearchFlags search;
  ServeOptions serve;
};

absl::Status RunServe(const CLI::App& command, ServeFlags& flags) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const SearchOptions search,
                           ChooseSearch(command, flags.search, flags.model.models[0]));
  SEQ2SEQ_RETURN_IF_ERROR(NamingFlag(Validate(search, flags.model.limits)));
  SEQ2SEQ_RETURN_IF_ERROR(NamingFlag(Validate(flags.serve)));
  LogAsServer();
  static Ending& ending = *new Ending(flags.serve.grace);  // Its thread ends with the program.
  SEQ2SEQ_ASSIGN_OR_RETURN(Translator translator, LoadTranslator(flags.model));
  if (translator.source_kind() != SourceKind::kText) {
    return absl::InvalidArgumentError(
        absl::StrCat(flags.model.models[0], ": serve needs a model whose model.source is text"));
  }
  absl::Status status;
  {
    Server server(std::move(translator), search, flags.serve);
    SEQ2SEQ_RETURN_IF_ERROR(server.Bind());
    ending.Watch([&server] { server.Stop(); });
    spdlog::info("listening at http://{}:{}/", flags.serve.host, server.port());
    status = server.Run();
    ending.Watch(nullptr);
  }
  ending.Finish();
  return status;
}

}  // namespace

void AddServe(CLI::App& program, absl::Status* status) {
  CLI::App* serve = program.add_subcommand("serve", "Serves a trained model over HTTP");
  auto flags = std::make_shared<ServeFlags>();
  AddModelFlags(*serve, flags->model);
  AddOptionFlags(*serve, ListOptions(flags->serve));
  AddSearchFlags(*serve, flags->search);
  AddOptionFlags(*serve, ListOptions(flags->model.limits));
  serve->get_option("--language-model-weight")->needs("--language-model");
  serve->footer(
      "POST /translate with {\"text\": \"…\"} or {\"text\": [\"…\", …]}; further keys are search "
      "options, as \"beam\": 5; \"stream\": true sends one text as it grows. GET / is a page to "
      "try it; /health and /metrics are for "
      "monitoring.");
  serve->callback([serve, flags, status] { *status = RunServe(*serve, *flags); });
}

}  // namespace seq2seq
