#include "seq2seq/base/closest.h"

#include "gtest/gtest.h"

namespace seq2seq {
namespace {

TEST(DidYouMean, NamesTheWordWithTheFewestEdits) {
  EXPECT_EQ(DidYouMean("trian", {"tokenizer", "train", "decode"}), "; did you mean 'train'?");
  EXPECT_EQ(DidYouMean("--bean", {"--beam", "--best"}), "; did you mean '--beam'?");
}

TEST(DidYouMean, IsSilentWhereNothingIsClose) {
  EXPECT_EQ(DidYouMean("translate", {"tokenizer", "train", "decode"}), "");
  EXPECT_EQ(DidYouMean("a", {}), "");
}

}  // namespace
}  // namespace seq2seq
