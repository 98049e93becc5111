#include "seq2seq/train/process_agreement.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>
#include <torch/version.h>

#include "seq2seq/base/options.h"

namespace seq2seq {
namespace {

// Options of a machine. What the paths lead to is compared by content.
constexpr const char* kOfMachine[] = {"data.train",
                                      "data.valid",
                                      "data.images",
                                      "data.source_tokenizer",
                                      "data.target_tokenizer",
                                      "train.run",
                                      "train.threads",
                                      "train.device",
                                      "train.memory",
                                      "train.init_from",
                                      "train.source_vectors",
                                      "train.target_vectors",
                                      "train.teacher",
                                      "train.processes.interface"};

std::string ValueOf(const Facts& facts, const std::string& name) {
  for (const auto& [key, value] : facts) {
    if (key == name) return value.empty() ? "nothing" : value;
  }
  return "unknown";
}

}  // namespace

Facts ConfigFacts(TrainingConfig config) {
  Facts facts = {{"the version of seq2seq", SEQ2SEQ_VERSION},
                 {"the version of LibTorch", TORCH_VERSION}};
  for (const Option& option : ListOptions(config)) {
    const bool of_machine = std::any_of(std::begin(kOfMachine), std::end(kOfMachine),
                                        [&](const char* key) { return option.key == key; });
    if (!of_machine) facts.emplace_back(option.key, OptionText(option));
  }
  return facts;
}

absl::Status CheckAgreement(const Facts& facts, ProcessGroup& group) {
  const std::string mine =
      nlohmann::json(facts).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const std::vector<std::string> all = group.Gather(mine);
  for (size_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank] == all[0]) continue;
    const auto first = nlohmann::json::parse(all[0]).get<Facts>();
    const auto other = nlohmann::json::parse(all[rank]).get<Facts>();
    std::vector<std::string> names;
    for (const auto& [name, value] : first) names.push_back(name);
    for (const auto& [name, value] : other) names.push_back(name);
    for (const std::string& name : names) {
      const std::string here = ValueOf(other, name), there = ValueOf(first, name);
      if (here == there) continue;
      return absl::FailedPreconditionError(
          absl::StrCat(name, " is ", here, " in rank ", rank, " and ", there,
                       " in rank 0; all processes must have the same"));
    }
  }
  return absl::OkStatus();
}

}  // namespace seq2seq
