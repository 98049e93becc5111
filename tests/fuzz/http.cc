// What a client sends to the server, all of it at once before it hangs up.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include <torch/torch.h>

#include "seq2seq/serve/server.h"
#include "tests/fuzz/input.h"
#include "tests/tiny_model.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

Translator TinyTranslator() {
  const auto tokenizer = Tokenizer::Load(SEQ2SEQ_FUZZ_TOKENIZER);
  Require(tokenizer.ok(), tokenizer.status().ToString());
  ModelOptions options = TinyOptions();
  options.source_vocab = options.target_vocab = tokenizer->size();
  return Translator(TinyModel(options, torch::kFloat32), *tokenizer, *tokenizer);
}

class Service {
 public:
  Service() : server_(TinyTranslator(), Search(), Options()) {
    const absl::Status bound = server_.Bind();
    Require(bound.ok(), bound.ToString());
    thread_ = std::thread([this] { server_.Run().IgnoreError(); });
  }

  ~Service() {
    server_.Stop();
    thread_.join();
  }

  void Fuzz(const uint8_t* data, size_t size) const {
    const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(server_.port()));
    const auto* where = reinterpret_cast<const sockaddr*>(&address);
    Require(connect(client, where, sizeof address) == 0, "the server does not answer");
    while (size > 0) {
      const ssize_t sent = send(client, data, size, MSG_NOSIGNAL);
      if (sent <= 0) break;  // It need not read all of a bad request.
      data += sent;
      size -= static_cast<size_t>(sent);
    }
    shutdown(client, SHUT_WR);
    char answer[4096];
    while (recv(client, answer, sizeof answer, 0) > 0) continue;
    close(client);
  }

 private:
  static SearchOptions Search() {
    SearchOptions options;
    options.max_length = 10;
    return options;
  }

  static ServeOptions Options() {
    ServeOptions options;
    options.port = 0;
    options.timeout = 1;
    return options;
  }

  Server server_;
  std::thread thread_;
};

}  // namespace
}  // namespace seq2seq

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const seq2seq::Service service;
  service.Fuzz(data, size);
  return 0;
}
