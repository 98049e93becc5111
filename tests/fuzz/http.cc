// What a client sends in one connection: it reads the same in whatever subwords it comes, and
// nothing beyond the limits is held.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "seq2seq/serve/http_request.h"
#include "tests/fuzz/input.h"

namespace seq2seq {
namespace {

// The requests of a connection and how it ends, read from subwords of `length` bytes.
std::vector<std::string> Read(absl::string_view bytes, size_t length, const HttpLimits& limits) {
  std::vector<std::string> read;
  HttpRequestReader reader(limits);
  while (!bytes.empty()) {
    const size_t taken = reader.Read(bytes.substr(0, length));
    bytes.remove_prefix(taken);
    Require(reader.size() <= static_cast<size_t>(limits.head + limits.body) + length,
            "more is held than the limits allow");
    if (reader.error() != 0) {
      read.push_back(absl::StrCat(reader.error(), " ", reader.message()));
      return read;
    }
    if (!reader.done()) {
      Require(taken > 0, "nothing is taken of a request that is not done");
      continue;
    }
    const HttpRequest& request = reader.request();
    Require(static_cast<int64_t>(request.body.size()) <= limits.body, "the body is too long");
    read.push_back(absl::StrCat(request.method, " ", request.path, " ", request.keep_alive, " ",
                                request.body));
    if (!request.keep_alive) return read;
    reader = HttpRequestReader(limits);
  }
  read.push_back(reader.begun() ? "cut off" : "ended");
  return read;
}

void Fuzz(absl::string_view bytes) {
  HttpLimits limits;
  limits.head = 512;
  limits.headers = 8;
  limits.body = 512;
  const std::vector<std::string> whole = Read(bytes, bytes.size(), limits);
  for (const size_t length : {1, 7})
    Require(Read(bytes, length, limits) == whole, "other subwords are read otherwise");
}

}  // namespace
}  // namespace seq2seq

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  seq2seq::Fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
