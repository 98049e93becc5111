// Options of the HTTP server.
#ifndef SEQ2SEQ_SERVE_HTTP_OPTIONS_H_
#define SEQ2SEQ_SERVE_HTTP_OPTIONS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

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
          "Address to listen on. Anyone who can reach it may translate; 0.0.0.0 opens it to the "
          "network. For TLS and for limits per client, put a reverse proxy in front.");
    visit("port", port, "TCP port, 0 to 65535; 0 takes any free one.");
    visit("connections", connections,
          "Maximum number of open connections, 1 to 100,000. A further one replaces the one that "
          "has been idle, sending or receiving for the longest time.");
    visit("workers", workers,
          "Maximum number of requests processed at the same time, 1 to 1,000, a thread each; "
          "further ones wait. The number of sentences of a batch is enough.");
    visit("client_timeout", client_timeout,
          "Seconds that a client may take from the first to the last byte of a request (408), to "
          "receive a response, and to begin another request; then the connection is closed.");
    visit("max_head", max_head, "Maximum bytes of the request line and headers (431).");
    visit("max_headers", max_headers, "Maximum number of headers of a request (431).");
    visit("max_body", max_body,
          "Maximum bytes of a request body; a larger one is refused (413) before it is read, a "
          "chunked one as soon as it exceeds them.");
    visit("max_held", max_held,
          "Maximum bytes of all buffered requests and responses; beyond it the connection that has "
          "been idle, sending or receiving for the longest time is closed.");
    visit("grace", grace,
          "Seconds after SIGTERM or SIGINT to finish pending requests; those that take longer are "
          "refused (503). docker stop waits for 10.");
  }
};

// InvalidArgument, naming the key and its value, if an option is out of range.
absl::Status Validate(const HttpOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SERVE_HTTP_OPTIONS_H_
