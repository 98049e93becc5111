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
};

// The response as sent; without the body if `head_only`, for HEAD.
std::string ResponseText(const HttpResponse& response, bool head_only, bool keep_alive);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SERVE_HTTP_RESPONSE_H_
