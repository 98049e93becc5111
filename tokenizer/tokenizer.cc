#include "tokenizer/tokenizer.h"

#include <algorithm>
#include <array>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

#include "seq2seq/base/file.h"
#include "seq2seq/base/status_macros.h"
#include "tokenizer/sentencepiece.h"

namespace seq2seq {
namespace {

std::string_view ToStd(absl::string_view text) { return {text.data(), text.size()}; }

// Removes a varint (7 bits per byte, lowest first) from `bytes`; false if it does not end.
bool ReadVarint(absl::string_view& bytes, uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// Whether a model has its normaliser, which is stored after all subwords. A protocol buffer has no
// end marker, so half a file may parse, as a model with fewer subwords and other settings.
bool HasNormalizer(absl::string_view bytes) {
  constexpr uint64_t kNormalizer = 3 << 3 | 2;  // Field 3, length-delimited.
  uint64_t tag = 0;
  uint64_t length = 0;
  while (ReadVarint(bytes, tag) && ReadVarint(bytes, length) && length <= bytes.size()) {
    if (tag == kNormalizer) return true;
    bytes.remove_prefix(length);
  }
  return false;
}

}  // namespace

struct Tokenizer::Model {
  const SentencePieceLibrary* library;
  std::unique_ptr<SentencePieceModel> pieces;
  std::string bytes;

  // Of SentencePiece's ids to ours, and back, -1 for those that it lacks; empty if they are equal.
  std::vector<int32_t> to_ours, to_theirs;

  // Sets the mapping, for the ids of pad, unk, bos and eos.
  void Map(const std::array<int, 4>& special) {
    if (special == std::array<int, 4>{kPadId, kUnknownId, kBosId, kEosId}) return;
    to_theirs.assign(special.begin(), special.end());
    const auto size = static_cast<size_t>(pieces->Size());
    to_ours.resize(size);
    for (size_t id = 0; id < special.size(); ++id) {
      if (special[id] >= 0) to_ours[static_cast<size_t>(special[id])] = static_cast<int32_t>(id);
    }
    for (size_t id = 0; id < size; ++id) {
      const auto theirs = static_cast<int>(id);
      if (std::find(special.begin(), special.end(), theirs) != special.end()) continue;
      to_ours[id] = static_cast<int32_t>(to_theirs.size());
      to_theirs.push_back(theirs);
    }
  }
};

absl::StatusOr<Tokenizer> Tokenizer::Load(const std::string& path, size_t max_bytes) {
  auto model = std::make_shared<Model>();
  SEQ2SEQ_ASSIGN_OR_RETURN(model->library, OpenSentencePiece());
  SEQ2SEQ_ASSIGN_OR_RETURN(model->bytes, ReadFile(path, max_bytes));
  // An empty file parses as a model without subwords, over which SentencePiece ends the program.
  if (HasNormalizer(model->bytes)) model->pieces = model->library->load(model->bytes);
  if (model->pieces == nullptr)
    return absl::InvalidArgumentError(absl::StrCat(path, ": not a SentencePiece model"));
  model->Map(model->pieces->SpecialIds());
  return Tokenizer(std::move(model));
}

std::vector<int32_t> Tokenizer::Mapped(std::vector<int32_t> ids) const {
  if (model_->to_ours.empty()) return ids;
  for (int32_t& id : ids) id = model_->to_ours[static_cast<size_t>(id)];
  return ids;
}

int64_t Tokenizer::size() const {
  const auto mapped = static_cast<int64_t>(model_->to_theirs.size());
  return mapped > 0 ? mapped : model_->pieces->Size();
}

std::vector<int32_t> Tokenizer::Encode(absl::string_view text) const {
  return Mapped(model_->pieces->Encode(ToStd(text)));
}

absl::StatusOr<std::vector<std::vector<int32_t>>> Tokenizer::EncodeNBest(absl::string_view text,
                                                                         int n) const {
  std::vector<std::vector<int32_t>> segmentations;
  std::string error;
  if (model_->pieces->EncodeNBest(ToStd(text), n, segmentations, error)) {
    for (std::vector<int32_t>& ids : segmentations) ids = Mapped(std::move(ids));
    return segmentations;
  }
  return absl::InvalidArgumentError(absl::StrCat("n-best segmentation: ", error));
}

std::vector<std::vector<int32_t>> Tokenizer::Sample(absl::Span<const std::string> texts,
                                                    double alpha, uint32_t seed) const {
  std::vector<std::vector<int32_t>> samples;
  samples.reserve(texts.size());
  // SentencePiece keeps one generator per thread, seeded from a global at the thread's first draw:
  // only a new thread has a known state.
  static std::mutex seeding;
  const std::lock_guard<std::mutex> lock(seeding);
  constexpr uint32_t kNoSeed = ~uint32_t{0};  // For SentencePiece: "leave the seed as it is".
  model_->library->seed(seed == kNoSeed ? 0 : seed);
  std::exception_ptr failure;  // Such as std::bad_alloc.
  std::thread([&] {
    try {
      for (const std::string& text : texts) {
        std::vector<int32_t> ids = model_->pieces->Sample(text, static_cast<float>(alpha));
        samples.push_back(ids.empty() ? Encode(text)  // Char and word models do not sample.
                                      : Mapped(std::move(ids)));
      }
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) std::rethrow_exception(failure);
  return samples;
}

std::string Tokenizer::Decode(absl::Span<const int32_t> ids) const {
  if (model_->to_theirs.empty()) return model_->pieces->Decode({ids.begin(), ids.end()});
  std::vector<int32_t> theirs;
  for (const int32_t id : ids) {
    if (id != kPadId && id != kBosId && id != kEosId)
      theirs.push_back(model_->to_theirs[static_cast<size_t>(id)]);
  }
  return model_->pieces->Decode(theirs);
}

std::vector<std::string> Tokenizer::Subwords(absl::Span<const int32_t> ids) const {
  std::vector<std::string> subwords;
  subwords.reserve(ids.size());
  constexpr const char* kSpecial[] = {"<pad>", "<unk>", "<s>", "</s>"};
  for (const int32_t id : ids) {
    const bool mapped = !model_->to_theirs.empty();
    const int32_t theirs = mapped ? model_->to_theirs[static_cast<size_t>(id)] : id;
    subwords.push_back(theirs < 0 ? kSpecial[id] : model_->pieces->Piece(theirs));
  }
  return subwords;
}

const std::string& Tokenizer::model() const { return model_->bytes; }

}  // namespace seq2seq
