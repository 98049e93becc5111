// Tokenizers trained in a test.
#ifndef TESTS_TESTING_LEARN_H_
#define TESTS_TESTING_LEARN_H_

#include <optional>
#include <string>

#include "gtest/gtest.h"

#include "tests/testing/temporary_folder.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/train.h"

namespace seq2seq {

// 200 lines of small German sentences, all different.
inline std::string SampleText() {
  const char* const who[] = {"der Hund", "die Katze", "ein Mädchen", "der alte Mann", "das Kind"};
  const char* const does[] = {"rennt",      "schläft", "spielt", "wartet",
                              "singt laut", "springt", "lacht",  "steht"};
  const char* const where[] = {"im Garten", "auf der Straße", "am Strand", "vor dem Haus",
                               "im Wasser"};
  std::string text;
  for (const char* subject : who) {
    for (const char* verb : does) {
      for (const char* place : where)
        text += std::string(subject) + " " + verb + " " + place + ".\n";
    }
  }
  return text;
}

// Trains on `text` alone. The files of `options` are replaced.
inline std::optional<Tokenizer> Learn(const std::string& text, TokenizerTrainOptions options = {}) {
  TemporaryFolder folder;
  options.input = {folder.Write("text", text)};
  options.model = folder / "model";
  if (options.vocab_size == TokenizerTrainOptions().vocab_size) options.vocab_size = 100;
  const absl::Status status = TrainTokenizer(options);
  EXPECT_TRUE(status.ok()) << status;
  absl::StatusOr<Tokenizer> tokenizer = Tokenizer::Load(options.model);
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
  return tokenizer.ok() ? std::optional<Tokenizer>(*std::move(tokenizer)) : std::nullopt;
}

inline std::optional<Tokenizer> Learn(const std::string& text, TokenizerKind kind) {
  TokenizerTrainOptions options;
  options.kind = kind;
  return Learn(text, options);
}

}  // namespace seq2seq

#endif  // TESTS_TESTING_LEARN_H_
