#include "seq2seq/serve/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seq2seq {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Client {
 public:
  explicit Client(int port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Client() { HangUp(); }
  Client(const Client&) = delete;

  bool Send(const std::string& text) {
    return send(socket_, text.data(), text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size());
  }

  // What is received until it ends with `end`, or the server closes the connection.
  std::string Receive(const std::string& end) {
    std::string text;
    std::array<char, 4096> buffer;
    ssize_t size;
    while ((end.empty() || !absl::EndsWith(text, end)) &&
           (size = recv(socket_, buffer.data(), buffer.size(), 0)) > 0) {
      text.append(buffer.data(), static_cast<size_t>(size));
    }
    return text;
  }

  // All that is received until the server closes the connection.
  std::string ReceiveAll() { return Receive(""); }

  // Whether the server has closed the connection.
  bool Closed() {
    char c;
    pollfd file = {socket_, POLLIN, 0};
    return poll(&file, 1, 0) == 1 && recv(socket_, &c, 1, MSG_PEEK) <= 0;
  }

  void HangUp() {
    if (socket_ >= 0) close(socket_);
    socket_ = -1;
  }

 private:
  int socket_;
};

// Echoes requests. "/wait" waits until it is released or cancelled, "/stream" sends the letters of
// the body before, "/endless" sends "x" and waits until it is cancelled, "/flood" sends all it can,
// and with the body "on" until it is cancelled.
class EchoService : public HttpService {
 public:
  std::optional<HttpResponse> AnswerAtOnce(const HttpRequest& request) override {
    if (request.path == "/now") return HttpResponse{200, "text/plain", "now"};
    return std::nullopt;
  }

  HttpResponse Answer(const HttpRequest& request, std::chrono::steady_clock::time_point,
                      const std::shared_ptr<std::atomic<bool>>& cancelled,
                      const HttpSink& sink) override {
    ++begun;
    const auto send = [&](const std::string& part) {
      return sink({200, "text/plain", part, /*retry=*/false, /*more=*/true});
    };
    if (request.path == "/stream") {
      for (const char letter : request.body) {
        while (!send(std::string(1, letter)) && !*cancelled)
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
    if (request.path == "/endless" || request.path == "/broken") send("x");
    if (request.path == "/broken") throw std::bad_alloc();
    if (request.path == "/flood") {
      for (int i = 0; (i < 2000 || request.body == "on") && !*cancelled; ++i) {
        accepted += send(std::string(1'000'000, 'x')) ? 1 : 0;
        std::this_thread::sleep_for(std::chrono::microseconds(100));
      }
      flooded = true;
    }
    while (request.path == "/endless" && !*cancelled)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    while (request.path == "/wait" && !go_on && !*cancelled)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (*cancelled) {
      ++cancelled_ones;
      return Refuse(503, "cancelled");
    }
    if (request.path == "/large") return {200, "text/plain", std::string(10'000'000, 'x')};
    if (request.path == "/throw") throw std::bad_alloc();
    return {200, "text/plain", "<" + request.body + ">"};
  }

  HttpResponse Refuse(int code, const std::string& why) override {
    return {code, "text/plain", why + "!"};
  }

  std::atomic<bool> go_on = false;
  std::atomic<int> begun = 0;
  std::atomic<int> cancelled_ones = 0;
  std::atomic<int> accepted = 0;  // Parts of a flood.
  std::atomic<bool> flooded = false;
};

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() {
    options_.port = 0;
    options_.workers = 2;
    options_.max_body = 1'000'000;
  }

  ~HttpServerTest() override { End(); }

  void Start() {
    server_.emplace(options_, service_);
    ASSERT_TRUE(server_->Bind().ok());
    thread_ = std::thread([this] { EXPECT_TRUE(server_->Run().ok()); });
  }

  void End() {
    if (!thread_.joinable()) return;
    server_->Stop();
    thread_.join();
  }

  Client Connect() const { return Client(server_->port()); }

  static std::string Post(const std::string& path, const std::string& body) {
    return absl::StrCat("POST ", path, " HTTP/1.1\r\nContent-Length: ", body.size(), "\r\n\r\n",
                        body);
  }

  void ExpectGoodClientsAreAnswered() {
    Client good = Connect();
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(good.Send(Post("/", absl::StrCat("hello ", i))));
      EXPECT_THAT(good.Receive(">"), EndsWith(absl::StrCat("<hello ", i, ">")));
    }
  }

