// Request counters and latencies of a server.
#ifndef SEQ2SEQ_SERVE_TRAFFIC_H_
#define SEQ2SEQ_SERVE_TRAFFIC_H_

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace seq2seq {

// Counts responses and their latencies. Thread-safe.
class Traffic {
 public:
  // Counts a response with the status `code` to a request with `texts` texts, after `seconds`.
  void Count(int code, int64_t texts, double seconds);

  // In the text format of Prometheus.
  std::string Print() const;

 private:
  static constexpr std::array<double, 11> kBounds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                     0.5,   1,    2.5,   5,    10};

  mutable std::mutex mutex_;
  std::map<int, int64_t> requests_;  // By code.
  int64_t texts_ = 0;
  std::array<int64_t, kBounds.size() + 1> latencies_ = {};  // Up to each bound, and above the last.
  double seconds_ = 0;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SERVE_TRAFFIC_H_
