#include "seq2seq/train/teachers.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/fingerprint.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/inference/run_folder.h"
#include "seq2seq/model/parameters.h"
#include "seq2seq/model/stored_module.h"

namespace seq2seq {
namespace {

absl::Status CheckTokenizer(const std::string& path, const Tokenizer& own, const char* key) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const Tokenizer theirs, Tokenizer::Load(path));
  if (theirs.model() == own.model()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(path, " is not the tokenizer of ", key, ", which a teacher must have"));
}

// A model that can teach `student`, which has these tokenizers.
absl::StatusOr<Model> LoadTeacher(const std::string& run, const ModelOptions& student,
                                  const Tokenizers& tokenizers) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const StoredModel stored, FindModel(run));
  if (student.source == SourceKind::kImage || stored.options.source != student.source) {
    return absl::InvalidArgumentError(absl::StrCat(
        run, " has model.source ", EnumText(stored.options.source), ", and this model ",
        EnumText(student.source), "; both must be text, or none"));
  }
  if (stored.options.decoder.kind == DecoderKind::kHead) {
    return absl::InvalidArgumentError(
        absl::StrCat(run, " is a masked language model, which has no probabilities of targets"));
  }
  if (tokenizers.source) {
    SEQ2SEQ_RETURN_IF_ERROR(
        CheckTokenizer(stored.run.SourceTokenizer(), *tokenizers.source, "data.source_tokenizer"));
  }
  SEQ2SEQ_RETURN_IF_ERROR(
      CheckTokenizer(stored.run.TargetTokenizer(), tokenizers.target, "data.target_tokenizer"));
  if (stored.options.decoder.copy) {
    return absl::InvalidArgumentError(
        absl::StrCat(run, " copies (model.decoder.copy), which only its translations can teach"));
  }
  return LoadModel(stored);
}

}  // namespace

absl::StatusOr<Teachers> Teachers::Load(const RunOptions& options, const ModelOptions& student,
                                        const Tokenizers& tokenizers, c10::Device device) {
  Teachers teachers;
  teachers.weight_ = options.teacher_weight;
  teachers.temperature_ = options.teacher_temperature;
  Fingerprint content;
  for (const std::string& run : options.teacher) {
    absl::StatusOr<Model> model = LoadTeacher(run, student, tokenizers);
    if (!model.ok()) {
      return absl::Status(model.status().code(),
                          absl::StrCat("train.teacher: ", model.status().message()));
    }
    for (const auto& [name, parameter] : Parameters(**model)) {
      const torch::Tensor values = parameter.contiguous();
      content.Add({static_cast<const char*>(values.data_ptr()), values.nbytes()});
    }
    (*model)->to(device);
    teachers.models_.push_back(*std::move(model));
  }
  teachers.content_ = content.value();
  return teachers;
}

Distillation Teachers::Teach(const Batch& batch) const {
  Distillation distillation;
  distillation.weight = weight_;
  distillation.temperature = temperature_;
  for (Model model : models_) distillation.teachers.push_back(model->Teach(batch));
  return distillation;
}

}  // namespace seq2seq
