// Interface of the SentencePiece module, a library that is opened at run time.
//
// Debian's SentencePiece contains a protobuf whose symbols it exports, and Debian's LibTorch needs
// another version of the same: linked into one program each uses the other's functions, and the
// program crashes before main. So sentencepiece_module.cc is built as a module that alone is linked
// with SentencePiece, and is opened so that it resolves its own symbols first and exports them to
// nobody. Only std types cross this interface.
#ifndef TOKENIZER_SENTENCEPIECE_MODULE_H_
#define TOKENIZER_SENTENCEPIECE_MODULE_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace seq2seq {

// A loaded model. Thread-safe.
class SentencePieceModel {
 public:
  virtual ~SentencePieceModel() = default;

  virtual int64_t Size() const = 0;
  // The ids of pad, unk, bos and eos.
  virtual std::array<int, 4> SpecialIds() const = 0;
  virtual std::vector<int32_t> Encode(std::string_view text) const = 0;
  // False, with the reason, if the kind of model has only one segmentation.
  virtual bool EncodeNBest(std::string_view text, int n,
                           std::vector<std::vector<int32_t>>& segmentations,
                           std::string& error) const = 0;
  // Draws from this thread's generator. Empty if the kind of model has only one segmentation.
  virtual std::vector<int32_t> Sample(std::string_view text, float alpha) const = 0;
  virtual std::string Decode(const std::vector<int32_t>& ids) const = 0;
  virtual std::string Piece(int32_t id) const = 0;
};

// The functions of the module.
struct SentencePieceLibrary {
  // Null if `bytes` are not a model.
  std::unique_ptr<SentencePieceModel> (*load)(std::string_view bytes);
  // Seeds the generators of threads that have not drawn yet.
  void (*seed)(uint32_t seed);
  // Trains a model, in `bytes`, on the lines that `next` puts into its argument until it returns
  // false. Returns the error message; empty if it succeeded.
  std::string (*train)(const std::unordered_map<std::string, std::string>& arguments,
                       const std::function<bool(std::string&)>& next, std::string& bytes);
};

}  // namespace seq2seq

// The only exported symbol of the module.
extern "C" const seq2seq::SentencePieceLibrary* seq2seq_sentencepiece();

#endif  // TOKENIZER_SENTENCEPIECE_MODULE_H_