  // Waits until something holds, as it must.
  template <typename Condition>
  static void Await(const Condition& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition() && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    EXPECT_TRUE(condition());
  }

  HttpOptions options_;
  EchoService service_;
  std::optional<HttpServer> server_;
  std::thread thread_;
};

TEST_F(HttpServerTest, AnswersRequestsOfAConnectionInTheirOrder) {
  Start();
  Client client = Connect();
  client.Send(Post("/", "a") + Post("/now", "b") + Post("/", "c") + "HEAD /now HTTP/1.1\r\n\r\n" +
              "GET /now HTTP/1.1\r\nConnection: close\r\n\r\n");
  const std::string all = client.ReceiveAll();
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n";
  const std::string on = head + "Connection: keep-alive\r\n\r\n";
  EXPECT_EQ(
      all, absl::StrCat(on, "<a>", on, "now", on, "<c>", on, head, "Connection: close\r\n\r\nnow"));
}

TEST_F(HttpServerTest, AnswersWhatComesInPieces) {
  Start();
  Client client = Connect();
  for (const char c : Post("/", "hello")) {
    client.Send(std::string(1, c));
    std::this_thread::yield();
  }
  EXPECT_THAT(client.Receive(">"), EndsWith("\r\n\r\n<hello>"));
  client.Send("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.Receive("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("ab");
  EXPECT_THAT(client.Receive(">"), EndsWith("<ab>"));
}

TEST_F(HttpServerTest, ManySlowSendersCostNobodyElseAnything) {
  options_.connections = 4;
  options_.client_timeout = 86'400;
  Start();
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(std::make_unique<Client>(server_->port()));
    slow.back()->Send("POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nx");
    if (i % 10 == 9) ExpectGoodClientsAreAnswered();
  }
  Await([&] { return slow[0]->Closed() && slow[15]->Closed(); });
}

TEST_F(HttpServerTest, ARequestHasADeadlineFromItsFirstByteToItsLast) {
  options_.client_timeout = 0.3;
  Start();
  Client idle = Connect(), slow = Connect();
  slow.Send("POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n");
  std::atomic<bool> over = false;
  std::thread sender([&] {
    while (!over && slow.Send("x")) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  });
  EXPECT_THAT(slow.ReceiveAll(), StartsWith("HTTP/1.1 408 "));
  over = true;
  sender.join();
  EXPECT_EQ(idle.ReceiveAll(), "");
}

TEST_F(HttpServerTest, AnAnswerHasADeadlineToo) {
  options_.client_timeout = 0.2;
  Start();
  size_t received = 10'000'000;
  for (int wait = 400; wait <= 30'000 && received >= 10'000'000; wait *= 3) {
    Client deaf = Connect();
    deaf.Send(Post("/large", ""));
    std::this_thread::sleep_for(std::chrono::milliseconds(wait));
    received = deaf.ReceiveAll().size();
  }
  EXPECT_LT(received, 10'000'000);
}

TEST_F(HttpServerTest, WhatIsTooLargeIsRefusedBeforeItIsRead) {
  Start();
  Client announced = Connect(), chunked = Connect(), headers = Connect();
  announced.Send("POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n");
  const std::string answer = announced.ReceiveAll();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(answer, EndsWith("a body of 99999999999 bytes, at most 1000000 are allowed!"));
  chunked.Send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "10000\r\n" + std::string(0x10000, '{') + "\r\n";
  for (int i = 0; i < 100 && chunked.Send(chunk); ++i) {
  }
  EXPECT_THAT(chunked.ReceiveAll(), StartsWith("HTTP/1.1 413 "));
  headers.Send("GET / HTTP/1.1\r\n");
  for (int i = 0; i < 1000 && headers.Send("A: " + std::string(4000, 'x') + "\r\n"); ++i) {
  }
  EXPECT_THAT(headers.ReceiveAll(), StartsWith("HTTP/1.1 431 "));
  ExpectGoodClientsAreAnswered();
}

