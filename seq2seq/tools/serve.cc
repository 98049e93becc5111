// `seq2seq serve`: HTTP translation server.
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <mutex>
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
#include "seq2seq/tools/server_log.h"

namespace seq2seq {
namespace {

struct ServeFlags {
  ModelFlags model;
  SearchOptions search;
  ServeOptions serve;
};

// Stops the server at SIGTERM or SIGINT: at once while it loads, when there are no clients; later
// it finishes requests in progress, for at most `grace` seconds. A second signal stops it at once.
class Ending {
 public:
  // To be constructed before other threads start: they inherit the blocked signals, which a thread
  // of this class handles.
  explicit Ending(double grace) : grace_(grace) {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    std::thread([this] { Wait(); }).detach();
  }

  // From now on a signal stops `server` first; null for none.
  void Watch(Server* server) {
    const std::lock_guard<std::mutex> lock(mutex_);
    server_ = server;
  }

  // From now on the program ends by itself, and signals are ignored.
  void Finish() {
    const std::lock_guard<std::mutex> lock(mutex_);
    finished_ = true;
  }

 private:
  void Wait() {
    int signal = 0;
    sigwait(&signals_, &signal);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (finished_) return;
      if (server_ == nullptr) {
        spdlog::info("stopped while not serving");
        std::_Exit(0);
      }
      spdlog::info("finishing requests in progress");
      server_->Stop();
    }
    timespec left = {};
    left.tv_sec = static_cast<time_t>(grace_);
    left.tv_nsec = static_cast<int64_t>((grace_ - std::floor(grace_)) * 1e9);
    while (sigtimedwait(&signals_, nullptr, &left) < 0 && errno == EINTR) {
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    if (finished_) return;
    spdlog::error("stopped before all requests were finished");
    std::_Exit(1);
  }

  const double grace_;
  sigset_t signals_;
  std::mutex mutex_;
  Server* server_ = nullptr;
  bool finished_ = false;
};

absl::Status RunServe(ServeFlags& flags) {
  SEQ2SEQ_RETURN_IF_ERROR(NamingFlag(Validate(flags.search, flags.model.limits)));
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
    Server server(std::move(translator), flags.search, flags.serve);
    SEQ2SEQ_RETURN_IF_ERROR(server.Bind());
    ending.Watch(&server);
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
  AddOptionFlags(*serve, ListOptions(flags->search));
  AddOptionFlags(*serve, ListOptions(flags->model.limits));
  serve->get_option("--language-model-weight")->needs("--language-model");
  serve->footer(
      "POST /translate with {\"text\": \"…\"} or {\"text\": [\"…\", …]}; further keys are search "
      "options, as \"beam\": 5; \"stream\": true sends one text as it grows. GET / is a page to "
      "try it; /health and /metrics are for "
      "monitoring.");
  serve->callback([flags, status] { *status = RunServe(*flags); });
}

}  // namespace seq2seq
