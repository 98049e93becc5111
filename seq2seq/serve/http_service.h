// Request handler of an HTTP server.
#ifndef SEQ2SEQ_SERVE_HTTP_SERVICE_H_
#define SEQ2SEQ_SERVE_HTTP_SERVICE_H_

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "seq2seq/serve/http_request.h"
#include "seq2seq/serve/http_response.h"

namespace seq2seq {

// Sends a part of a response that has `more`; what Answer returns then is the last part. Drops the
// part and returns false if the client has not received the one before, so that slow clients cost
// no memory: parts are for what later ones repeat. From any thread, until Answer returns.
using HttpSink = std::function<bool(HttpResponse part)>;

// Thread-safe, but for AnswerAtOnce.
class HttpService {
 public:
  virtual ~HttpService() = default;

  // The response to a request that costs nothing; nullopt if it is for Answer. Called by the thread
  // of the event loop.
  virtual std::optional<HttpResponse> AnswerAtOnce(const HttpRequest& request) = 0;

  // The response to another one, whose last byte arrived at `begin`. Called by several threads.
  // Once `cancelled` is set, the response is not needed any more: the client disconnected, or the
  // server shuts down. The service may set it, too. Parts may be sent to `sink` before.
  virtual HttpResponse Answer(const HttpRequest& request,
                              std::chrono::steady_clock::time_point begin,
                              const std::shared_ptr<std::atomic<bool>>& cancelled,
                              const HttpSink& sink) = 0;

  // The response to a request refused with the HTTP status `code` for the reason `why`. Called by
  // any of the threads.
  virtual HttpResponse Refuse(int code, const std::string& why) = 0;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SERVE_HTTP_SERVICE_H_
