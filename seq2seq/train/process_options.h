// Options of training in several processes.
#ifndef SEQ2SEQ_TRAIN_PROCESS_OPTIONS_H_
#define SEQ2SEQ_TRAIN_PROCESS_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace seq2seq {

enum class GradientCompression { kNone, kBf16 };

inline std::vector<std::string> EnumTexts(GradientCompression) { return {"none", "bf16"}; }

struct ProcessOptions {
  double timeout = 60;
  std::string interface = "";
  GradientCompression compression = GradientCompression::kNone;
  int64_t sync_every = 1;

  template <typename V>
  void Visit(V&& visit) {
    visit("timeout", timeout,
          "Seconds after which a process without a sign of life, or one that does not take part, "
          "ends the training of all; 1 or more.");
    visit(
        "interface", interface,
        "Network interface of the exchange, such as eth0; empty is the one that leads to rank 0.");
    visit("compression", compression,
          "Type in which gradients are sent: none is fp32; bf16 halves the bytes, rounds each "
          "gradient once, and their sum once. For slow networks.");
    visit("sync_every", sync_every,
          "Updates between exchanges. 1 exchanges gradients in each update: the result is that of "
          "one process. With more, each process updates by itself with its own share of the data, "
          "and weights and optimizer states are averaged at that interval (local SGD, Stich 2019), "
          "for slow networks; report_every, validate_every and save_every must be multiples.");
  }
};

// InvalidArgument, naming the key and its value, if an option is out of range.
absl::Status Validate(const ProcessOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_PROCESS_OPTIONS_H_
