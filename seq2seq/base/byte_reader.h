// Bytes of a file in order, decompressed where it is compressed.
#ifndef SEQ2SEQ_BASE_BYTE_READER_H_
#define SEQ2SEQ_BASE_BYTE_READER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "seq2seq/base/decompressor.h"

namespace seq2seq {

// Reads a file, a pipe or standard input from beginning to end, in constant memory. gzip, zstd and
// xz are recognised by their first bytes, but for standard input, of which everything is returned
// as it is, as soon as it is there. Not thread-safe.
class ByteReader {
 public:
  // "-" is standard input. NotFound or another error of the system, naming the file;
  // InvalidArgument for a folder.
  static absl::StatusOr<std::unique_ptr<ByteReader>> Open(const std::string& path);

  ~ByteReader();

  // The next bytes, which stay until the next call; empty at the end. DataLoss or
  // ResourceExhausted, with the reason alone, as Decompressor::Decompress; errors of the system.
  absl::StatusOr<absl::string_view> Next();

 private:
  explicit ByteReader(int descriptor);

  // Appends what the system has to `unread_`, which begins the buffer; nothing sets ended_.
  absl::Status Fill();

  const int descriptor_;
  std::vector<char> buffer_;
  absl::string_view unread_;  // In buffer_.
  bool ended_ = false;
  std::unique_ptr<Decompressor> decompressor_;  // Null where the bytes are the text.
  std::vector<char> text_;                      // What it wrote.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_BYTE_READER_H_
