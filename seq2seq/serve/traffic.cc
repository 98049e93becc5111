#include "seq2seq/serve/traffic.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace seq2seq {

void Traffic::Count(int code, int64_t texts, double seconds) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++requests_[code];
  texts_ += texts;
  seconds_ += seconds;
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  ++latencies_[static_cast<size_t>(bound - kBounds.begin())];
}

std::string Traffic::Print() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string text =
      "# HELP seq2seq_requests_total Responses to POST /translate, by HTTP status.\n"
      "# TYPE seq2seq_requests_total counter\n";
  for (const auto& [code, count] : requests_)
    absl::StrAppend(&text, "seq2seq_requests_total{code=\"", code, "\"} ", count, "\n");
  absl::StrAppend(&text,
                  "# HELP seq2seq_texts_total Texts translated.\n"
                  "# TYPE seq2seq_texts_total counter\nseq2seq_texts_total ",
                  texts_,
                  "\n# HELP seq2seq_request_seconds Time from a request to its response.\n"
                  "# TYPE seq2seq_request_seconds histogram\n");
  int64_t count = 0;
  for (size_t i = 0; i < latencies_.size(); ++i) {
    count += latencies_[i];
    absl::StrAppend(&text, "seq2seq_request_seconds_bucket{le=\"",
                    i < kBounds.size() ? absl::StrCat(kBounds[i]) : "+Inf", "\"} ", count, "\n");
  }
  absl::StrAppend(&text, "seq2seq_request_seconds_sum ", seconds_,
                  "\nseq2seq_request_seconds_count ", count, "\n");
  return text;
}

}  // namespace seq2seq
