#include "seq2seq/inference/residual_network_arrays.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"

namespace seq2seq {

std::vector<ResidualBlockShape> ResidualBlocks(int64_t width, int64_t blocks) {
  std::vector<ResidualBlockShape> shapes;
  int64_t input = width;
  for (int64_t stage = 0; stage < 4; ++stage) {
    const int64_t output = width << stage;
    for (int64_t block = 0; block < blocks; ++block) {
      shapes.push_back({input, output, stage > 0 && block == 0 ? 2 : 1});
      input = output;
    }
  }
  return shapes;
}

int64_t NormGroups(int64_t channels) {
  return std::gcd(channels, std::max<int64_t>(channels / 16, 1));
}

void ListArrays(const ImageNetworkOptions& options, ResidualNetworkArrays& network,
                const ArrayLister& lister) {
  lister.Add("stem.weight", network.stem, {options.width, 3, kStemKernel, kStemKernel});
  const std::vector<ResidualBlockShape> shapes = ResidualBlocks(options.width, options.blocks);
  network.blocks.resize(shapes.size());
  for (size_t i = 0; i < shapes.size(); ++i) {
    const auto [input, output, stride] = shapes[i];
    ResidualNetworkArrays::Block& block = network.blocks[i];
    const ArrayLister of_block = lister.In(absl::StrCat("stages.", i));
    ListArrays(input, block.first_norm, of_block.In("first_norm"));
    of_block.Add("first.weight", block.first, {output, input, 3, 3});
    ListArrays(output, block.second_norm, of_block.In("second_norm"));
    of_block.Add("second.weight", block.second, {output, output, 3, 3});
    if (shapes[i].has_shortcut())
      of_block.Add("shortcut.weight", block.shortcut, {output, input, 1, 1});
  }
  ListArrays(ResidualChannels(options.width), network.norm, lister.In("norm"));
}

}  // namespace seq2seq
