#include "seq2seq/serve/http_connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "absl/strings/string_view.h"

namespace seq2seq {
namespace {

constexpr auto kDrain = std::chrono::seconds(2);  // Longest time in Phase::kDraining.

}  // namespace

HttpConnection::HttpConnection(int socket, const HttpLimits& limits, Clock::duration timeout)
    : socket_(socket), limits_(limits), timeout_(timeout), reader_(limits) {
  Begin(Phase::kReading);
}

bool HttpConnection::Receive() {
  std::array<char, 16'384> buffer;
  const ssize_t size = recv(socket_, buffer.data(), buffer.size(), 0);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  if (phase_ != Phase::kDraining) input_.append(buffer.data(), static_cast<size_t>(size));
  return size > 0;
}

bool HttpConnection::Parse() {
  if (!reader_.begun()) Begin(Phase::kReading);
  input_.erase(0, reader_.Read(input_));
  if (!reader_.waits_to_send() || continued_) return true;
  constexpr absl::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  continued_ = true;
  return send(socket_, kContinue.data(), kContinue.size(), MSG_NOSIGNAL) >= 0;
}

HttpRequest HttpConnection::TakeRequest() {
  HttpRequest request = std::move(reader_.request());
  reader_ = HttpRequestReader(limits_);
  continued_ = false;
  keep_alive_ = request.keep_alive;
  takes_chunks_ = request.takes_chunks;
  Begin(Phase::kWaiting);
  return request;
}

void HttpConnection::DropRequest() {
  keep_alive_ = false;
  reader_ = HttpRequestReader(limits_);
  input_ = std::string();
}

void HttpConnection::Respond(const HttpResponse& response, bool head_only, bool keep_alive) {
  keep_alive_ = keep_alive_ && keep_alive;
  if (unfinished_) return Continue(response);
  framing_ = HttpFraming::kWhole;
  if (response.more) framing_ = takes_chunks_ ? HttpFraming::kChunked : HttpFraming::kUntilClose;
  if (framing_ == HttpFraming::kUntilClose) keep_alive_ = false;
  unfinished_ = response.more;
  output_ = ResponseText(response, framing_, head_only, keep_alive_);
  written_ = 0;
  Begin(Phase::kWriting);
}

void HttpConnection::Continue(const HttpResponse& part) {
  unfinished_ = part.more;
  if (part.code == 200) {
    output_ += BodyText(part, framing_);
  } else {
    keep_alive_ = false;  // Without a last chunk the client knows that the body is not complete.
  }
  // A client that has not received the parts before it has no more time.
  if (phase_ != Phase::kWriting) Begin(Phase::kWriting);
}

bool HttpConnection::Send() {
  constexpr size_t kMost = 1 << 18;  // So that a fast receiver does not delay others.
  const size_t left = output_.size() - written_;
  const ssize_t sent =
      send(socket_, output_.data() + written_, std::min(left, kMost), MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN || errno == EINTR;
  written_ += static_cast<size_t>(sent);
  if (written_ < output_.size()) return true;
  output_ = std::string();
  written_ = 0;
  if (unfinished_) {
    Begin(Phase::kWaiting);
  } else if (keep_alive_) {
    Begin(Phase::kReading);
  } else {
    shutdown(socket_, SHUT_WR);
    Begin(Phase::kDraining);
  }
  return true;
}

void HttpConnection::Close() {
  if (phase_ == Phase::kClosed) return;
  close(socket_);
  phase_ = Phase::kClosed;
}

void HttpConnection::Begin(Phase phase) {
  phase_ = phase;
  since_ = Clock::now();
  switch (phase) {
    case Phase::kReading:
    case Phase::kWriting:
      deadline_ = since_ + timeout_;
      break;
    case Phase::kDraining:
      deadline_ = since_ + kDrain;
      break;
    case Phase::kWaiting:
    case Phase::kClosed:
      deadline_ = Clock::time_point::max();
      break;
  }
}

}  // namespace seq2seq
