#include "seq2seq/serve/server.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include <nlohmann/json.hpp>

#include "seq2seq/base/option_rules.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/search/batching_translator.h"
#include "seq2seq/search/translation_json.h"
#include "seq2seq/serve/http_server.h"
#include "seq2seq/serve/page.h"
#include "seq2seq/serve/traffic.h"

namespace seq2seq {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kJson[] = "application/json";
constexpr char kEvents[] = "text/event-stream";
// Client closed the connection: never sent, but counted, under the code that nginx uses.
constexpr int kHungUp = 499;

int CodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return 400;
    case absl::StatusCode::kOutOfRange:
      return 413;
    case absl::StatusCode::kResourceExhausted:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

// {"key": "text"}, as a line.
std::string TextJson(const char* key, absl::string_view text) {
  const nlohmann::json object = {{key, std::string(text)}};
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

// A server-sent event of the default type, whose data is a line of JSON.
std::string Event(absl::string_view json) { return absl::StrCat("data: ", json, "\n"); }

absl::Status TooLarge(absl::string_view key, const absl::AlphaNum& size, const char* unit,
                      int64_t most) {
  return absl::OutOfRangeError(
      absl::StrCat(key, ": ", size, " ", unit, ", at most ", most, " are allowed"));
}

std::string ResultJson(const std::vector<Candidate>& candidates) {
  const std::string all = absl::StrJoin(candidates, ",", [](std::string* out, const auto& one) {
    absl::StrAppend(out, CandidateJson(one));
  });
  return absl::StrCat("{\"translations\":[", all, "]}");
}

}  // namespace

absl::Status Validate(const ServeOptions& options) {
  SEQ2SEQ_RETURN_IF_ERROR(Validate(static_cast<const HttpOptions&>(options)));
  OptionRules rules;
  rules.Expect("queue", options.queue, options.queue >= 1, "1 or more");
  rules.Expect("max_texts", options.max_texts, options.max_texts >= 1, "1 or more");
  rules.Expect("max_text", options.max_text, options.max_text >= 1, "1 or more");
  rules.Expect("max_attention", options.max_attention, options.max_attention >= 0, "0 or more");
  rules.Expect("max_answer", options.max_answer, options.max_answer >= 1, "1 or more");
  rules.Expect("timeout", options.timeout, options.timeout > 0 && options.timeout <= 86'400,
               "more than 0, at most 86,400");
  return rules.status();
}

struct Server::State : HttpService {
  State(Translator translator, const SearchOptions& search, const ServeOptions& options)
      : search(search),
        options(options),
        page(PageFor(search, translator.options().limits)),
        batching(std::move(translator), {.queue = options.queue}),
        http(options, *this) {}

  // Parses a request and checks it against the limits.
  absl::StatusOr<RequestBlock> Read(const std::string& body) const {
    SEQ2SEQ_ASSIGN_OR_RETURN(RequestBlock block, ParseRequests(body, search));
    const int64_t most = std::min(options.max_texts, options.queue);
    if (static_cast<int64_t>(block.texts.size()) > most)
      return TooLarge("text", block.texts.size(), "texts", most);
    // Before prefix and constraints are copied for each text.
    SEQ2SEQ_RETURN_IF_ERROR(batching.translator().CheckRequests({block.request}, block.options));
    double attention = 0;
    for (const std::string& text : block.texts) {
      const auto size = static_cast<int64_t>(text.size());
      if (size > options.max_text) return TooLarge("text", size, "bytes", options.max_text);
      // A subword has at least one byte.
      attention += static_cast<double>(MaxLength(size, block.options) * block.options.n_best) *
                   static_cast<double>(size);
    }
    if (block.options.attention && attention > static_cast<double>(options.max_attention))
      return TooLarge("attention", attention, "weights", options.max_attention);
    return block;
  }

  // Appends the results to `answer`, in order.
  absl::Status Collect(std::vector<BatchingTranslator::Future>& results, std::string& answer) {
    for (auto& result : results) {
      SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<Candidate> candidates, result.get());
      const std::string json = absl::StrCat(answer.empty() ? "" : ",", ResultJson(candidates));
      const auto size = static_cast<int64_t>(json.size());
      const auto sum = static_cast<int64_t>(answer.size()) + size;
      if (sum > options.max_answer) return TooLarge("answer", sum, "bytes", options.max_answer);
      if (collected + size > options.max_held)
        return absl::ResourceExhaustedError("too many large responses at once");
      answer += json;
      collected += size;
    }
    return absl::OkStatus();
  }

  // What is known of a request while it is answered.
  struct Progress {
    int64_t texts = 0;
    bool stream = false;
    // Whether a part was sent. Set by the thread that searches, read once that is done.
    std::shared_ptr<std::atomic<bool>> begun = std::make_shared<std::atomic<bool>>(false);
  };

