// Translating over HTTP.
#ifndef SEQ2SEQ_SERVE_SERVER_H_
#define SEQ2SEQ_SERVE_SERVER_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"

#include "seq2seq/search/search_options.h"
#include "seq2seq/search/translator.h"
#include "seq2seq/serve/http_server.h"

namespace seq2seq {

struct ServeOptions : HttpOptions {
  int64_t queue = 1024;
  int64_t max_texts = 256;
  int64_t max_text = 10'000;
  int64_t max_attention = 20'000'000;
  int64_t max_answer = 16 << 20;
  double timeout = 30;

  template <typename V>
  void Visit(V&& visit) {
    HttpOptions::Visit(visit);
    visit("queue", queue, "Texts that may wait; with more, requests are refused (503).");
    visit("max_texts", max_texts, "Texts of a request (413); never more than the queue.");
    visit("max_text", max_text, "Bytes of a text (413).");
    visit("max_attention", max_attention,
          "Attention weights that a request may ask for (413): for each text, n_best times the "
          "subwords that a translation may have times the bytes of the text.");
    visit("max_answer", max_answer, "Bytes of an answer (413).");
    visit("timeout", timeout,
          "Seconds from the last byte of a request to its answer; what takes longer is given up "
          "(504), also in the midst of a search.");
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
// Errors are {"error": "…"} with 400 for what cannot be read or searched, 408 for what takes too
// long to come, 413 and 431 for what is too large, 503 when too many wait, 504 when it took too
// long. Requests that arrive together share batches; what nobody waits for any more is not searched
// to its end.
class Server {
 public:
  // `search` is what requests begin with.
  Server(Translator translator, const SearchOptions& search, const ServeOptions& options);
  ~Server();

  // Takes the port. Unavailable, naming host and port, if that fails.
  absl::Status Bind();

  // The port taken.
  int port() const;

  // Answers until Stop, then finishes what has begun, for ServeOptions::grace at most.
  absl::Status Run();

  // From any thread, at any time.
  void Stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SERVE_SERVER_H_
