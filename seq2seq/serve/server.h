// Translating over HTTP.
#ifndef SEQ2SEQ_SERVE_SERVER_H_
#define SEQ2SEQ_SERVE_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"

#include "seq2seq/search/search_options.h"
#include "seq2seq/search/translator.h"

namespace seq2seq {

struct ServeOptions {
  std::string host = "127.0.0.1";
  int64_t port = 8080;
  int64_t connections = 64;
  int64_t queue = 1024;
  int64_t max_body = 1 << 20;
  int64_t max_texts = 256;
  int64_t max_text = 10'000;
  double timeout = 30;

  template <typename V>
  void Visit(V&& visit) {
    visit("host", host,
          "The address to listen at. Everybody who reaches it may translate: 0.0.0.0 is everybody "
          "in the network.");
    visit("port", port, "The port; 0 is any that is free.");
    visit("connections", connections, "Connections that are read from at the same time.");
    visit("queue", queue, "Texts that may wait; with more, requests are refused (503).");
    visit("max_body", max_body, "Bytes of a request; larger ones are refused (413).");
    visit("max_texts", max_texts, "Texts of a request (413).");
    visit("max_text", max_text, "Bytes of a text (413).");
    visit(
        "timeout", timeout,
        "Seconds that a text may wait (504), and that a client may take to send (it is dropped).");
  }
};

// InvalidArgument, naming the key and its value, if no server can be made with `options`.
absl::Status Validate(const ServeOptions& options);

// Answers over HTTP until it is told to stop:
//
//   POST /translate   {"text": "…" or ["…", …], "beam": 5, …}, as ParseRequests reads it, to
//                     {"results": [{"translations": [CandidateJson, …]}, …]}, one for each text
//   GET /health       "ok"
//   GET /metrics      counters and latencies, as Prometheus reads them
//   GET /             a page to try it
//
// Bodies of more than 8 KB need the header Content-Type: application/json, since cpp-httplib takes
// what curl sends without for a form.
//
// Errors are {"error": "…"} with 400 for what cannot be read or searched, 413 for what is too
// large, 503 when too many wait, 504 when it took too long. Requests that arrive together share
// batches.
class Server {
 public:
  // `search` is what requests begin with.
  Server(Translator translator, const SearchOptions& search, const ServeOptions& options);
  ~Server();

  // Takes the port. Unavailable, naming host and port, if that fails.
  absl::Status Bind();

  // The port taken.
  int port() const;

  // Answers until Stop, then finishes what has begun.
  absl::Status Run();

  // From any thread or signal-safe context that may lock: no new connections.
  void Stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SERVE_SERVER_H_
