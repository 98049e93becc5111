// A request of HTTP/1.1 (RFC 9112), read as its bytes come.
#ifndef SEQ2SEQ_SERVE_HTTP_REQUEST_H_
#define SEQ2SEQ_SERVE_HTTP_REQUEST_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace seq2seq {

// What a request may be at most.
struct HttpLimits {
  int64_t head = 16'384;  // Bytes of the request line and all headers.
  int64_t headers = 100;
  int64_t body = 1 << 20;  // Bytes, without what a chunked body has around its chunks.
};

struct HttpRequest {
  std::string method;
  std::string path;  // Without the query.
  std::string body;
  bool keep_alive = true;
};

// Reads one request from the pieces in which it comes, and refuses, as soon as that shows, what is
// wrong, ambiguous or beyond the limits: it never holds more than these, and nothing beforehand.
//
//   HttpRequestReader reader(limits);
//   while (!reader.done()) {
//     bytes = …;
//     const size_t taken = reader.Read(bytes);  // What is behind it belongs to the next request.
//     if (reader.error() != 0) …;               // The status to refuse it with.
//   }
class HttpRequestReader {
 public:
  explicit HttpRequestReader(const HttpLimits& limits) : limits_(limits) {}

  // Takes bytes up to the end of the request or a mistake; returns how many.
  size_t Read(absl::string_view bytes);

  bool begun() const { return begun_; }
  bool done() const { return phase_ == Phase::kDone; }
  // The HTTP status of what is wrong, 0 if nothing is, and what it is.
  int error() const { return error_; }
  const std::string& message() const { return message_; }

  // Whether the client waits for "100 Continue" before it sends the body.
  bool waits_to_send() const { return waits_to_send_ && phase_ != Phase::kDone && !error_; }

  // Bytes held.
  size_t size() const { return line_.size() + request_.path.size() + request_.body.size(); }

  // The request, when it is done.
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
  std::string line_;     // What has come of it.
  int64_t head_ = 0;     // Bytes of lines so far; of chunked bodies, of this one's.
  int64_t headers_ = 0;  // Lines of them.
  int64_t length_ = -1;  // Of the body, if it is known.
  int64_t left_ = 0;     // Of the body or chunk.
  bool begun_ = false;   // Whether anything has come.
  bool old_ = false;     // HTTP/1.0.
  bool chunked_ = false;
  bool waits_to_send_ = false;
  int error_ = 0;
  std::string message_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SERVE_HTTP_REQUEST_H_
