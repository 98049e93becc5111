#include "seq2seq/serve/http_request.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seq2seq {
namespace {

constexpr HttpLimits kLimits = {.head = 200, .headers = 5, .body = 50};

// Reads `text` in blocks of `size` bytes; returns how much was consumed.
size_t ReadPieces(HttpRequestReader& reader, absl::string_view text, size_t size) {
  size_t taken = 0;
  while (taken < text.size() && !reader.done() && reader.error() == 0)
    taken += reader.Read(text.substr(taken, size));
  return taken;
}

int ErrorOf(absl::string_view text) {
  HttpRequestReader reader(kLimits);
  ReadPieces(reader, text, text.size());
  const int error = reader.error();
  // However it is divided.
  HttpRequestReader slow(kLimits);
  ReadPieces(slow, text, 1);
  EXPECT_EQ(slow.error(), error) << text;
  EXPECT_EQ(slow.message(), reader.message());
  EXPECT_FALSE(error != 0 && reader.done());
  EXPECT_LE(reader.size(), 300);
  return error;
}

TEST(HttpRequestReader, ReadsARequestFromPiecesOfAnySize) {
  const std::string text =
      "\r\nPOST /translate?a=b HTTP/1.1\r\nHost: x\r\ncontent-LENGTH:  5 \r\n\r\nhelloGET";
  for (size_t size = 1; size <= text.size(); ++size) {
    HttpRequestReader reader(kLimits);
    EXPECT_FALSE(reader.begun());
    EXPECT_EQ(ReadPieces(reader, text, size), text.size() - 3);
    ASSERT_TRUE(reader.done()) << size << " " << reader.message();
    EXPECT_TRUE(reader.begun());
    EXPECT_EQ(reader.request().method, "POST");
    EXPECT_EQ(reader.request().path, "/translate");
    EXPECT_EQ(reader.request().body, "hello");
    EXPECT_TRUE(reader.request().keep_alive);
  }
}

TEST(HttpRequestReader, ReadsChunksAndDropsWhatIsAroundThem) {
  const std::string text =
      "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "2\r\nhe\r\n3;name=value\r\nllo\r\n00\r\nTrailer: x\r\n\r\nrest";
  for (size_t size = 1; size <= text.size(); ++size) {
    HttpRequestReader reader(kLimits);
    EXPECT_EQ(ReadPieces(reader, text, size), text.size() - 4);
    ASSERT_TRUE(reader.done()) << size << " " << reader.message();
    EXPECT_EQ(reader.request().body, "hello");
  }
}

TEST(HttpRequestReader, KnowsWhatOlderClientsWant) {
  for (const auto& [head, keep_alive] :
       {std::pair("HTTP/1.1\r\n", true), std::pair("HTTP/1.1\r\nConnection: close\r\n", false),
        std::pair("HTTP/1.1\r\nConnection: x, CLOSE\r\n", false), std::pair("HTTP/1.0\n", false),
        std::pair("HTTP/1.0\r\nConnection: Keep-Alive\r\n", true)}) {
    HttpRequestReader reader(kLimits);
    reader.Read(absl::StrCat("GET http://host/page ", head, "\r\n"));
    ASSERT_TRUE(reader.done()) << head;
    EXPECT_EQ(reader.request().path, "/page");
    EXPECT_EQ(reader.request().keep_alive, keep_alive) << head;
  }
}

TEST(HttpRequestReader, KnowsWhoWaitsToSend) {
  HttpRequestReader reader(kLimits);
  reader.Read("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_TRUE(reader.waits_to_send());
  reader.Read("ab");
  EXPECT_TRUE(reader.done());
  EXPECT_FALSE(reader.waits_to_send());
}

TEST(HttpRequestReader, LimitsHold) {
  const std::string post = "POST / HTTP/1.1\r\n";
  EXPECT_EQ(ErrorOf(post + "Content-Length: 50\r\n\r\n"), 0);
  EXPECT_EQ(ErrorOf(post + "Content-Length: 51\r\n\r\n"), 413);
  EXPECT_EQ(ErrorOf(post + "Content-Length: 99999999999999999999999\r\n\r\n"), 413);
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(ErrorOf(chunked + "33\r\n"), 413);
  EXPECT_EQ(ErrorOf(chunked + "ffffffffffffffffffffff\r\n"), 413);
  std::string chunks = chunked;
  for (int i = 0; i < 50; ++i) chunks += "1\r\nx\r\n";
  EXPECT_EQ(ErrorOf(chunks + "0\r\n\r\n"), 0);
  EXPECT_EQ(ErrorOf(chunks + "1\r\nx\r\n"), 413);
  EXPECT_EQ(ErrorOf(chunked + "1;" + std::string(300, 'x')), 431);
  EXPECT_EQ(ErrorOf(chunked + "0\r\nA: " + std::string(300, 'x')), 431);
  EXPECT_EQ(ErrorOf("GET /" + std::string(300, 'x')), 431);
  EXPECT_EQ(ErrorOf("GET / HTTP/1.1\r\nA: " + std::string(300, 'x')), 431);
  EXPECT_EQ(ErrorOf(std::string(300, '\n')), 431);
  EXPECT_EQ(ErrorOf("GET / HTTP/1.1\r\na:1\r\na:1\r\na:1\r\na:1\r\na:1\r\n\r\n"), 0);
  EXPECT_EQ(ErrorOf("GET / HTTP/1.1\r\na:1\r\na:1\r\na:1\r\na:1\r\na:1\r\na:1\r\n\r\n"), 431);
}

TEST(HttpRequestReader, WrongAndAmbiguousRequestsAreRefused) {
  for (const auto& [text, error] : {
           std::pair("\x16\x03\x01 hello\n", 400),
           std::pair("GET /\r\n", 400),
           std::pair("GET  / HTTP/1.1\r\n", 400),
           std::pair("G(T / HTTP/1.1\r\n", 400),
           std::pair("GET /\x01 HTTP/1.1\r\n", 400),
           std::pair("GET / HTTP/2.0\r\n", 505),
           std::pair("GET / HTTP/1.1\r\nno colon\r\n", 400),
           std::pair("GET / HTTP/1.1\r\nspace : x\r\n", 400),
           std::pair("GET / HTTP/1.1\r\nA: x\r\n folded\r\n", 400),
           std::pair("GET / HTTP/1.1\r\nA: x\ry\r\n", 400),
           std::pair("POST / HTTP/1.1\r\nContent-Length: -1\r\n", 400),
           std::pair("POST / HTTP/1.1\r\nContent-Length: 1x\r\n", 400),
           std::pair("POST / HTTP/1.1\r\nContent-Length:\r\n", 400),
           std::pair("POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n", 400),
           std::pair("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n", 400),
           std::pair("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                     400),
           std::pair("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
           std::pair("POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n", 501),
           std::pair("POST / HTTP/1.1\r\nContent-Encoding: gzip\r\n", 415),
           std::pair("POST / HTTP/1.1\r\nExpect: much\r\n", 417),
           std::pair("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400),
           std::pair("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", 400),
           std::pair("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\n", 400),
           std::pair("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", 400),
       }) {
    EXPECT_EQ(ErrorOf(text), error) << text;
  }
}

}  // namespace
}  // namespace seq2seq
