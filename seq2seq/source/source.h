// Sources: what a line of input is to the encoder.
#ifndef SEQ2SEQ_SOURCE_SOURCE_H_
#define SEQ2SEQ_SOURCE_SOURCE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "seq2seq/image/image.h"
#include "seq2seq/weights/array.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

// The kind of source. A model without one is a language model.
enum class SourceKind { kText, kImage, kNone };

inline std::vector<std::string> EnumTexts(SourceKind) { return {"text", "image", "none"}; }

// One line of input, read. A value.
struct SourceInput {
  std::vector<int32_t> ids = {};     // Text: its subwords, without end of sentence.
  std::string file = "";             // Image: its file, for Source::Load.
  Array values = {};                 // Image, loaded: floats, pixels [3, height, width] or features
                                     // [position, channels].
  std::vector<int32_t> prompt = {};  // No source: the subwords of the line, which begin the target.
};

// Reads lines of input. Thread-safe.
class Source {
 public:
  virtual ~Source() = default;

  // Reads a line, in microseconds: its ids, or the file that it names. Invalid UTF-8 is replaced,
  // and a line of more than `max_length` subwords is cut, with a warning in the log. Nothing for a
  // line that holds no input: empty text, or an empty file name.
  virtual std::optional<SourceInput> Read(const std::string& line, int64_t max_length) const = 0;

  // Loads what `input` still lacks: the pixels or features of an image. Separate from Read, since
  // images are large. Errors name the file and the cause.
  virtual absl::Status Load(SourceInput& input) const { return absl::OkStatus(); }

  // The subwords of text, and its end, for alignments; empty for other sources.
  virtual std::vector<std::string> Subwords(const SourceInput& input) const { return {}; }

  virtual SourceKind kind() const = 0;

  // What two models of an ensemble must have in common to read the same lines, "source tokenizer",
  // and a hash of it.
  virtual std::string Requirement() const = 0;
  virtual uint64_t Fingerprint() const = 0;
};

struct SourceOptions {
  SourceKind kind = SourceKind::kText;
  ImageOptions image = {};          // Preprocessing of images.
  bool features = false;            // Files hold features instead of pixels.
  int64_t max_pixels = kMaxPixels;  // Of an image, or numbers of a feature file.
};

// A source of `options`. Text needs the source tokenizer, no source the target tokenizer.
std::unique_ptr<Source> MakeSource(const SourceOptions& options, std::optional<Tokenizer> source,
                                   const Tokenizer& target);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SOURCE_SOURCE_H_
