// An answer of HTTP/1.1.
#ifndef SEQ2SEQ_SERVE_HTTP_RESPONSE_H_
#define SEQ2SEQ_SERVE_HTTP_RESPONSE_H_

#include <string>

namespace seq2seq {

struct HttpResponse {
  int code = 200;
  std::string type;  // Of the body.
  std::string body;
  bool retry = false;  // Says that the client may try again in a second.
};

// As it is sent; of `head_only`, as HEAD wants it, without the body.
std::string ResponseText(const HttpResponse& response, bool head_only, bool keep_alive);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SERVE_HTTP_RESPONSE_H_
