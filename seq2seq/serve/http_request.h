// Incremental parser of HTTP/1.1 requests (RFC 9112).
#ifndef SEQ2SEQ_SERVE_HTTP_REQUEST_H_
#define SEQ2SEQ_SERVE_HTTP_REQUEST_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace seq2seq {

// Upper bounds of a request.
struct HttpLimits {
  int64_t head = 16'384;  // Bytes of the request line and all headers.
  int64_t headers = 100;
  int64_t body = 1 << 20;  // Bytes, without the framing of chunks.
};

struct HttpRequest {
  std::string method;
  std::string path;  // Without the query.
  std::string body;
  bool keep_alive = true;
  bool takes_chunks = true;  // Whether the client understands chunked responses: not with HTTP/1.0.
};

// Parses one request as its bytes arrive. Refuses malformed, ambiguous or too large ones as early
// as possible, never buffers more than the limits, and allocates nothing in advance.
//
//   HttpRequestReader reader(limits);
//   while (!reader.done()) {
//     bytes = …;
//     const size_t taken = reader.Read(bytes);  // The rest belongs to the next request.
//     if (reader.error() != 0) …;               // The HTTP status of the refusal.
//   }
class HttpRequestReader {
 public:
  explicit HttpRequestReader(const HttpLimits& limits) : limits_(limits) {}

  // Consumes bytes up to the end of the request or an error; returns how many.
  size_t Read(absl::string_view bytes);

  bool begun() const { return begun_; }
  bool done() const { return phase_ == Phase::kDone; }
  // The HTTP status of the error, 0 if there is none, and its message.
  int error() const { return error_; }
  const std::string& message() const { return message_; }

  // Whether the client waits for "100 Continue" before it sends the body.
  bool waits_to_send() const { return waits_to_send_ && phase_ != Phase::kDone && !error_; }

  // Bytes buffered.
  size_t size() const { return line_.size() + request_.path.size() + request_.body.size(); }

  // The request, once it is done.
  HttpRequest& request() { return request_; }

 private:
  enum class Phase { kRequestLine, kHeader, kBody, kChunkSize, kChunk, kChunkEnd, kTrailer, kDone };

  void Refuse(int error, absl::string_view message);
  void TakeLine(absl::string_view line);
  void TakeRequestLine(absl::string_view line);
  void TakeHeader(absl::string_view line);
  void TakeLength(absl::string_view value);
  void TakeChunkSize(absl::string_view line);
  void EndHead();

  HttpLimits limits_;
  HttpRequest request_;
  Phase phase_ = Phase::kRequestLine;
  std::string line_;     // The part of the current line received so far.
  int64_t head_ = 0;     // Bytes of lines so far; within a chunked body, since the last chunk.
  int64_t headers_ = 0;  // Number of header lines.
  int64_t length_ = -1;  // Of the body; -1 if unknown.
  int64_t left_ = 0;     // Bytes left of the body or chunk.
  bool begun_ = false;   // Whether anything was received.
  bool old_ = false;     // HTTP/1.0.
  bool chunked_ = false;
  bool waits_to_send_ = false;
  int error_ = 0;
  std::string message_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SERVE_HTTP_REQUEST_H_
