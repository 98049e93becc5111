// A network of images in TorchScript.
#ifndef TESTS_TESTING_SCRIPT_FILE_H_
#define TESTS_TESTING_SCRIPT_FILE_H_

#include <string>

#include <torch/script.h>

#include "tests/testing/temporary_folder.h"

namespace seq2seq {

// A TorchScript module with one parameter: the means of blocks of eight pixels, times 1, 2 and 3,
// in four channels.
inline std::string WriteScript(const TemporaryFolder& folder) {
  torch::jit::Module module("Network");
  module.register_parameter("scale", torch::tensor({1.0f, 2.0f, 3.0f, 4.0f}).view({4, 1, 1}),
                            /*is_buffer=*/false);
  module.define(R"(
    def forward(self, images):
      pooled = torch.avg_pool2d(images, [8, 8])
      return torch.cat([pooled, pooled[:, 0:1]], 1) * self.scale
  )");
  module.save(folder / "network.pt");
  return folder / "network.pt";
}

}  // namespace seq2seq

#endif  // TESTS_TESTING_SCRIPT_FILE_H_
