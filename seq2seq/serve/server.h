// HTTP translation server.
#ifndef SEQ2SEQ_SERVE_SERVER_H_
#define SEQ2SEQ_SERVE_SERVER_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"

#include "seq2seq/search/search_options.h"
#include "seq2seq/search/translator.h"
#include "seq2seq/serve/http_options.h"

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
    visit("queue", queue, "Maximum number of waiting texts; beyond it requests are refused (503).");
    visit("max_texts", max_texts,
          "Maximum number of texts of a request (413); never more than `queue`.");
    visit("max_text", max_text, "Maximum bytes of a text (413).");
    visit("max_attention", max_attention,
          "Maximum attention weights of a request (413), summed over its texts: n_best times the "
          "maximum length of a translation in subwords times the bytes of the text.");
    visit("max_answer", max_answer, "Maximum bytes of a response (413).");
    visit("timeout", timeout,
          "Seconds from the last byte of a request to its response, at most 86,400; what takes "
          "longer is given up (504), also during search.");
  }
};

// InvalidArgument, naming the key and its value, if an option is out of range.
absl::Status Validate(const ServeOptions& options);

// Serves translations over HTTP until it is stopped:
//
//   POST /translate   {"text": "…" or ["…", …], "beam": 5, …}, as ParseRequests reads it, to
//                     {"results": [{"translations": [CandidateJson, …]}, …]}, one for each text
//   POST /translate   {"text": "…", "stream": true, …} to server-sent events (text/event-stream),
//   the
//                     data of which is {"text": "…"}, the beginning of the best translation,
//                     whenever more of it is certain, and last {"results": …} as above. A slow
//                     client gets fewer of them. An error after the first is an event "error".
//   GET /health       "ok"
//   GET /metrics      counters and latencies, in the text format of Prometheus
//   GET /             a page to try it
//
// Errors are {"error": "…"} with 400 for invalid requests, 408 for those that arrive too slowly,
// 413 and 431 for those that are too large, 503 if too many wait, 504 if translation takes too
// long. Requests that arrive together share batches; the search of abandoned ones is cancelled.
class Server {
 public:
  // `search` holds the defaults of requests.
  Server(Translator translator, const SearchOptions& search, const ServeOptions& options);
  ~Server();

  // Binds the port. Unavailable, naming host and port, if that fails.
  absl::Status Bind();

  // The bound port.
  int port() const;

  // Serves until Stop, then finishes pending requests, for ServeOptions::grace at most.
  absl::Status Run();

  // From any thread, at any time.
  void Stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SERVE_SERVER_H_
