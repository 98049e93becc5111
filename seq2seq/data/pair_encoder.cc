#include "seq2seq/data/pair_encoder.h"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <thread>

#include "seq2seq/base/describe_error.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/utf8.h"

namespace seq2seq {
namespace {

// A block ends with the line that reaches either: large enough that turns cost nothing, small
// enough that all threads have one, and end at about the same time.
constexpr size_t kBlockLines = 1000;
constexpr size_t kBlockBytes = 1 << 20;

// The counter of the reason to drop a pair, or null to keep it.
int64_t CorpusCounts::*Dropped(const std::vector<int32_t>& source,
                               const std::vector<int32_t>& target, const FilterOptions& filter,
                               bool has_sources) {
  if ((has_sources && source.empty()) || target.empty()) return &CorpusCounts::empty;
  const auto [shorter, longer] = std::minmax({source.size(), target.size()});
  if (static_cast<int64_t>(longer) > filter.max_length) return &CorpusCounts::too_long;
  if (has_sources && filter.max_ratio > 0 &&
      static_cast<double>(longer) > filter.max_ratio * static_cast<double>(shorter)) {
    return &CorpusCounts::bad_ratio;
  }
  return nullptr;
}

// Calls `run`, whose exceptions become its status.
template <typename F>
absl::Status Caught(F run) {
  try {
    return run();
  } catch (const std::exception& error) {
    return ToStatus(error, "cannot encode the corpus");
  }
}

}  // namespace

// Successive lines.
struct PairEncoder::Block {
  int64_t number = 0;
  std::vector<std::pair<std::string, std::string>> lines;
  absl::Status status;  // Of reading what follows them.
};

PairEncoder::PairEncoder(PairReader& reader, const SourceEncoder& source, const Tokenizer& target,
                         const FilterOptions& filter)
    : reader_(reader), source_(source), target_(target), filter_(filter) {}

absl::Status PairEncoder::Run(int threads,
                              absl::FunctionRef<absl::Status(const EncodedPairs&)> write) {
  std::vector<std::thread> team;
  const absl::Status started = Caught([&] {
    for (int i = 1; i < threads; ++i) team.emplace_back([this, write] { Work(write); });
    return absl::OkStatus();
  });
  if (started.ok()) {
    Work(write);
  } else {
    const std::lock_guard<std::mutex> lock(writing_);
    status_.Update(started);
    changed_.notify_all();
  }
  for (std::thread& thread : team) thread.join();
  return status_;
}

void PairEncoder::Work(absl::FunctionRef<absl::Status(const EncodedPairs&)> write) {
  while (const std::optional<Block> block = NextBlock()) {
    EncodedPairs pairs;
    const absl::Status encoded = Caught([&] {
      for (const auto& [source, target] : block->lines) Encode(source, target, pairs);
      return absl::OkStatus();
    });
    std::unique_lock<std::mutex> lock(writing_);
    changed_.wait(lock, [&] { return written_ == block->number || !status_.ok(); });
    if (!status_.ok()) return;
    status_ = encoded.ok() ? Caught([&] { return write(pairs); }) : encoded;
    status_.Update(block->status);
    ++written_;
    changed_.notify_all();
    if (!status_.ok()) return;
  }
}

std::optional<PairEncoder::Block> PairEncoder::NextBlock() {
  const std::lock_guard<std::mutex> lock(reading_);
  if (ended_) return std::nullopt;
  Block block;
  block.number = blocks_++;
  block.status = Caught([&] { return ReadLines(block); });
  ended_ = ended_ || !block.status.ok();
  return block;
}

absl::Status PairEncoder::ReadLines(Block& block) {
  std::string source;
  std::string target;
  for (size_t bytes = 0; block.lines.size() < kBlockLines && bytes < kBlockBytes;) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const bool more, reader_.Next(source, target));
    ended_ = !more;
    if (ended_) break;
    block.lines.emplace_back(source, target);
    bytes += source.size() + target.size();
  }
  return absl::OkStatus();
}

void PairEncoder::Encode(const std::string& source, const std::string& target,
                         EncodedPairs& pairs) const {
  CorpusCounts& counts = pairs.counts;
  ++counts.pairs;
  if (!IsValidUtf8(source) || !IsValidUtf8(target)) {
    ++counts.invalid;
    return;
  }
  std::vector<int32_t> source_ids;
  if (source_.encode != nullptr) {
    std::optional<std::vector<int32_t>> encoded = source_.encode(source);
    if (!encoded) {
      ++counts.no_image;
      return;
    }
    source_ids = *std::move(encoded);
  }
  const std::vector<int32_t> target_ids = target_.Encode(target);
  if (const auto reason = Dropped(source_ids, target_ids, filter_, source_.encode != nullptr)) {
    ++(counts.*reason);
    return;
  }
  pairs.ids.insert(pairs.ids.end(), source_ids.begin(), source_ids.end());
  pairs.ids.insert(pairs.ids.end(), target_ids.begin(), target_ids.end());
  pairs.lengths.emplace_back(source_ids.size(), target_ids.size());
}

}  // namespace seq2seq
