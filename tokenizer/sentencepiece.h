// Run-time loading of the SentencePiece module.
#ifndef TOKENIZER_SENTENCEPIECE_H_
#define TOKENIZER_SENTENCEPIECE_H_

#include "absl/status/statusor.h"

#include "tokenizer/sentencepiece_module.h"

namespace seq2seq {

// Opens the module, once. NotFound if it, or SentencePiece, is not installed.
absl::StatusOr<const SentencePieceLibrary*> OpenSentencePiece();

}  // namespace seq2seq

#endif  // TOKENIZER_SENTENCEPIECE_H_