  // The response to a request, in JSON, which it sends parts of before if it is to be streamed.
  absl::StatusOr<std::string> Translate(const std::string& body, const Interrupt& interrupt,
                                        const HttpSink& sink, Progress& progress) {
    if (interrupt.raised()) return interrupt.error();
    SEQ2SEQ_ASSIGN_OR_RETURN(const RequestBlock block, Read(body));
    progress.texts = static_cast<int64_t>(block.texts.size());
    progress.stream = block.stream;
    std::vector<Request> requests = block.Requests();
    for (Request& request : requests) request.interrupt = interrupt;
    if (block.stream) {
      requests[0].on_text = [sink, begun = progress.begun](const std::string& text) {
        const std::string event = Event(TextJson("text", text));
        if (sink({200, kEvents, event, /*retry=*/false, /*more=*/true})) *begun = true;
      };
    }
    SEQ2SEQ_ASSIGN_OR_RETURN(auto results, batching.Translate(std::move(requests), block.options));
    std::string all;
    const absl::Status status = Collect(results, all);
    collected -= static_cast<int64_t>(all.size());
    SEQ2SEQ_RETURN_IF_ERROR(status);
    return absl::StrCat("{\"results\":[", all, "]}\n");
  }

  std::optional<HttpResponse> AnswerAtOnce(const HttpRequest& request) override {
    const bool get = request.method == "GET" || request.method == "HEAD";
    const bool post = request.method == "POST";
    if (request.path == "/translate" && post) return std::nullopt;
    if (request.path == "/health" && get) return HttpResponse{200, "text/plain", "ok\n"};
    if (request.path == "/metrics" && get)
      return HttpResponse{200, "text/plain; version=0.0.4", Metrics()};
    if (request.path == "/" && get) return HttpResponse{200, "text/html; charset=utf-8", page};
    const std::string path = request.path.substr(0, 100);
    for (const char* known : {"/translate", "/health", "/metrics", "/"}) {
      if (request.path == known)
        return Error(405, absl::StrCat(path, ": method ", request.method, " is not allowed"));
    }
    return Error(404, absl::StrCat(path, ": no such page"));
  }

  HttpResponse Answer(const HttpRequest& request, Clock::time_point begin,
                      const std::shared_ptr<std::atomic<bool>>& cancelled,
                      const HttpSink& sink) override {
    const auto timeout = std::chrono::microseconds(std::llround(options.timeout * 1e6));
    Progress progress;
    absl::StatusOr<std::string> answer =
        Translate(request.body, {begin + timeout, cancelled}, sink, progress);
    HttpResponse response = {200, kJson, ""};
    if (answer.ok()) {
      response.body = *std::move(answer);
    } else if (absl::IsCancelled(answer.status())) {
      response = http.stopping() ? Error(503, "the server is shutting down")
                                 : Error(kHungUp, "the client disconnected");
    } else {
      response = Error(CodeOf(answer.status()), answer.status().message());
      *cancelled = true;  // The other texts of the request.
    }
    const std::chrono::duration<double> seconds = Clock::now() - begin;
    traffic.Count(response.code, answer.ok() ? progress.texts : 0, seconds.count());
    // An error before the first event is answered as without a stream.
    if (*progress.begun || (progress.stream && answer.ok())) {
      const char* type = answer.ok() ? "" : "event: error\n";
      response = {200, kEvents, type + Event(response.body)};
    }
    return response;
  }

  HttpResponse Refuse(int code, const std::string& why) override {
    traffic.Count(code, 0, 0);
    return Error(code, why);
  }

  static HttpResponse Error(int code, absl::string_view message) {
    return {code, kJson, TextJson("error", message), /*retry=*/code == 503};
  }

  std::string Metrics() const {
    const BatchingTranslator::Counts counts = batching.counts();
    return absl::StrCat(traffic.Print(),
                        "# HELP seq2seq_batches_total Batches searched.\n"
                        "# TYPE seq2seq_batches_total counter\nseq2seq_batches_total ",
                        counts.batches,
                        "\n# HELP seq2seq_waiting Texts waiting for search.\n"
                        "# TYPE seq2seq_waiting gauge\nseq2seq_waiting ",
                        counts.waiting, "\n");
  }

  const SearchOptions search;
  const ServeOptions options;
  const std::string page;
  Traffic traffic;
  std::atomic<int64_t> collected = 0;  // Bytes of incomplete responses.
  BatchingTranslator batching;
  HttpServer http;
};

Server::Server(Translator translator, const SearchOptions& search, const ServeOptions& options)
    : state_(std::make_unique<State>(std::move(translator), search, options)) {}

Server::~Server() = default;

absl::Status Server::Bind() { return state_->http.Bind(); }

int Server::port() const { return state_->http.port(); }

absl::Status Server::Run() { return state_->http.Run(); }

void Server::Stop() { state_->http.Stop(); }

}  // namespace seq2seq
