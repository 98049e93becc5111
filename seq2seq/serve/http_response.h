// HTTP/1.1 response.
#ifndef SEQ2SEQ_SERVE_HTTP_RESPONSE_H_
#define SEQ2SEQ_SERVE_HTTP_RESPONSE_H_

#include <string>

namespace seq2seq {

struct HttpResponse {
  int code = 200;
  std::string type;  // Of the body.
  std::string body;
  bool retry = false;  // Whether to send "Retry-After: 1".
  // Whether only the beginning of the body is there. Of the responses that continue it, the last
  // one without `more`, the bodies are sent; one with another code breaks it off.
  bool more = false;
};

// Framing of a response.
enum class HttpFraming {
  kWhole,      // With the length of its body.
  kChunked,    // In chunks, the last of which is empty.
  kUntilClose  // Up to the end of the connection, for clients that do not understand chunks.
};

// The response as sent, or the beginning of one with `more`; without the body if `head_only`, for
// HEAD.
std::string ResponseText(const HttpResponse& response, HttpFraming framing, bool head_only,
                         bool keep_alive);

// A part of the body that continues a response, as sent.
std::string BodyText(const HttpResponse& part, HttpFraming framing);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SERVE_HTTP_RESPONSE_H_
