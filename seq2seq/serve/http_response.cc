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

// The header that frames the body.
std::string FramingHeader(const HttpResponse& response, HttpFraming framing) {
  switch (framing) {
    case HttpFraming::kWhole:
      return absl::StrCat("\r\nContent-Length: ", response.body.size());
    case HttpFraming::kChunked:
      return "\r\nTransfer-Encoding: chunked\r\nCache-Control: no-store";
    case HttpFraming::kUntilClose:
      return "\r\nCache-Control: no-store";
  }
  return "";
}

}  // namespace

std::string ResponseText(const HttpResponse& response, HttpFraming framing, bool head_only,
                         bool keep_alive) {
  return absl::StrCat("HTTP/1.1 ", response.code, " ", ReasonOf(response.code),
                      "\r\nContent-Type: ", response.type, FramingHeader(response, framing),
                      response.retry ? "\r\nRetry-After: 1" : "",
                      "\r\nConnection: ", keep_alive ? "keep-alive" : "close", "\r\n\r\n",
                      head_only ? "" : BodyText(response, framing));
}

std::string BodyText(const HttpResponse& part, HttpFraming framing) {
  if (framing != HttpFraming::kChunked) return part.body;
  // An empty chunk would be the last one.
  return absl::StrCat(
      part.body.empty() ? "" : absl::StrCat(absl::Hex(part.body.size()), "\r\n", part.body, "\r\n"),
      part.more ? "" : "0\r\n\r\n");
}

}  // namespace seq2seq
