// Encoding and filtering of the pairs of a corpus by several threads, in the order of its lines.
#ifndef SEQ2SEQ_DATA_PAIR_ENCODER_H_
#define SEQ2SEQ_DATA_PAIR_ENCODER_H_

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

#include "seq2seq/data/corpus.h"
#include "seq2seq/data/pair_reader.h"
#include "seq2seq/data/source_encoder.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

// What some successive lines became.
struct EncodedPairs {
  CorpusCounts counts;       // Of all lines, also those that were dropped.
  std::vector<int32_t> ids;  // Of the others: source, target, source, …
  std::vector<std::pair<uint32_t, uint32_t>> lengths;  // Of source and target, by pair.
};

// Each of some threads in turn reads a block of lines, encodes it while the others read and encode
// theirs, and in turn hands over the result: the calls of `write`, all counts, and the error, if
// any, are those of a single thread. Memory is that of a block of about a megabyte of text per
// thread. All referred to must outlive this.
class PairEncoder {
 public:
  PairEncoder(PairReader& reader, const SourceEncoder& source, const Tokenizer& target,
              const FilterOptions& filter);

  // Encodes what is left in the reader with `threads` threads, among them the calling one; calls
  // `write` from one thread at a time. The first error, in the order of the lines, of PairReader,
  // of `write`, or of an exception, such as for memory, ends it. May be called once.
  absl::Status Run(int threads, absl::FunctionRef<absl::Status(const EncodedPairs&)> write);

 private:
  struct Block;

  // Reads, encodes and writes blocks until there are no more, or one failed.
  void Work(absl::FunctionRef<absl::Status(const EncodedPairs&)> write);
  // Nothing at the end, and after an error.
  std::optional<Block> NextBlock();
  absl::Status ReadLines(Block& block);
  // Appends a pair to `pairs`, or counts there why it is dropped.
  void Encode(const std::string& source, const std::string& target, EncodedPairs& pairs) const;

  PairReader& reader_;
  const SourceEncoder& source_;
  const Tokenizer& target_;
  const FilterOptions& filter_;

  std::mutex reading_;  // Guards the reader, and the next two.
  int64_t blocks_ = 0;
  bool ended_ = false;

  std::mutex writing_;  // Guards the next three.
  std::condition_variable changed_;
  int64_t written_ = 0;  // Blocks.
  absl::Status status_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_PAIR_ENCODER_H_
