#include "seq2seq/serve/http_response.h"

#include "absl/strings/str_cat.h"

namespace seq2seq {
namespace {

const char* ReasonOf(int code) {
  switch (code) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return code < 500 ? "Refused" : "Error";
  }
}

}  // namespace

std::string ResponseText(const HttpResponse& response, bool head_only, bool keep_alive) {
  return absl::StrCat(
      "HTTP/1.1 ", response.code, " ", ReasonOf(response.code), "\r\nContent-Type: ", response.type,
      "\r\nContent-Length: ", response.body.size(), response.retry ? "\r\nRetry-After: 1" : "",
      "\r\nConnection: ", keep_alive ? "keep-alive" : "close", "\r\n\r\n",
      head_only ? "" : response.body);
}

}  // namespace seq2seq
