#include "seq2seq/search/search_memory.h"

#include <algorithm>

namespace seq2seq {
namespace {

// Numbers for each pixel that the layers of a network of images hold at the same time: it begins
// with some 64 channels at half the resolution, and reads one layer while it writes the next.
constexpr int64_t kNumbersOfPixel = 64;

// Places of an image where its network does not tell before it has run.
constexpr int64_t kPlaces = 256;

// The numbers of a row of gates and of the state beside them, of the widest cells.
constexpr int64_t kGates = 5;

struct Numbers {
  int64_t encoding = 0;  // While a position of a source is encoded.
  int64_t encoded = 0;   // Keys and values afterwards.
  int64_t sentence = 0;  // Of the network of images.
};

Numbers OfSource(const ModelOptions& options) {
  const int64_t hidden = options.decoder.hidden;
  switch (options.source) {
    case SourceKind::kText: {
      const bool both = options.encoder.directions != Directions::kUnidirectional;
      const int64_t output = options.encoder.hidden * (both ? 2 : 1);
      const int64_t input = options.encoder.layers > 1 ? std::max(options.encoder.embedding, output)
                                                       : options.encoder.embedding;
      return {input + output + kGates * output, output + std::max(hidden, output), 0};
    }
    case SourceKind::kImage: {
      const int64_t size = options.image.input.size;
      const int64_t output = options.image.hidden;
      return {options.image.channels + 2 * output, output + std::max(hidden, output),
              options.image.network.kind == ImageNetworkKind::kFeatures
                  ? 0
                  : size * size * kNumbersOfPixel};
    }
    case SourceKind::kNone:
      return {};
  }
  return {};
}

// For a position of the source and a hypothesis, what attention computes in LibTorch's operations.
int64_t OfComparison(const DecoderOptions& decoder) {
  switch (decoder.attention) {
    case AttentionKind::kMlp:
      return 2 * decoder.hidden;  // A sum of projections, and its tanh.
    case AttentionKind::kCoverage:
    case AttentionKind::kLocation:
      return 3 * decoder.hidden;  // What is projected of earlier weights, too.
    case AttentionKind::kDot:
    case AttentionKind::kGeneral:
    case AttentionKind::kScaledDot:
    case AttentionKind::kMultiHead:
    case AttentionKind::kNone:
      return decoder.hidden;  // A copy of the key.
  }
  return 0;
}

// For a hypothesis: states of this step and the last, what a step computes, and the scores.
int64_t OfHypothesis(const ModelOptions& options, const Numbers& source, bool packed) {
  const DecoderOptions& decoder = options.decoder;
  const int64_t hidden = decoder.hidden;
  const int64_t states = 2 * (2 * decoder.layers * hidden + hidden);
  const int64_t step = decoder.embedding + hidden +   // The input.
                       2 * hidden + 2 * 4 * hidden +  // Of a cell: its state before, and gates.
                       source.encoded + hidden;       // What attention reads.
  // In LibTorch's operations scores are copied, and summed up out of place.
  return states + step + (packed ? 1 : 3) * options.target_vocab;
}

}  // namespace

double SearchBytes(const ModelOptions& options, const SearchShape& shape, bool packed) {
  const Numbers source = OfSource(options);
  const int64_t positions = options.source == SourceKind::kImage
                                ? kPlaces
                                : (options.source == SourceKind::kText ? shape.source : 0);
  const int64_t compared = packed ? 1 : OfComparison(options.decoder);
  const int64_t search = source.encoded * positions +
                         shape.hypotheses * (OfHypothesis(options, source, packed) +
                                             positions * compared + shape.steps * positions);
  const int64_t numbers = std::max(source.encoding * positions, search) + source.sentence;
  return static_cast<double>(sizeof(float)) * static_cast<double>(shape.sentences) *
         static_cast<double>(numbers);
}

}  // namespace seq2seq
