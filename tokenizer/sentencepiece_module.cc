// The module behind sentencepiece.h: the only file that includes SentencePiece. It uses no Abseil,
// whose namespace SentencePiece's headers extend in their own way.
#include "tokenizer/sentencepiece_module.h"

#include <exception>
#include <utility>

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

namespace seq2seq {
namespace {

class Model : public SentencePieceModel {
 public:
  bool Load(std::string_view bytes) {
    try {
      return processor_.LoadFromSerializedProto(bytes).ok();
    } catch (const std::exception&) {  // From its trie, about an empty subword.
      return false;
    }
  }

  int64_t Size() const override { return processor_.GetPieceSize(); }

  std::array<int, 4> SpecialIds() const override {
    return {processor_.pad_id(), processor_.unk_id(), processor_.bos_id(), processor_.eos_id()};
  }

  std::vector<int32_t> Encode(std::string_view text) const override {
    return processor_.EncodeAsIds(text);
  }

  bool EncodeNBest(std::string_view text, int n, std::vector<std::vector<int32_t>>& segmentations,
                   std::string& error) const override {
    const auto status = processor_.NBestEncode(text, n, &segmentations);
    error = status.error_message();
    return status.ok();
  }

  std::vector<int32_t> Sample(std::string_view text, float alpha) const override {
    std::vector<int32_t> ids;
    const auto status = processor_.SampleEncode(text, /*nbest_size=*/-1, alpha, &ids);
    return status.ok() ? ids : std::vector<int32_t>();
  }

  std::string Decode(const std::vector<int32_t>& ids) const override {
    return processor_.DecodeIds(ids);
  }
  std::string Piece(int32_t id) const override { return processor_.IdToPiece(id); }

 private:
  sentencepiece::SentencePieceProcessor processor_;
};

// Adapter of a function to the iterator from which SentencePiece's trainer reads lines.
class Lines : public sentencepiece::SentenceIterator {
 public:
  explicit Lines(const std::function<bool(std::string&)>& next) : next_(next) { Lines::Next(); }

  bool done() const override { return done_; }
  void Next() override { done_ = !next_(line_); }
  const std::string& value() const override { return line_; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  const std::function<bool(std::string&)>& next_;
  std::string line_;
  bool done_ = false;
};

std::unique_ptr<SentencePieceModel> Load(std::string_view bytes) {
  auto model = std::make_unique<Model>();
  if (!model->Load(bytes)) return nullptr;
  return model;
}

std::string Train(const std::unordered_map<std::string, std::string>& arguments,
                  const std::function<bool(std::string&)>& next, std::string& bytes) {
  Lines lines(next);
  if (lines.done()) return "there is no text";  // SentencePiece would end the program.
  return sentencepiece::SentencePieceTrainer::Train(arguments, &lines, &bytes).error_message();
}

}  // namespace
}  // namespace seq2seq

extern "C" const seq2seq::SentencePieceLibrary* seq2seq_sentencepiece() {
  static const seq2seq::SentencePieceLibrary library = {
      seq2seq::Load, sentencepiece::SetRandomGeneratorSeed, seq2seq::Train};
  return &library;
}
