#include "seq2seq/serve/http_request.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace seq2seq {
namespace {

// Whether `text` may be the name of a method or header.
bool IsToken(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::StrContains("!#$%&'*+-.^_`|~", c);
  });
}

bool HasControls(absl::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return c != '\t' && absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
}

// The path of a target: "/translate" of "/translate?a=b" and of "http://host/translate".
absl::string_view PathOf(absl::string_view target) {
  if (absl::StartsWithIgnoreCase(target, "http://")) {
    target.remove_prefix(std::min(target.find('/', 7), target.size()));
  }
  return target.substr(0, target.find('?'));
}

}  // namespace

size_t HttpRequestReader::Read(absl::string_view bytes) {
  const size_t size = bytes.size();
  while (!bytes.empty() && !done() && error_ == 0) {
    begun_ = true;
    if (phase_ == Phase::kBody || phase_ == Phase::kChunk) {
      const absl::string_view part = bytes.substr(0, static_cast<size_t>(left_));
      absl::StrAppend(&request_.body, part);
      bytes.remove_prefix(part.size());
      left_ -= static_cast<int64_t>(part.size());
      if (left_ == 0) phase_ = chunked_ ? Phase::kChunkEnd : Phase::kDone;
      continue;
    }
    const size_t end = bytes.find('\n');
    const absl::string_view part = bytes.substr(0, end);
    const size_t taken = std::min(part.size() + 1, bytes.size());
    head_ += static_cast<int64_t>(taken);
    if (head_ > limits_.head) {
      Refuse(431, absl::StrCat("request line and headers of more than ", limits_.head, " bytes"));
      break;
    }
    absl::StrAppend(&line_, part);
    bytes.remove_prefix(taken);
    if (end == absl::string_view::npos) break;
    const std::string line(absl::StripSuffix(line_, "\r"));
    line_.clear();
    TakeLine(line);
  }
  return size - bytes.size();
}

void HttpRequestReader::Refuse(int error, absl::string_view message) {
  error_ = error;
  message_ = std::string(message);
}

void HttpRequestReader::TakeLine(absl::string_view line) {
  switch (phase_) {
    case Phase::kRequestLine:
      if (!line.empty()) TakeRequestLine(line);  // Some clients end a body with an empty line.
      break;
    case Phase::kHeader:
      line.empty() ? EndHead() : TakeHeader(line);
      break;
    case Phase::kChunkSize:
      TakeChunkSize(line);
      break;
    case Phase::kChunkEnd:
      if (!line.empty()) Refuse(400, "a chunk is longer than its size");
      head_ = 0;
      phase_ = Phase::kChunkSize;
      break;
    case Phase::kTrailer:
      if (line.empty()) phase_ = Phase::kDone;
      break;
    case Phase::kBody:
    case Phase::kChunk:
    case Phase::kDone:
      break;
  }
}

void HttpRequestReader::TakeRequestLine(absl::string_view line) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
  if (words.size() != 3 || !IsToken(words[0]) || words[1].empty() || HasControls(words[1]) ||
      !absl::StartsWith(words[2], "HTTP/")) {
    return Refuse(400, "malformed request line");
  }
  old_ = words[2] == "HTTP/1.0";
  if (!old_ && words[2] != "HTTP/1.1") return Refuse(505, "expected HTTP/1.1 or HTTP/1.0");
  request_.method = std::string(words[0]);
  request_.path = std::string(PathOf(words[1]));
  request_.keep_alive = request_.takes_chunks = !old_;
  phase_ = Phase::kHeader;
}

void HttpRequestReader::TakeHeader(absl::string_view line) {
  if (++headers_ > limits_.headers) {
    return Refuse(431, absl::StrCat("more than ", limits_.headers, " headers"));
  }
  const size_t colon = line.find(':');
  const absl::string_view name = line.substr(0, colon);
  if (colon == absl::string_view::npos || !IsToken(name) || HasControls(line)) {
    return Refuse(400, "malformed header: expected 'name: value'");
  }
  const absl::string_view value = absl::StripAsciiWhitespace(line.substr(colon + 1));
  if (absl::EqualsIgnoreCase(name, "Content-Length")) {
    TakeLength(value);
  } else if (absl::EqualsIgnoreCase(name, "Transfer-Encoding")) {
    if (chunked_ || !absl::EqualsIgnoreCase(value, "chunked"))
      return Refuse(501, "Transfer-Encoding: expected chunked");
    chunked_ = true;
  } else if (absl::EqualsIgnoreCase(name, "Content-Encoding")) {
    if (!absl::EqualsIgnoreCase(value, "identity"))
      return Refuse(415, "Content-Encoding: expected none");
  } else if (absl::EqualsIgnoreCase(name, "Expect")) {
    if (!absl::EqualsIgnoreCase(value, "100-continue"))
      return Refuse(417, "Expect: expected 100-continue");
    waits_to_send_ = !old_;
  } else if (absl::EqualsIgnoreCase(name, "Connection")) {
    for (const absl::string_view word : absl::StrSplit(value, ',')) {
      const absl::string_view wish = absl::StripAsciiWhitespace(word);
      if (absl::EqualsIgnoreCase(wish, "close")) request_.keep_alive = false;
      if (old_ && absl::EqualsIgnoreCase(wish, "keep-alive")) request_.keep_alive = true;
    }
  }
}

void HttpRequestReader::TakeLength(absl::string_view value) {
  const bool digits = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  int64_t length = 0;
  if (!digits || length_ >= 0) return Refuse(400, "Content-Length: expected one number");
  if (!absl::SimpleAtoi(value, &length) || length > limits_.body) {
    return Refuse(413, absl::StrCat("a body of ", value.substr(0, 30), " bytes, at most ",
                                    limits_.body, " are allowed"));
  }
  length_ = length;
}

void HttpRequestReader::TakeChunkSize(absl::string_view line) {
  const absl::string_view digits = absl::StripAsciiWhitespace(line.substr(0, line.find(';')));
  uint64_t size = 0;
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), [](char c) {
        return absl::ascii_isxdigit(static_cast<unsigned char>(c));
      })) {
    return Refuse(400, "the size of a chunk is not a hexadecimal number");
  }
  const auto room = static_cast<uint64_t>(limits_.body) - request_.body.size();
  if (!absl::SimpleHexAtoi(digits, &size) || size > room) {
    return Refuse(413, absl::StrCat("a body of more than ", limits_.body, " bytes"));
  }
  head_ = 0;
  left_ = static_cast<int64_t>(size);
  phase_ = size == 0 ? Phase::kTrailer : Phase::kChunk;
}

void HttpRequestReader::EndHead() {
  head_ = 0;
  if (chunked_) {
    // A proxy might read another length.
    if (length_ >= 0 || old_)
      return Refuse(400, "Transfer-Encoding with Content-Length or HTTP/1.0");
    phase_ = Phase::kChunkSize;
  } else {
    left_ = std::max<int64_t>(length_, 0);
    phase_ = left_ == 0 ? Phase::kDone : Phase::kBody;
  }
}

}  // namespace seq2seq
