#include "seq2seq/serve/http_options.h"

#include "seq2seq/base/option_rules.h"

namespace seq2seq {

absl::Status Validate(const HttpOptions& options) {
  OptionRules rules;
  const auto expect_seconds = [&](const char* key, double value) {
    rules.Expect(key, value, value > 0 && value <= 86'400, "more than 0, at most 86,400");
  };
  const auto expect_bytes = [&](const char* key, int64_t value) {
    rules.Expect(key, value, value >= 1 && value <= int64_t{1} << 40, "1 or more");
  };
  rules.Expect("port", options.port, options.port >= 0 && options.port <= 65535, "0 to 65535");
  rules.Expect("connections", options.connections,
               options.connections >= 1 && options.connections <= 100'000, "1 to 100,000");
  rules.Expect("workers", options.workers, options.workers >= 1 && options.workers <= 1000,
               "1 to 1,000");
  expect_seconds("client_timeout", options.client_timeout);
  expect_bytes("max_head", options.max_head);
  expect_bytes("max_headers", options.max_headers);
  expect_bytes("max_body", options.max_body);
  expect_bytes("max_held", options.max_held);
  expect_seconds("grace", options.grace);
  return rules.status();
}

}  // namespace seq2seq
