#include "seq2seq/serve/http_connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seq2seq {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Phase = HttpConnection::Phase;

constexpr auto kTimeout = std::chrono::seconds(10);

class HttpConnectionTest : public ::testing::Test {
 protected:
  HttpConnectionTest() {
    std::array<int, 2> sockets = {-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets.data()), 0);
    client_ = sockets[0];
    connection_ = std::make_unique<HttpConnection>(sockets[1], HttpLimits(), kTimeout);
  }

  ~HttpConnectionTest() override {
    if (client_ >= 0) close(client_);
  }

  // Sends `text` as the client; the connection receives and parses it.
  void Send(const std::string& text) {
    ASSERT_EQ(send(client_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    ASSERT_TRUE(connection_->Receive());
    ASSERT_TRUE(connection_->Parse());
  }

  // What the client has received.
  std::string Received() const {
    std::array<char, 4096> buffer;
    const ssize_t size = recv(client_, buffer.data(), buffer.size(), 0);
    return size < 0 ? "" : std::string(buffer.data(), static_cast<size_t>(size));
  }

  int client_ = -1;
  std::unique_ptr<HttpConnection> connection_;
};

TEST_F(HttpConnectionTest, ReadsAnswersAndReadsAgain) {
  EXPECT_EQ(connection_->phase(), Phase::kReading);
  Send("GET /a HT");
  EXPECT_TRUE(connection_->has_begun());
  EXPECT_FALSE(connection_->has_request());
  Send("TP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(connection_->has_request());
  EXPECT_EQ(connection_->TakeRequest().path, "/a");
  EXPECT_EQ(connection_->phase(), Phase::kWaiting);
  EXPECT_EQ(connection_->deadline(), HttpConnection::Clock::time_point::max());

  connection_->Respond({200, "text/plain", "one"}, /*head_only=*/false, /*keep_alive=*/true);
  EXPECT_EQ(connection_->phase(), Phase::kWriting);
  EXPECT_TRUE(connection_->Send());
  EXPECT_THAT(Received(), EndsWith("one"));
  EXPECT_EQ(connection_->phase(), Phase::kReading);
  EXPECT_EQ(connection_->deadline(), connection_->since() + kTimeout);

  ASSERT_TRUE(connection_->has_input());  // The second request.
  EXPECT_TRUE(connection_->Parse());
  EXPECT_EQ(connection_->TakeRequest().path, "/b");
  EXPECT_EQ(connection_->size(), 0u);
}

TEST_F(HttpConnectionTest, DropsWhatComesAfterTheLastResponse) {
  Send("GET /a HTTP/1.1\r\nConnection: close\r\n\r\n");
  connection_->TakeRequest();
  connection_->Respond({200, "text/plain", "one"}, /*head_only=*/false, /*keep_alive=*/true);
  EXPECT_TRUE(connection_->Send());
  EXPECT_EQ(connection_->phase(), Phase::kDraining);
  ASSERT_EQ(send(client_, "more", 4, 0), 4);
  EXPECT_TRUE(connection_->Receive());
  EXPECT_FALSE(connection_->has_input());
  EXPECT_THAT(Received(), EndsWith("one"));
  close(client_);
  client_ = -1;
  EXPECT_FALSE(connection_->Receive());
}

TEST_F(HttpConnectionTest, TheResponseToADroppedRequestIsTheLast) {
  Send("nonsense\r\n");
  EXPECT_EQ(connection_->error(), 400);
  connection_->DropRequest();
  EXPECT_EQ(connection_->size(), 0u);
  connection_->Respond({400, "text/plain", "no"}, /*head_only=*/false, /*keep_alive=*/true);
  EXPECT_TRUE(connection_->Send());
  EXPECT_EQ(connection_->phase(), Phase::kDraining);
  EXPECT_THAT(Received(), HasSubstr("close"));
}

TEST_F(HttpConnectionTest, TellsAWaitingClientOnceToSendTheBody) {
  Send("POST /a HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(Received(), StartsWith("HTTP/1.1 100 "));
  Send("ab");
  EXPECT_EQ(Received(), "");
  Send("cd");
  EXPECT_EQ(connection_->TakeRequest().body, "abcd");
}

TEST_F(HttpConnectionTest, SendsALargeResponseInParts) {
  Send("GET /a HTTP/1.1\r\n\r\n");
  connection_->TakeRequest();
  connection_->Respond({200, "text/plain", std::string(4'000'000, 'x')}, /*head_only=*/false,
                       /*keep_alive=*/true);
  size_t size = 0;
  while (connection_->phase() == Phase::kWriting) {
    ASSERT_TRUE(connection_->Send());
    for (std::string part = Received(); !part.empty(); part = Received()) size += part.size();
  }
  EXPECT_GT(size, 4'000'000u);
  EXPECT_EQ(connection_->phase(), Phase::kReading);
}

TEST_F(HttpConnectionTest, SendsPartsOfAResponseAndWaitsBetweenThem) {
  Send("GET /a HTTP/1.1\r\n\r\n");
  connection_->TakeRequest();
  const HttpResponse part = {200, "text/plain", "one", /*retry=*/false, /*more=*/true};
  connection_->Respond(part, /*head_only=*/false, /*keep_alive=*/true);
  EXPECT_TRUE(connection_->Send());
  EXPECT_EQ(connection_->phase(), Phase::kWaiting);
  EXPECT_THAT(Received(), EndsWith("\r\n\r\n3\r\none\r\n"));
  connection_->Respond(part, /*head_only=*/false, /*keep_alive=*/true);
  const auto deadline = connection_->deadline();
  connection_->Respond({200, "", ""}, /*head_only=*/false, /*keep_alive=*/true);
  EXPECT_EQ(connection_->deadline(), deadline);  // That of what was not sent yet.
  EXPECT_TRUE(connection_->Send());
  EXPECT_EQ(Received(), "3\r\none\r\n0\r\n\r\n");
  EXPECT_EQ(connection_->phase(), Phase::kReading);
}

TEST_F(HttpConnectionTest, ClosesItsSocket) {
  connection_->Close();
  EXPECT_EQ(connection_->phase(), Phase::kClosed);
  char byte;
  EXPECT_EQ(recv(client_, &byte, 1, 0), 0);
}

}  // namespace
}  // namespace seq2seq
