#include "seq2seq/serve/server.h"

#include <httplib.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include <nlohmann/json.hpp>

#include "seq2seq/base/option_rules.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/search/batching_translator.h"
#include "seq2seq/search/translation_json.h"
#include "seq2seq/serve/page.h"
#include "seq2seq/serve/traffic.h"

namespace seq2seq {
namespace {

constexpr char kJson[] = "application/json";

// After so many requests a connection makes room for another that waits.
constexpr size_t kRequestsOfConnection = 50;

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

std::string ErrorJson(absl::string_view message) {
  const nlohmann::json error = {{"error", std::string(message)}};
  return error.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

absl::Status Validate(const ServeOptions& options) {
  OptionRules rules;
  rules.Expect("port", options.port, options.port >= 0 && options.port <= 65535, "0 to 65535");
  rules.Expect("connections", options.connections,
               options.connections >= 1 && options.connections <= 10'000, "1 to 10,000");
  rules.Expect("queue", options.queue, options.queue >= 1, "1 or more");
  rules.Expect("max_body", options.max_body, options.max_body >= 1, "1 or more");
  rules.Expect("max_texts", options.max_texts, options.max_texts >= 1, "1 or more");
  rules.Expect("max_text", options.max_text, options.max_text >= 1, "1 or more");
  rules.Expect("timeout", options.timeout, options.timeout > 0 && options.timeout <= 86'400,
               "more than 0, at most 86,400");
  return rules.status();
}

struct Server::State {
  State(Translator translator, const SearchOptions& search, const ServeOptions& options)
      : search(search),
        options(options),
        batching(std::move(translator), {.queue = options.queue}) {}

  // What a request asks for, within the limits.
  absl::StatusOr<RequestBlock> Read(const std::string& body) const {
    SEQ2SEQ_ASSIGN_OR_RETURN(RequestBlock block, ParseRequests(body, search));
    if (static_cast<int64_t>(block.requests.size()) > options.max_texts) {
      return absl::OutOfRangeError(absl::StrCat("text: ", block.requests.size(), " texts, at most ",
                                                options.max_texts, " are allowed"));
    }
    for (const Request& request : block.requests) {
      if (static_cast<int64_t>(request.text.size()) > options.max_text) {
        return absl::OutOfRangeError(absl::StrCat("text: ", request.text.size(), " bytes, at most ",
                                                  options.max_text, " are allowed"));
      }
    }
    return block;
  }

  // The answer to a request of `texts` texts.
  absl::StatusOr<std::string> Answer(const std::string& body, int64_t& texts) {
    SEQ2SEQ_ASSIGN_OR_RETURN(RequestBlock block, Read(body));
    texts = static_cast<int64_t>(block.requests.size());
    const auto deadline =
        Interrupt::Clock::now() + std::chrono::microseconds(std::llround(options.timeout * 1e6));
    const auto cancelled = std::make_shared<std::atomic<bool>>(false);
    for (Request& request : block.requests) request.interrupt = {deadline, cancelled};
    SEQ2SEQ_ASSIGN_OR_RETURN(auto waiting,
                             batching.Translate(std::move(block.requests), block.options));
    std::vector<std::string> results;
    absl::Status status;
    for (auto& future : waiting) {
      const auto candidates = future.get();
      if (!candidates.ok()) {  // The others are then for nobody.
        *cancelled = true;
        status.Update(candidates.status());
        continue;
      }
      results.push_back(
          absl::StrCat("{\"translations\":[",
                       absl::StrJoin(*candidates, ",",
                                     [](std::string* out, const Candidate& candidate) {
                                       absl::StrAppend(out, CandidateJson(candidate));
                                     }),
                       "]}"));
    }
    if (!status.ok()) return status;
    return absl::StrCat("{\"results\":[", absl::StrJoin(results, ","), "]}\n");
  }

  void Translate(const httplib::Request& request, httplib::Response& response) {
    const auto start = Interrupt::Clock::now();
    int64_t texts = 0;
    const absl::StatusOr<std::string> answer = Answer(request.body, texts);
    if (answer.ok()) {
      response.set_content(*answer, kJson);
    } else {
      response.status = CodeOf(answer.status());
      if (response.status == 503) response.set_header("Retry-After", "1");
      response.set_content(ErrorJson(answer.status().message()), kJson);
    }
    const std::chrono::duration<double> seconds = Interrupt::Clock::now() - start;
    traffic.Count(answer.ok() ? 200 : response.status, answer.ok() ? texts : 0, seconds.count());
  }

  std::string Metrics() const {
    const BatchingTranslator::Counts counts = batching.counts();
    return absl::StrCat(traffic.Print(),
                        "# HELP seq2seq_batches_total Batches searched.\n"
                        "# TYPE seq2seq_batches_total counter\nseq2seq_batches_total ",
                        counts.batches,
                        "\n# HELP seq2seq_waiting Texts that wait.\n"
                        "# TYPE seq2seq_waiting gauge\nseq2seq_waiting ",
                        counts.waiting, "\n");
  }

  const SearchOptions search;
  const ServeOptions options;
  Traffic traffic;
  BatchingTranslator batching;
  httplib::Server http;
  socket_t socket = INVALID_SOCKET;
  int port = 0;
};

Server::Server(Translator translator, const SearchOptions& search, const ServeOptions& options)
    : state_(std::make_unique<State>(std::move(translator), search, options)) {
  State& state = *state_;
  const auto connections = static_cast<size_t>(options.connections);
  state.http.new_task_queue = [connections] { return new httplib::ThreadPool(connections); };
  // Without what the library sets by default: two servers would share a port, unnoticed.
  state.http.set_socket_options([&state](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    state.socket = socket;
  });
  // An answer is written in several parts: waiting to send them together would add 40 ms to each.
  state.http.set_tcp_nodelay(true);
  state.http.set_keep_alive_max_count(kRequestsOfConnection);
  state.http.set_payload_max_length(static_cast<size_t>(options.max_body));
  const auto seconds = static_cast<time_t>(std::ceil(options.timeout));
  state.http.set_read_timeout(seconds, 0);
  state.http.set_write_timeout(seconds, 0);
  state.http.Post("/translate",
                  [&state](const httplib::Request& request, httplib::Response& response) {
                    state.Translate(request, response);
                  });
  state.http.Get("/health", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("ok\n", "text/plain");
  });
  state.http.Get("/metrics", [&state](const httplib::Request&, httplib::Response& response) {
    response.set_content(state.Metrics(), "text/plain; version=0.0.4");
  });
  state.http.Get("/", [](const httplib::Request&, httplib::Response& response) {
    response.set_content(kPage, "text/html; charset=utf-8");
  });
  state.http.set_error_handler([](const httplib::Request& request, httplib::Response& response) {
    if (!response.body.empty()) return;
    const char* why = response.status == 404   ? "no such page"
                      : response.status == 413 ? "the request is too large"
                                               : "the request cannot be read";
    response.set_content(ErrorJson(absl::StrCat(request.path, ": ", why)), kJson);
  });
}

Server::~Server() = default;

absl::Status Server::Bind() {
  const std::string& host = state_->options.host;
  const auto wanted = static_cast<int>(state_->options.port);
  if (wanted == 0) {
    state_->port = state_->http.bind_to_any_port(host);
  } else {
    state_->port = state_->http.bind_to_port(host, wanted) ? wanted : -1;
  }
  // The library lets five connections wait, and who comes next waits a second before the next try.
  if (state_->port > 0 && listen(state_->socket, SOMAXCONN) == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(host, ":", wanted, ": cannot listen there"));
}

int Server::port() const { return state_->port; }

absl::Status Server::Run() {
  if (state_->http.listen_after_bind()) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat(state_->options.host, ":", state_->port, ": cannot accept connections"));
}

void Server::Stop() { state_->http.stop(); }

}  // namespace seq2seq
