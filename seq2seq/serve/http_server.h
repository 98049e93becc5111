// A server of HTTP that slow and broken clients do not stop.
#ifndef SEQ2SEQ_SERVE_HTTP_SERVER_H_
#define SEQ2SEQ_SERVE_HTTP_SERVER_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"

#include "seq2seq/serve/http_request.h"
#include "seq2seq/serve/http_response.h"

namespace seq2seq {

struct HttpOptions {
  std::string host = "127.0.0.1";
  int64_t port = 8080;
  int64_t connections = 512;
  int64_t workers = 64;
  double client_timeout = 10;
  int64_t max_head = 16'384;
  int64_t max_headers = 100;
  int64_t max_body = 1 << 20;
  int64_t max_held = 256 << 20;
  double grace = 8;

  template <typename V>
  void Visit(V&& visit) {
    visit("host", host,
          "The address to listen at. Everybody who reaches it may translate: 0.0.0.0 is everybody "
          "in the network. For TLS and for limits per client, put a proxy before it.");
    visit("port", port, "The port; 0 is any that is free.");
    visit("connections", connections,
          "Connections that are open at the same time. A further one takes the place of the one "
          "that has been idle, sending or receiving for the longest time.");
    visit("workers", workers,
          "Requests that are read as JSON, wait for their translations and are answered at the "
          "same time; further ones wait. As many as sentences of a batch are enough.");
    visit("client_timeout", client_timeout,
          "Seconds that a client may take from the first byte of a request to its last (408), to "
          "receive an answer, and to begin another request; then the connection is closed.");
    visit("max_head", max_head, "Bytes of the first line and the headers of a request (431).");
    visit("max_headers", max_headers, "Headers of a request (431).");
    visit("max_body", max_body,
          "Bytes of the body of a request; a larger one is refused (413) before it is read, a "
          "chunked one as soon as it has more.");
    visit("max_held", max_held,
          "Bytes of requests and answers that are held together; beyond it the connection that has "
          "been sending or receiving for the longest time is closed.");
    visit("grace", grace,
          "Seconds after SIGTERM or SIGINT in which what has begun is finished; what takes longer "
          "is refused (503). docker stop waits for 10.");
  }
};

// InvalidArgument, naming the key and its value, if no server can be made with `options`.
absl::Status Validate(const HttpOptions& options);

// What a server is for.
class HttpService {
 public:
  virtual ~HttpService() = default;

  // The answer to a request that costs nothing; nullopt if Answer has it. Called by the thread that
  // serves everybody.
  virtual std::optional<HttpResponse> AnswerAtOnce(const HttpRequest& request) = 0;

  // The answer to another one, whose last byte came at `begin`. Called by several threads. Nobody
  // waits any more once `cancelled` is set: the client hung up, or the server ends. The service may
  // set it, too.
  virtual HttpResponse Answer(const HttpRequest& request,
                              std::chrono::steady_clock::time_point begin,
                              const std::shared_ptr<std::atomic<bool>>& cancelled) = 0;

  // The answer to a request that was refused with the HTTP status `code`, as `why` tells. Called by
  // any of the threads.
  virtual HttpResponse Refuse(int code, const std::string& why) = 0;
};

// Answers requests of HTTP/1.1 and 1.0 over keep-alive connections. One thread reads, writes and
// watches all connections, so that a slow client costs a socket and what it has sent; requests that
// are complete go to `workers` further ones. A client that closes its side while it waits has hung
// up, as with other servers.
//
//   HttpServer server(options, service);
//   SEQ2SEQ_RETURN_IF_ERROR(server.Bind());
//   return server.Run();
class HttpServer {
 public:
  // `service` must outlive it.
  HttpServer(const HttpOptions& options, HttpService& service);
  ~HttpServer();

  // Takes the port. Unavailable, naming host and port, if that fails.
  absl::Status Bind();

  // The port taken.
  int port() const;

  // Answers until Stop, then finishes what has begun, for HttpOptions::grace at most unless a
  // worker does not heed `cancelled`. Called once.
  absl::Status Run();

  // From any thread, also before Run.
  void Stop();

  // Whether Stop was called.
  bool stopping() const;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SERVE_HTTP_SERVER_H_
