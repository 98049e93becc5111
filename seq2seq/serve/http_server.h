// HTTP server that tolerates slow and broken clients.
#ifndef SEQ2SEQ_SERVE_HTTP_SERVER_H_
#define SEQ2SEQ_SERVE_HTTP_SERVER_H_

#include <memory>

#include "absl/status/status.h"

#include "seq2seq/serve/http_options.h"
#include "seq2seq/serve/http_service.h"

namespace seq2seq {

// Serves HTTP/1.1 and 1.0 over keep-alive connections. One thread reads, writes and polls all
// connections, so that a slow client costs a socket and what it has sent; complete requests go to
// `workers` further threads. A client that closes its side while it waits counts as disconnected,
// as with other servers.
//
//   HttpServer server(options, service);
//   SEQ2SEQ_RETURN_IF_ERROR(server.Bind());
//   return server.Run();
class HttpServer {
 public:
  // `service` must outlive it.
  HttpServer(const HttpOptions& options, HttpService& service);
  ~HttpServer();

  // Binds the port. Unavailable, naming host and port, if that fails.
  absl::Status Bind();

  // The bound port.
  int port() const;

  // Serves until Stop, then finishes pending requests, for HttpOptions::grace at most unless a
  // worker ignores `cancelled`. Called once.
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
