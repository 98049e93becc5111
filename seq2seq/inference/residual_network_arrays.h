// Parameters of the small residual network as plain arrays, with their table and its shape.
#ifndef SEQ2SEQ_INFERENCE_RESIDUAL_NETWORK_ARRAYS_H_
#define SEQ2SEQ_INFERENCE_RESIDUAL_NETWORK_ARRAYS_H_

#include <cstdint>
#include <vector>

#include "seq2seq/inference/image_encoder_options.h"
#include "seq2seq/inference/named_array.h"
#include "seq2seq/inference/norm_arrays.h"
#include "seq2seq/weights/array.h"

namespace seq2seq {

// The shape of a residual block: channels, and the stride of its first convolution.
struct ResidualBlockShape {
  int64_t input = 0;
  int64_t output = 0;
  int64_t stride = 1;

  // Whether the shortcut connection is a convolution, since the sizes differ.
  bool has_shortcut() const { return input != output || stride != 1; }
};

// Shape of the stem, the first convolution, which has `width` output channels.
inline constexpr int64_t kStemKernel = 5;
inline constexpr int64_t kStemStride = 2;

// By how much the whole network divides height and width, rounding up.
inline constexpr int64_t kResidualStride = 16;

// The blocks of a network, first to last: four stages with 1, 2, 4 and 8 x `width` channels, the
// last three of which halve height and width.
std::vector<ResidualBlockShape> ResidualBlocks(int64_t width, int64_t blocks);

// Channels of the features.
inline int64_t ResidualChannels(int64_t width) { return 8 * width; }

// Groups of some 16 channels for group normalisation: smaller ones would remove the overall
// brightness and colour of an image.
int64_t NormGroups(int64_t channels);

struct ResidualNetworkArrays {
  struct Block {
    NormArrays first_norm, second_norm;
    Array first, second;  // Convolutions, [output, input, 3, 3].
    Array shortcut;       // [output, input, 1, 1], where the sizes differ.
  };
  Array stem;  // [width, 3, 5, 5]
  std::vector<Block> blocks;
  NormArrays norm;  // Of the features.
};

// The table of the parameters of a network.
void ListArrays(const ImageNetworkOptions& options, ResidualNetworkArrays& network,
                const ArrayLister& lister);

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_RESIDUAL_NETWORK_ARRAYS_H_
