// `seq2seq watch`: serves the page of training runs, which follows them.
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include "seq2seq/base/status_macros.h"
#include "seq2seq/serve/http_server.h"
#include "seq2seq/tools/command.h"
#include "seq2seq/tools/ending.h"
#include "seq2seq/tools/option_flags.h"
#include "seq2seq/tools/report_page.h"
#include "seq2seq/tools/run_report.h"
#include "seq2seq/tools/server_log.h"

namespace seq2seq {
namespace {

struct WatchFlags {
  std::vector<std::string> runs;
  HttpOptions http;
};

HttpResponse Text(int code, const std::string& text) {
  return {code, "text/plain; charset=utf-8", absl::StrCat(text, "\n")};
}

// Reads the runs anew for every request.
class WatchService : public HttpService {
 public:
  explicit WatchService(std::vector<std::string> runs) : runs_(std::move(runs)) {}

  std::optional<HttpResponse> AnswerAtOnce(const HttpRequest& request) override {
    const bool known = request.path == "/" || request.path == "/data.json";
    if (!known) return Text(404, absl::StrCat(request.path.substr(0, 100), ": no such page"));
    if (request.method == "GET" || request.method == "HEAD") return std::nullopt;
    return Text(405, absl::StrCat("method ", request.method, " is not allowed"));
  }

  HttpResponse Answer(const HttpRequest& request, std::chrono::steady_clock::time_point,
                      const std::shared_ptr<std::atomic<bool>>&, const HttpSink&) override {
    const auto data = ReadReports(runs_, /*live=*/true);
    if (!data.ok()) return Text(503, std::string(data.status().message()));
    if (request.path == "/") return {200, "text/html; charset=utf-8", ReportPage(*data)};
    return {200, "application/json", ReportData(*data)};
  }

  HttpResponse Refuse(int code, const std::string& why) override { return Text(code, why); }

 private:
  const std::vector<std::string> runs_;
};

absl::Status RunWatch(const WatchFlags& flags) {
  SEQ2SEQ_RETURN_IF_ERROR(NamingFlag(Validate(flags.http)));
  LogAsServer();
  static Ending& ending = *new Ending(flags.http.grace);  // Its thread ends with the program.
  SEQ2SEQ_RETURN_IF_ERROR(ReadReports(flags.runs, /*live=*/true).status());
  WatchService service(flags.runs);
  HttpServer server(flags.http, service);
  SEQ2SEQ_RETURN_IF_ERROR(server.Bind());
  ending.Watch([&server] { server.Stop(); });
  spdlog::info("watch at http://{}:{}/", flags.http.host, server.port());
  const absl::Status status = server.Run();
  ending.Watch(nullptr);
  ending.Finish();
  return status;
}

}  // namespace

void AddWatch(CLI::App& program, absl::Status* status) {
  CLI::App* watch =
      program.add_subcommand("watch", "Serves the page of `report`, which follows the training");
  auto flags = std::make_shared<WatchFlags>();
  flags->http.port = 8081;  // Beside `serve`.
  flags->http.workers = 4;
  watch->add_option("runs", flags->runs, "Run folders")->option_text("RUN ...")->required();
  AddOptionFlags(*watch, ListOptions(flags->http), {"port"});
  watch->callback([flags, status] { *status = RunWatch(*flags); });
}

}  // namespace seq2seq
