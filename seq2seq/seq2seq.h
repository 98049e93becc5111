// Everything for embedding seq2seq in a program: translating with a trained model, and training
// one.
//
//   #include "seq2seq/seq2seq.h"
//
//   auto translator = seq2seq::Translator::Load({"runs/multi30k"});
//   if (!translator.ok()) …
//   auto results = translator->Translate({"A dog runs."});
//   std::cout << (*results)[0][0].text << "\n";
//
// Image networks in TorchScript, and devices other than the CPU, need LibTorch also for decoding:
//
//   auto captioner = seq2seq::Translator::Load(
//       {"runs/flickr8k"}, {.allow_scripts = true, .load_module = seq2seq::LoadScoringModel});
//
// Training: see train/training_run.h.
#ifndef SEQ2SEQ_SEQ2SEQ_H_
#define SEQ2SEQ_SEQ2SEQ_H_

#include "seq2seq/metrics/bleu.h"
#include "seq2seq/metrics/caption.h"
#include "seq2seq/metrics/chrf.h"
#include "seq2seq/metrics/error_rate.h"
#include "seq2seq/model/scoring_model.h"
#include "seq2seq/model/stored_module.h"
#include "seq2seq/search/batching_translator.h"
#include "seq2seq/search/beam.h"
#include "seq2seq/search/sample.h"
#include "seq2seq/search/translator.h"
#include "seq2seq/train/training_run.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/train.h"

#endif  // SEQ2SEQ_SEQ2SEQ_H_
