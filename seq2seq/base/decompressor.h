// Streaming decompression of gzip, zstd and xz.
#ifndef SEQ2SEQ_BASE_DECOMPRESSOR_H_
#define SEQ2SEQ_BASE_DECOMPRESSOR_H_

#include <cstddef>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace seq2seq {

enum class Compression { kNone, kGzip, kZstd, kXz };

// Bytes at the beginning of a file that CompressionOf needs.
inline constexpr size_t kMagicBytes = 6;

// The compression of a file by its first kMagicBytes, or all that it has.
Compression CompressionOf(absl::string_view beginning);

// Limit on the memory of a decoder, which the file determines: a zstd window or an xz dictionary.
// What `zstd --ultra -22` and `xz -9` write needs up to 128 and 65 MiB; only `zstd --long=28` and
// more, and larger dictionaries of xz, are beyond it.
inline constexpr size_t kMaxDecoderBytes = 160 << 20;

// Decompresses a file as its parts come in. Streams that follow each other in one file, as
// `cat a.gz b.gz` writes them, are one text. Not thread-safe.
class Decompressor {
 public:
  virtual ~Decompressor() = default;

  // Decompresses from the front of `in`, from which it removes what it took, to `out`; returns the
  // number of bytes written. 0 with an empty `in` means that more input is needed, or, when
  // `ended`, that the text is complete. `ended` is whether nothing follows `in` in the file.
  // DataLoss with the reason alone if the file is corrupt or ends too early, ResourceExhausted if
  // it needs more memory than kMaxDecoderBytes.
  virtual absl::StatusOr<size_t> Decompress(absl::string_view& in, bool ended,
                                            absl::Span<char> out) = 0;
};

// Null for kNone. ResourceExhausted if there is not enough memory.
absl::StatusOr<std::unique_ptr<Decompressor>> MakeDecompressor(Compression compression);

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_DECOMPRESSOR_H_
