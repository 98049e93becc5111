#include "seq2seq/search/search_memory.h"

#include <algorithm>

namespace seq2seq {
namespace {

// Floats per pixel that the layers of an image network hold at the same time: it begins with some
// 64 channels at half the resolution, and reads one layer while it writes the next.
constexpr int64_t kNumbersOfPixel = 64;

// Assumed positions of an image, since the network determines them only when it runs.
constexpr int64_t kImagePositions = 256;

// Floats per hidden unit of a row of gates and the state beside them, for the widest cells.
constexpr int64_t kGates = 5;

struct Numbers {
  int64_t encoding = 0;  // Per source position, while it is encoded.
  int64_t encoded = 0;   // Per source position, afterwards: keys and values.
  int64_t sentence = 0;  // Per sentence, of the image network.
  int64_t positions = 0;
};

Numbers OfSource(const ModelOptions& options, const SearchShape& shape) {
  const int64_t hidden = options.decoder.hidden;
  switch (options.source) {
    case SourceKind::kText: {
      // Of the widest layer.
      const int64_t output = options.encoder.hidden * (IsBidirectional(options.encoder, 0) ? 2 : 1);
      const int64_t input = options.encoder.layers > 1 ? std::max(options.encoder.embedding, output)
                                                       : options.encoder.embedding;
      const int64_t kept = OutputSize(options.encoder);
      return {input + output + kGates * output, kept + std::max(hidden, kept), 0, shape.source};
    }
    case SourceKind::kImage: {
      const int64_t size = options.image.input.size;
      const int64_t output = options.image.hidden;
      return {options.image.channels + 2 * output, output + std::max(hidden, output),
              options.image.network.kind == ImageNetworkKind::kFeatures
                  ? 0
                  : size * size * kNumbersOfPixel,
              kImagePositions};
    }
    case SourceKind::kNone:
      return {};
  }
  return {};
}

// Per hypothesis: states of this and the last time step, intermediate results, and scores.
int64_t OfHypothesis(const ModelOptions& options, const Numbers& source, bool packed) {
  const DecoderOptions& decoder = options.decoder;
  const int64_t hidden = decoder.hidden;
  const int64_t states = 2 * (2 * decoder.layers * hidden + hidden);
  const int64_t step = decoder.embedding + hidden +   // Input.
                       2 * hidden + 2 * 4 * hidden +  // Cell: previous state, and gates.
                       source.encoded + hidden;       // Input of attention.
  // LibTorch operations copy the scores, and compute their normalisers out of place.
  return states + step + (packed ? 1 : 3) * options.target_vocab;
}

}  // namespace

double SearchBytes(const ModelOptions& options, const SearchShape& shape, bool packed) {
  const Numbers source = OfSource(options, shape);
  // Attention weights, and those of earlier time steps, before and after.
  const int64_t weights = HasPast(options.decoder.attention) ? 3 : 1;
  const int64_t compared =
      packed ? weights : ScoreWorkspace(options.decoder.attention, options.decoder.hidden);
  const int64_t search = source.encoded * source.positions +
                         shape.hypotheses * (OfHypothesis(options, source, packed) +
                                             source.positions * (compared + shape.steps));
  const int64_t numbers = std::max(source.encoding * source.positions, search) + source.sentence;
  return static_cast<double>(sizeof(float)) * static_cast<double>(shape.sentences) *
         static_cast<double>(numbers);
}

}  // namespace seq2seq
