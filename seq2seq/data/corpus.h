// Parallel corpus, encoded once into a memory-mapped file.
#ifndef SEQ2SEQ_DATA_CORPUS_H_
#define SEQ2SEQ_DATA_CORPUS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "seq2seq/base/file.h"
#include "seq2seq/base/line_reader.h"
#include "seq2seq/data/source_encoder.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

// Filters of training pairs.
struct FilterOptions {
  int64_t max_length = 100;
  double max_ratio = 5.0;
  int64_t max_line_bytes = kMaxLineBytes;

  template <typename V>
  void Visit(V&& visit) {
    visit(
        "max_length", max_length,
        "Longest side of a pair in subwords; longer pairs are dropped. Bounds memory in training.");
    visit(
        "max_ratio", max_ratio,
        "Largest ratio of the lengths of the two sides; pairs above it are dropped. 0 keeps all.");
    visit("max_line_bytes", max_line_bytes,
          "Longest line in bytes; a longer one is an error, as the file is hardly text and would "
          "exhaust memory.");
  }
};

// Numbers of lines read, and of those dropped by reason.
struct CorpusCounts {
  int64_t pairs = 0;
  int64_t empty = 0;    // Either side has no text.
  int64_t invalid = 0;  // Either side is not UTF-8.
  int64_t too_long = 0;
  int64_t bad_ratio = 0;
  int64_t no_image = 0;  // For captions: the image is missing or cannot be read.

  CorpusCounts& operator+=(const CorpusCounts& other);

  int64_t kept() const { return pairs - empty - invalid - too_long - bad_ratio - no_image; }

  // "29000 lines read, 28990 kept; dropped: 10 longer than …", for the log.
  std::string Text(const FilterOptions& filter) const;
};

// One pair, as ids without bos and eos. Points into the corpus.
struct Example {
  absl::Span<const int32_t> source;
  absl::Span<const int32_t> target;
};

// A read-only array of pairs in a memory-mapped file: it occupies only page cache, whatever its
// size. Thread-safe.
class Corpus {
 public:
  // Encodes the lines of `files` into the cache file `path`, unless that was built from the same:
  // files (by size and modification time), sources, target tokenizer and filter. `files` are
  // {source, target} with as many lines each, or {table} with source<TAB>target on each line;
  // without sources {text} with a target on each. Files may be compressed (base/line_reader.h).
  //
  //   Corpus::Build({"train.de", "train.en"}, EncodeText(german), english, filter, "cache/train");
  //
  // InvalidArgument naming file and line if the two sides differ in length or a line of a table has
  // no tab, or if no pair is left. Nothing stays of a cache that failed. Costs one pass over the
  // text with `threads` threads, on whose number the cache does not depend: with one about 20,000
  // pairs of 12 words a second (bench/README.md). Memory is a few megabytes per thread.
  static absl::StatusOr<Corpus> Build(const std::vector<std::string>& files,
                                      const SourceEncoder& source, const Tokenizer& target,
                                      const FilterOptions& filter, const std::string& path,
                                      int threads = 1);

  // Opens a cache file. DataLoss if it is incomplete or damaged.
  static absl::StatusOr<Corpus> Open(const std::string& path);

  int64_t size() const;
  Example operator[](int64_t index) const;
  int64_t source_length(int64_t index) const;
  int64_t target_length(int64_t index) const;

  const CorpusCounts& counts() const;

  // A hash of all ids, independent of where and when the corpus was encoded.
  uint64_t content() const;

 private:
  // The layout of the file: this header, the ids of all pairs (source then target), one Entry per
  // pair.
  struct Header;
  struct Entry;

  explicit Corpus(MappedFile file) : file_(std::move(file)) {}
  const Header& header() const;
  const Entry& entry(int64_t index) const;

  MappedFile file_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_CORPUS_H_
