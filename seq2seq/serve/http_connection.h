// Connection of an HTTP server: reads requests and writes responses without blocking.
#ifndef SEQ2SEQ_SERVE_HTTP_CONNECTION_H_
#define SEQ2SEQ_SERVE_HTTP_CONNECTION_H_

#include <chrono>
#include <cstddef>
#include <string>

#include "seq2seq/serve/http_request.h"
#include "seq2seq/serve/http_response.h"

namespace seq2seq {

// One client: its socket, the request that arrives, and the response that leaves. Each phase has a
// deadline, which its owner enforces. Used by one thread.
//
//   HttpConnection connection(socket, limits, timeout);
//   if (!connection.Receive()) …;  // When bytes have arrived.
//   while (connection.has_input()) {
//     if (!connection.Parse()) …;
//     if (connection.has_request()) request = connection.TakeRequest();
//   }
//   connection.Respond(response, …);
//   if (!connection.Send()) …;  // Until the phase changes.
class HttpConnection {
 public:
  using Clock = std::chrono::steady_clock;

  enum class Phase {
    kReading,   // Of a request, or idle.
    kWaiting,   // For the response, or its next part, without a deadline.
    kWriting,   // Of a response, or of a part.
    kDraining,  // Drops what still arrives after the last response: closing the connection at once
                // would destroy that, too.
    kClosed,
  };

  // Owns `socket`, which does not block. `timeout` is the longest time that reading a request,
  // writing a response and the pause between them may take each.
  HttpConnection(int socket, const HttpLimits& limits, Clock::duration timeout);
  ~HttpConnection() { Close(); }
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  int socket() const { return socket_; }
  Phase phase() const { return phase_; }

  // When the phase began, or the first byte of the request arrived; and when it has to end.
  Clock::time_point since() const { return since_; }
  Clock::time_point deadline() const { return deadline_; }

  // Bytes of the request and the response that it holds.
  size_t size() const { return reader_.size() + input_.size() + output_.size(); }

  // Receives some bytes, if there are any. False if the client has closed the connection.
  bool Receive();

  // Whether bytes were received and not yet parsed.
  bool has_input() const { return !input_.empty(); }

  // Parses received bytes up to the end of a request, and tells a client that waits for it to send
  // the body. False if the client has closed the connection.
  bool Parse();

  // Whether a part of a request was parsed, or all of it.
  bool has_begun() const { return reader_.begun(); }
  bool has_request() const { return reader_.done(); }

  // The HTTP status of what is wrong with the request, 0 for nothing, and the reason.
  int error() const { return reader_.error(); }
  const std::string& error_message() const { return reader_.message(); }

  // The parsed request; from now on it waits for the response.
  HttpRequest TakeRequest();

  // Drops the request and all that was received after it. The next response is the last one.
  void DropRequest();

  // Begins to write a response, without its body if `head_only`, or a part that continues the one
  // before. Unless `keep_alive`, it is the last one.
  void Respond(const HttpResponse& response, bool head_only, bool keep_alive);

  // Sends what is left of the response, or some of it. After all of it the next part is awaited,
  // the next request is read, or the connection is drained. False if the client has closed the
  // connection.
  bool Send();

  void Close();

 private:
  void Begin(Phase phase);
  // Appends to the output a part that continues the response.
  void Continue(const HttpResponse& part);

  int socket_;
  const HttpLimits limits_;
  const Clock::duration timeout_;
  HttpRequestReader reader_;
  Phase phase_;
  Clock::time_point since_;
  Clock::time_point deadline_;
  std::string input_;  // Bytes received and not yet parsed.
  std::string output_;
  size_t written_ = 0;                         // Of the output.
  HttpFraming framing_ = HttpFraming::kWhole;  // Of the response.
  bool unfinished_ = false;                    // Whether further parts of it follow.
  bool takes_chunks_ = true;
  bool keep_alive_ = true;
  bool continued_ = false;  // Whether 100 Continue was sent.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SERVE_HTTP_CONNECTION_H_
