#include "seq2seq/model/model_summary.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/model/cell.h"
#include "seq2seq/model/transformer_attention.h"
#include "seq2seq/model/transformer_layer.h"

namespace seq2seq {
namespace {

// Whether `name` is inside a module called `part`.
bool IsIn(const std::string& name, const char* part) {
  return absl::StartsWith(name, part) || absl::StrContains(name, absl::StrCat(".", part));
}

std::string Output(const std::string& name, int64_t size) {
  return absl::StrCat("[batch, ", IsIn(name, "encoder") ? "source" : "target", ", ", size, "]");
}

// Sets kind and output of a layer that is of a common kind.
void Describe(const torch::nn::Module& module, LayerSummary& layer) {
  const auto set = [&](const std::string& kind, int64_t size) {
    layer.kind = kind;
    layer.output = Output(layer.name, size);
  };
  if (const auto* embedding = module.as<torch::nn::Embedding>()) {
    set("Embedding", embedding->weight.size(1));
  } else if (const auto* linear = module.as<torch::nn::Linear>()) {
    set("Linear", linear->weight.size(0));
  } else if (const auto* norm = module.as<torch::nn::LayerNorm>()) {
    set("LayerNorm", norm->weight.size(0));
  } else if (const auto* cell = module.as<CellImpl>()) {
    set(absl::AsciiStrToUpper(EnumText(cell->kind())), cell->hidden());
  } else if (module.as<TransformerAttentionImpl>() != nullptr) {
    set("MultiheadAttention", module.named_parameters()["out_proj.bias"].size(0));
  } else if (module.as<SsruImpl>() != nullptr) {
    set("SSRU", module.named_parameters()["bias"].size(0));
  } else if (const auto* convolution = module.as<torch::nn::Conv2d>()) {
    layer.kind = "Conv2d";
    layer.output = absl::StrCat("[batch, ", convolution->weight.size(0), ", height, width]");
  }
}

}  // namespace

std::vector<LayerSummary> SummarizeModel(const torch::nn::Module& module) {
  std::vector<LayerSummary> layers;
  for (const auto& part : module.named_modules("", /*include_self=*/true)) {
    LayerSummary layer;
    layer.name = part.key();
    const bool is_cell = part.value()->as<CellImpl>() != nullptr;
    for (const auto& parameter : part.value()->named_parameters(/*recurse=*/false)) {
      const int64_t count = parameter.value().numel();
      if (is_cell && parameter.key() == "bias_hh") {
        layer.second_bias += count;
      } else {
        (parameter.value().requires_grad() ? layer.trainable : layer.not_trainable) += count;
      }
    }
    if (layer.parameters() == 0) continue;
    Describe(*part.value(), layer);
    layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace seq2seq
