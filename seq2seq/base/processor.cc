#include "seq2seq/base/processor.h"

#include <fstream>

#include "absl/strings/match.h"

#include "seq2seq/base/utf8.h"

namespace seq2seq {

std::string ProcessorName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(": ");
    if (absl::StartsWith(line, "model name") && colon != std::string::npos) {
      return RepairUtf8(line.substr(colon + 2));
    }
  }
  return "unknown processor";
}

}  // namespace seq2seq
