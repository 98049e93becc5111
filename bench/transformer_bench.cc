// Benchmark of a Transformer layer, forward and backward, compared with LibTorch's operations and
// the limit that its matrix products set.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include <CLI/CLI.hpp>
#include <torch/torch.h>

#include "bench/processor.h"
#include "seq2seq/base/heap.h"
#include "seq2seq/ops/compute.h"
#include "seq2seq/ops/recurrent_ops.h"
#include "seq2seq/ops/transformer_ops.h"

namespace seq2seq {
namespace {

struct Flags {
  int rounds = 15;
  int threads = 2;
  int64_t tokens = 1000;
  int64_t length = 15;
  int64_t heads = 4;
  double dropout = 0.1;
  Precision precision = Precision::kFp32;
};

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// An encoder layer with normalisation before its parts (Xiong et al. 2020), and its products.
class Layer {
 public:
  Layer(const Flags& flags, int64_t size, int64_t inner)
      : flags_(flags),
        size_(size),
        sequences_(std::make_shared<const SequenceRows>(
            std::vector<int64_t>(static_cast<size_t>(flags.tokens / flags.length), flags.length))),
        input_(torch::randn({sequences_->rows(), size}).requires_grad_(true)),
        of_output_(torch::randn({sequences_->rows(), size})) {
    of_output_.slice(0, sequences_->tokens()).zero_();
    for (const auto& [rows, columns] :
         {std::pair{3 * size, size}, {size, size}, {inner, size}, {size, inner}}) {
      const double bound = 1 / std::sqrt(static_cast<double>(columns));
      weights_.push_back((bound * torch::randn({rows, columns})).requires_grad_(true));
      biases_.push_back(torch::zeros({rows}).requires_grad_(true));
    }
    for (int i = 0; i < 2; ++i) {
      gains_.push_back(torch::ones({size}).requires_grad_(true));
      shifts_.push_back(torch::zeros({size}).requires_grad_(true));
    }
  }

  void Fused() {
    const auto linear = [&](const torch::Tensor& x, size_t i) {
      return FusedLinear(x, weights_[i], kEncoderPhases, biases_[i]);
    };
    const auto norm = [&](const torch::Tensor& x, size_t i) {
      return FusedLayerNorm(x, gains_[i], shifts_[i], kEncoderPhases);
    };
    torch::Tensor x =
        FusedSelfAttention(linear(norm(input_, 0), 0), sequences_,
                           {.heads = flags_.heads, .dropout = flags_.dropout}, kEncoderPhases);
    const torch::Tensor middle =
        FusedDropoutAdd(input_, linear(x, 1), flags_.dropout, kEncoderPhases);
    x = FusedActivation(linear(norm(middle, 1), 2), ActivationKind::kRelu, kEncoderPhases);
    Backward(FusedDropoutAdd(middle, linear(x, 3), flags_.dropout, kEncoderPhases));
  }

  void Plain() {
    const auto linear = [&](const torch::Tensor& x, size_t i) {
      return torch::linear(x, weights_[i], biases_[i]);
    };
    const auto norm = [&](const torch::Tensor& x, size_t i) {
      return torch::layer_norm(x, {size_}, gains_[i], shifts_[i]);
    };
    const auto drop = [&](const torch::Tensor& x) {
      return torch::dropout(x, flags_.dropout, /*train=*/true);
    };
    const int64_t tokens = sequences_->tokens();
    const int64_t head_size = size_ / flags_.heads;
    const torch::Tensor input = input_.slice(0, 0, tokens);
    std::vector<torch::Tensor> heads;
    for (const torch::Tensor& part : linear(norm(input, 0), 0).chunk(3, 1)) {
      heads.push_back(part.reshape({-1, flags_.length, flags_.heads, head_size}).transpose(1, 2));
    }
    const torch::Tensor scores =
        heads[0].matmul(heads[1].transpose(2, 3)) / std::sqrt(static_cast<double>(head_size));
    torch::Tensor x = drop(torch::softmax(scores, 3)).matmul(heads[2]);
    x = x.transpose(1, 2).reshape({tokens, size_});
    const torch::Tensor middle = input + drop(linear(x, 1));
    x = torch::relu(linear(norm(middle, 1), 2));
    Backward(middle + drop(linear(x, 3)));
  }

