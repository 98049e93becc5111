// A small corpus for the tests of what is learnt from pairs of words.
#ifndef TESTS_DATA_WORD_PAIRS_H_
#define TESTS_DATA_WORD_PAIRS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "seq2seq/data/corpus.h"
#include "seq2seq/data/source_encoder.h"
#include "tests/testing/learn.h"
#include "tests/testing/temporary_folder.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

// Words s0 to s9 become t0 to t9, in reverse order, after a word "the" that none of them generates.
class WordPairsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string source, target;
    for (int i = 0; i < 10; ++i) {
      for (int j = 0; j < 10; ++j) {
        absl::StrAppend(&source, "s", i, " s", j, "\n");
        absl::StrAppend(&target, "the t", j, " t", i, "\n");
      }
    }
    source_ = Learn(source, TokenizerKind::kWord);
    target_ = Learn(target, TokenizerKind::kWord);
    auto corpus = Corpus::Build({folder_.Write("a", source), folder_.Write("b", target)},
                                EncodeText(*source_), *target_, {}, folder_ / "corpus");
    ASSERT_TRUE(corpus.ok()) << corpus.status();
    corpus_.emplace(*std::move(corpus));
  }

  int32_t Source(int word) const { return source_->Encode(absl::StrCat("s", word))[0]; }
  int32_t Target(int word) const { return target_->Encode(absl::StrCat("t", word))[0]; }

  TemporaryFolder folder_;
  std::optional<Tokenizer> source_, target_;
  std::optional<Corpus> corpus_;
};

}  // namespace seq2seq

#endif  // TESTS_DATA_WORD_PAIRS_H_