TEST_F(HttpServerTest, WhatIsHeldTogetherIsBounded) {
  options_.max_held = 3'000'000;
  Start();
  const std::string part = Post("/", std::string(900'000, 'x')).substr(0, 900'000);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<Client>(server_->port()));
    clients.back()->Send(part);
    ExpectGoodClientsAreAnswered();
  }
  Await([&] { return clients[0]->Closed() && clients[5]->Closed(); });
  EXPECT_FALSE(clients[9]->Closed());
}

TEST_F(HttpServerTest, WhoHangsUpIsNotWorkedFor) {
  Start();
  for (int i = 1; i <= 5; ++i) {
    Client client = Connect();
    client.Send(Post("/wait", ""));
    Await([&] { return service_.begun == i; });
    client.HangUp();
    Await([&] { return service_.cancelled_ones == i; });
  }
  ExpectGoodClientsAreAnswered();
}

TEST_F(HttpServerTest, AResponseThatGrowsIsSentInChunks) {
  Start();
  Client client = Connect();
  client.Send(Post("/stream", "abc") + Post("/", "next"));
  EXPECT_EQ(client.Receive("<next>"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n"
            "Cache-Control: no-store\r\nConnection: keep-alive\r\n\r\n"
            "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n5\r\n<abc>\r\n0\r\n\r\n"
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n"
            "Connection: keep-alive\r\n\r\n<next>");
}

TEST_F(HttpServerTest, WhoKnowsNoChunksReadsToTheEnd) {
  Start();
  Client client = Connect();
  client.Send("POST /stream HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nab");
  EXPECT_EQ(client.ReceiveAll(),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nCache-Control: no-store\r\n"
            "Connection: close\r\n\r\nab<ab>");
}

TEST_F(HttpServerTest, WhoHangsUpDuringAResponseIsNotWorkedFor) {
  Start();
  for (int i = 1; i <= 3; ++i) {
    Client client = Connect();
    client.Send(Post("/endless", ""));
    EXPECT_THAT(client.Receive("x\r\n"), EndsWith("\r\n\r\n1\r\nx\r\n"));
    EXPECT_EQ(service_.cancelled_ones, i - 1);
    client.HangUp();
    Await([&] { return service_.cancelled_ones == i; });
  }
  ExpectGoodClientsAreAnswered();
}

TEST_F(HttpServerTest, AResponseThatBreaksOffHasNoLastChunk) {
  Start();
  Client client = Connect();
  client.Send(Post("/broken", ""));
  EXPECT_THAT(client.ReceiveAll(), EndsWith("\r\n\r\n1\r\nx\r\n"));
  ExpectGoodClientsAreAnswered();
}

TEST_F(HttpServerTest, WhoDoesNotReadAResponseThatGrowsCostsNoMemory) {
  options_.client_timeout = 86'400;
  Start();
  Client deaf = Connect();
  deaf.Send(Post("/flood", ""));
  Await([&] { return service_.flooded.load(); });
  EXPECT_GT(service_.accepted, 0);
  EXPECT_LT(service_.accepted, 100);  // What sockets hold, and one part.
  ExpectGoodClientsAreAnswered();
  EXPECT_THAT(deaf.Receive("0\r\n\r\n"), EndsWith("2\r\n<>\r\n0\r\n\r\n"));
}

TEST_F(HttpServerTest, AClientHasADeadlineForThePartsOfAResponse) {
  options_.client_timeout = 0.3;
  Start();
  Client deaf = Connect();
  deaf.Send(Post("/flood", "on"));
  Await([&] { return service_.cancelled_ones == 1; });
}

TEST_F(HttpServerTest, AResponseThatGrowsIsGivenUpAfterTheGraceTime) {
  options_.grace = 0.4;
  Start();
  Client client = Connect();
  client.Send(Post("/endless", ""));
  client.Receive("x\r\n");
  server_->Stop();
  client.ReceiveAll();
  EXPECT_EQ(service_.cancelled_ones, 1);
  thread_.join();
}

TEST_F(HttpServerTest, BusyWorkersDoNotKeepOthersFromWhatCostsNothing) {
  Start();
  std::vector<std::unique_ptr<Client>> waiting;
  for (int i = 0; i < 6; ++i) {
    waiting.push_back(std::make_unique<Client>(server_->port()));
    waiting.back()->Send(Post("/wait", "x"));
  }
  Client other = Connect();
  other.Send("GET /now HTTP/1.1\r\n\r\n");
  EXPECT_THAT(other.Receive("now"), EndsWith("now"));
  EXPECT_LE(service_.begun, 2);
  service_.go_on = true;
  for (const auto& client : waiting) EXPECT_THAT(client->Receive(">"), EndsWith("<x>"));
}

TEST_F(HttpServerTest, WhoComesWhileAllConnectionsWaitIsNotRefused) {
  options_.connections = 2;
  Start();
  std::vector<std::unique_ptr<Client>> waiting;
  for (int i = 0; i < 6; ++i) {
    waiting.push_back(std::make_unique<Client>(server_->port()));
    waiting.back()->Send(Post(i < 2 ? "/wait" : "/", "x"));
    if (i < 2) Await([&] { return service_.begun == i + 1; });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_EQ(service_.begun, 2);
  service_.go_on = true;
  for (const auto& client : waiting) {
    EXPECT_THAT(client->Receive(">"), EndsWith("<x>"));
    client->HangUp();
  }
}

TEST_F(HttpServerTest, SurvivesItsService) {
  Start();
  Client client = Connect();
  client.Send(Post("/throw", ""));
  EXPECT_THAT(client.Receive("!"), StartsWith("HTTP/1.1 500 "));
  ExpectGoodClientsAreAnswered();
}

TEST_F(HttpServerTest, StoppedBeforeItRunsItEndsAtOnce) {
  server_.emplace(options_, service_);
  ASSERT_TRUE(server_->Bind().ok());
  server_->Stop();
  EXPECT_TRUE(server_->Run().ok());
}

TEST_F(HttpServerTest, FinishesWhatHasBegunWhenItIsStopped) {
  options_.grace = 60;
  Start();
  Client idle = Connect(), waiting = Connect(), sending = Connect();
  waiting.Send(Post("/wait", "done"));
  Await([&] { return service_.begun == 1; });
  const std::string request = Post("/", "late");
  sending.Send(request.substr(0, 10));
  ExpectGoodClientsAreAnswered();  // So all of that has arrived.
  server_->Stop();
  EXPECT_EQ(idle.ReceiveAll(), "");
  sending.Send(request.substr(10));
  EXPECT_THAT(sending.ReceiveAll(), EndsWith("Connection: close\r\n\r\n<late>"));
  service_.go_on = true;
  EXPECT_THAT(waiting.ReceiveAll(), EndsWith("Connection: close\r\n\r\n<done>"));
  thread_.join();
}

TEST_F(HttpServerTest, GivesUpWhatTakesLongerThanTheGraceTime) {
  options_.grace = 0.4;
  Start();
  Client waiting = Connect(), sending = Connect();
  waiting.Send(Post("/wait", ""));
  sending.Send("POST / HT");
  Await([&] { return service_.begun == 1; });
  server_->Stop();
  EXPECT_THAT(waiting.ReceiveAll(), HasSubstr("503"));
  thread_.join();
  EXPECT_EQ(sending.ReceiveAll(), "");
}

TEST_F(HttpServerTest, NamesThePortThatItCannotHave) {
  Start();
  HttpOptions other = options_;
  other.port = server_->port();
  const absl::Status status = HttpServer(other, service_).Bind();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrCat(other.port)));
  other.host = "no such host";
  EXPECT_TRUE(absl::IsUnavailable(HttpServer(other, service_).Bind()));
}

TEST(HttpOptions, WrongOnesAreNamed) {
  HttpOptions options;
  EXPECT_TRUE(Validate(options).ok());
  options.grace = 0;
  EXPECT_THAT(std::string(Validate(options).message()), StartsWith("grace: "));
  options = {};
  options.max_headers = 0;
  EXPECT_THAT(std::string(Validate(options).message()), StartsWith("max_headers: "));
}

}  // namespace
}  // namespace seq2seq
