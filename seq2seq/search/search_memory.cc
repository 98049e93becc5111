#include "seq2seq/search/search_memory.h"

#include <algorithm>

#include "seq2seq/inference/residual_network_arrays.h"
#include "seq2seq/kernels/convolution.h"

namespace seq2seq {
namespace {

// Assumed floats per pixel that the layers of an image network hold at the same time: it begins
// with some 64 channels at half the resolution, and reads one layer while it writes the next.
constexpr int64_t kNumbersOfPixel = 64;

// Assumed positions of an image, where the network determines them only when it runs.
constexpr int64_t kImagePositions = 256;

// Floats per hidden unit of a row of gates and the state beside them, for the widest cells.
constexpr int64_t kGates = 5;

struct Numbers {
  int64_t encoding = 0;  // Per source position, while it is encoded.
  int64_t encoded = 0;   // Per source position, afterwards: keys and values.
  int64_t positions = 0;
  int64_t image = 0;    // Per image: its pixels.
  int64_t network = 0;  // Per image in an image network: the layers.
};

Numbers OfImage(const ModelOptions& options, bool packed) {
  const ImageEncoderOptions& image = options.image;
  const int64_t output = image.hidden;
  const int64_t pixels = image.input.size * image.input.size;
  Numbers numbers = {2 * output + (image.recurrent ? kGates * output : 0),
                     output + std::max(options.decoder.hidden, output), kImagePositions, 3 * pixels,
                     kNumbersOfPixel * pixels};
  switch (image.network.kind) {
    case ImageNetworkKind::kFeatures:
      numbers.encoding += image.channels;
      numbers.image = numbers.network = 0;
      break;
    case ImageNetworkKind::kResidual: {
      const int64_t side = (image.input.size + kResidualStride - 1) / kResidualStride;
      numbers.positions = side * side;
      // Three feature maps of the first stage, and the patches of some pixels.
      if (packed)
        numbers.network =
            image.network.width * (3 * pixels / 4 + 3 * 3 * PackedConvolution::kTilePixels);
      break;
    }
    case ImageNetworkKind::kTorchscript:
    case ImageNetworkKind::kOnnx:
      break;
  }
  return numbers;
}

Numbers OfSource(const ModelOptions& options, const SearchShape& shape, bool packed) {
  const int64_t hidden = options.decoder.hidden;
  switch (options.source) {
    case SourceKind::kText: {
      // Of the widest layer.
      const int64_t output = options.encoder.hidden * (IsBidirectional(options.encoder, 0) ? 2 : 1);
      const int64_t input = options.encoder.layers > 1 ? std::max(options.encoder.embedding, output)
                                                       : options.encoder.embedding;
      const int64_t kept = OutputSize(options.encoder);
      return {input + output + kGates * output, kept + std::max(hidden, kept), shape.source, 0, 0};
    }
    case SourceKind::kImage:
      return OfImage(options, packed);
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
  const Numbers source = OfSource(options, shape, packed);
  // Attention weights, and those of earlier time steps, before and after.
  const int64_t weights = HasPast(options.decoder.attention) ? 3 : 1;
  const int64_t compared =
      packed ? weights : ScoreWorkspace(options.decoder.attention, options.decoder.hidden);
  const int64_t search = source.encoded * source.positions +
                         shape.hypotheses * (OfHypothesis(options, source, packed) +
                                             source.positions * (compared + shape.steps));
  // The kernels run an image network on one image at a time.
  const int64_t network = source.network * (packed ? 1 : shape.sentences);
  const int64_t numbers = shape.sentences * source.image +
                          std::max(shape.sentences * source.encoding * source.positions + network,
                                   shape.sentences * search);
  return static_cast<double>(sizeof(float)) * static_cast<double>(numbers);
}

}  // namespace seq2seq
