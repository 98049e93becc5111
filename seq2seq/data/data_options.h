// What a model learns from.
#ifndef SEQ2SEQ_DATA_DATA_OPTIONS_H_
#define SEQ2SEQ_DATA_DATA_OPTIONS_H_

#include <string>
#include <vector>

#include "seq2seq/data/bucket.h"
#include "seq2seq/data/corpus.h"

namespace seq2seq {

struct DataOptions {
  std::vector<std::string> train;
  std::vector<std::string> valid;
  std::string source_tokenizer;
  std::string target_tokenizer;
  FilterOptions filter;
  BucketOptions batch;

  template <typename V>
  void Visit(V&& visit) {
    visit("train", train, "[source, target] with a line a sentence, or [table] of source<TAB>target; plain or gzip.");
    visit("valid", valid, "The same, held out: what early stopping and the best weights are judged by.");
    visit("source_tokenizer", source_tokenizer, "SentencePiece model of the source language.");
    visit("target_tokenizer", target_tokenizer, "SentencePiece model of the target language; may be the same file.");
    visit("filter", filter);
    visit("batch", batch);
  }
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_DATA_OPTIONS_H_
