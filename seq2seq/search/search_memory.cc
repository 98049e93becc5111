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

// Per source position: the encoder output, and keys and values of the decoder.
int64_t Encoded(const ModelOptions& options) {
  const int64_t output = EncodedSize(options);
  const DecoderOptions& decoder = options.decoder;
  return output + (decoder.kind == DecoderKind::kRecurrent ? std::max(decoder.hidden, output)
                                                           : 2 * decoder.layers * decoder.hidden);
}

// The rows of a Transformer layer: input, output, normalised input, queries, keys, values and
// contexts, and the feed-forward network.
int64_t RowsOfLayer(int64_t size, const TransformerOptions& options) {
  return 7 * size + (options.gated ? 2 : 1) * options.feed_forward;
}

Numbers OfImage(const ModelOptions& options, bool packed) {
  const ImageEncoderOptions& image = options.image;
  const int64_t output = image.hidden;
  const int64_t pixels = image.input.size * image.input.size;
  Numbers numbers = {2 * output + (image.recurrent ? kGates * output : 0), Encoded(options),
                     kImagePositions, 3 * pixels, kNumbersOfPixel * pixels};
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

// Per source position, while it is encoded by the widest layer.
int64_t Encoding(const EncoderOptions& options, int64_t positions, bool packed) {
  switch (options.kind) {
    case EncoderKind::kRecurrent: {
      const int64_t output =
          options.hidden * (IsBidirectional(options, 0) ? 2 : 1);  // Of its cells.
      const int64_t input =
          options.layers > 1 ? std::max(options.embedding, output) : options.embedding;
      return input + output + kGates * output;
    }
    case EncoderKind::kTransformer:
      // LibTorch operations hold the attention weights of all heads.
      return RowsOfLayer(options.hidden, options.transformer) +
             (packed ? 0 : 3 * options.transformer.heads * positions);
  }
  return 0;  // Not one of the kinds.
}

Numbers OfSource(const ModelOptions& options, const SearchShape& shape, bool packed) {
  switch (options.source) {
    case SourceKind::kText:
      return {Encoding(options.encoder, shape.source, packed), Encoded(options), shape.source, 0,
              0};
    case SourceKind::kImage:
      return OfImage(options, packed);
    case SourceKind::kNone:
      return {};
  }
  return {};
}

// Per hypothesis: states of this and the last time step, intermediate results, and scores.
int64_t OfHypothesis(const ModelOptions& options, const SearchShape& shape, const Numbers& source,
                     bool packed) {
  const DecoderOptions& decoder = options.decoder;
  const int64_t hidden = decoder.hidden;
  int64_t states = 2 * (2 * decoder.layers * hidden + hidden);
  int64_t step = decoder.embedding + hidden +   // Input.
                 2 * hidden + 2 * 4 * hidden +  // Cell: previous state, and gates.
                 source.encoded + hidden;       // Input of attention.
  if (decoder.kind != DecoderKind::kRecurrent) {
    // Keys and values of all time steps, which LibTorch operations copy; or two states of units.
    const int64_t kept = decoder.kind == DecoderKind::kTransformer ? 2 * shape.steps : 2;
    states = (packed ? 1 : 2) * kept * decoder.layers * hidden;
    step = RowsOfLayer(hidden, decoder.transformer);
  }
  // LibTorch operations copy the scores, and compute their normalisers out of place.
  return states + step + (packed ? 1 : 3) * options.target_vocab;
}

}  // namespace

double SearchBytes(const ModelOptions& options, const SearchShape& shape, bool packed) {
  const Numbers source = OfSource(options, shape, packed);
  // Attention weights, and those of earlier time steps, before and after.
  const bool recurrent = options.decoder.kind == DecoderKind::kRecurrent;
  const int64_t weights = recurrent && HasPast(options.decoder.attention) ? 3 : 1;
  const int64_t scored = recurrent
                             ? ScoreWorkspace(options.decoder.attention, options.decoder.hidden)
                             : 3 * options.decoder.transformer.heads;
  const int64_t compared = packed ? weights : scored;
  const int64_t kept = shape.attention ? shape.steps : 0;
  const int64_t search = source.encoded * source.positions +
                         shape.hypotheses * (OfHypothesis(options, shape, source, packed) +
                                             source.positions * (compared + kept));
  // The kernels run an image network on one image at a time.
  const int64_t network = source.network * (packed ? 1 : shape.sentences);
  const int64_t numbers = shape.sentences * source.image +
                          std::max(shape.sentences * source.encoding * source.positions + network,
                                   shape.sentences * search);
  return static_cast<double>(sizeof(float)) * static_cast<double>(numbers);
}

}  // namespace seq2seq