  // The layer's products alone, on packed weights.
  void Products() {
    for (const torch::Tensor& weight : weights_) {
      const Matrix w = {weight.data_ptr<float>(), weight.size(0), weight.size(1), weight.size(1)};
      if (packed_.size() < 2 * weights_.size()) {
        packed_.push_back(PackedMatrix::PackTransposed(w, flags_.precision));
        packed_.push_back(PackedMatrix::Pack(w, flags_.precision));
        inputs_.push_back(Cleared(sequences_->rows(), w.columns));
        outputs_.push_back(Cleared(sequences_->rows(), w.rows));
        gradients_.push_back(Cleared(w.rows, w.columns));
      }
    }
    for (size_t i = 0; i < weights_.size(); ++i) {
      const Matrix input = inputs_[i].view();
      const Matrix output = outputs_[i].view();
      Multiply(input, packed_[2 * i], output);
      Multiply(output, packed_[2 * i + 1], input);
      MultiplyTransposed(Operand(output, flags_.precision), Operand(input, flags_.precision),
                         gradients_[i].view());
    }
  }

 private:
  static Buffer Cleared(int64_t rows, int64_t columns) {
    Buffer buffer(rows, columns);
    Clear(buffer.view());
    return buffer;
  }

  void Backward(const torch::Tensor& output) {
    input_.mutable_grad() = torch::Tensor();
    for (const auto* parameters : {&weights_, &biases_, &gains_, &shifts_}) {
      for (const torch::Tensor& parameter : *parameters) parameter.mutable_grad() = torch::Tensor();
    }
    output.backward(of_output_.slice(0, 0, output.size(0)));
  }

  const Flags& flags_;
  const int64_t size_;
  const std::shared_ptr<const SequenceRows> sequences_;
  torch::Tensor input_;
  torch::Tensor of_output_;
  std::vector<torch::Tensor> weights_;
  std::vector<torch::Tensor> biases_;
  std::vector<torch::Tensor> gains_;
  std::vector<torch::Tensor> shifts_;
  std::vector<PackedMatrix> packed_;
  std::vector<Buffer> inputs_;
  std::vector<Buffer> outputs_;
  std::vector<Buffer> gradients_;
};

void Main(const Flags& flags) {
  torch::set_num_threads(flags.threads);
  SetUpHeap();  // As the program does.
  const ComputeGuard guard({.precision = flags.precision});
  absl::PrintF("%s\n%d tokens, %d per sentence, %d heads, dropout %.1f, %s, medians of %d rounds\n",
               DescribeProcessor(), flags.tokens / flags.length * flags.length, flags.length,
               flags.heads, flags.dropout, EnumText(flags.precision), flags.rounds);
  for (const auto& [size, inner] : {std::pair<int64_t, int64_t>{128, 256}, {256, 1024}}) {
    Layer layer(flags, size, inner);
    const std::function<void()> paths[] = {[&] { layer.Products(); }, [&] { layer.Fused(); },
                                           [&] { layer.Plain(); }};
    std::vector<double> seconds[3];
    constexpr int kTimes = 5;
    for (int round = 0; round <= flags.rounds; ++round) {
      for (size_t path = 0; path < 3; ++path) {
        const double start = Now();
        for (int i = 0; i < kTimes; ++i) paths[path]();
        if (round > 0) seconds[path].push_back((Now() - start) / kTimes);
      }
    }
    const double products = Median(seconds[0]);
    const double fused = Median(seconds[1]);
    const double plain = Median(seconds[2]);
    absl::PrintF(
        "%4d/%-4d  fused %6.2f ms, %.2f of the limit of its products (%.2f ms)  %.2f x plain\n",
        size, inner, 1e3 * fused, products / fused, 1e3 * products, plain / fused);
  }
}

}  // namespace
}  // namespace seq2seq

int main(int argc, char** argv) {
  seq2seq::Flags flags;
  bool bf16 = false;
  CLI::App app(
      "Measures a Transformer layer, forward and backward: milliseconds, compared with the limit "
      "that its matrix products set and with LibTorch's operations (plain).",
      "transformer_bench");
  app.add_option("--rounds", flags.rounds, "Number of rounds, each of all paths")
      ->capture_default_str();
  app.add_option("--threads", flags.threads, "Number of threads")->capture_default_str();
  app.add_option("--tokens", flags.tokens, "Tokens of the batch")->capture_default_str();
  app.add_option("--length", flags.length, "Tokens per sentence")->capture_default_str();
  app.add_option("--heads", flags.heads, "Heads of attention")->capture_default_str();
  app.add_option("--dropout", flags.dropout, "Rate of dropout")->capture_default_str();
  app.add_flag("--bf16", bf16, "Products in bf16; plain stays fp32");
  CLI11_PARSE(app, argc, argv);
  if (bf16) flags.precision = seq2seq::Precision::kBf16;
  if (!seq2seq::LimitToEnvironment()) return 1;
  seq2seq::Main(flags);
  return 0;
}
