#include "seq2seq/weights/word_vectors.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "seq2seq/weights/array.h"
#include "tests/testing/temporary_folder.h"
#include "tests/weights/array_values.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(LoadWordVectors, FillsTheRowsOfPiecesThatBeginWords) {
  const TemporaryFolder folder;
  const std::string path =
      folder.Write("vectors", "4 2\nthe 1 2\ndog -0.5 1e-2\ncat 7 7\nthe 9 9\n");
  const std::vector<std::string> subwords = {"<pad>", "\u2581the", "dog", "\u2581dog", "\u2581s"};
  const Array weight = Constant({5, 2}, 3);
  const auto coverage = LoadWordVectors(path, subwords, weight.matrix());
  ASSERT_TRUE(coverage.ok()) << coverage.status();
  EXPECT_EQ(coverage->found, 2);
  EXPECT_EQ(coverage->subwords, 3);
  EXPECT_EQ(coverage->words, 4);
  EXPECT_THAT(ValuesOf(weight), ElementsAre(3, 3, 1, 2, 3, 3, -0.5f, 0.01f, 3, 3));
}

TEST(LoadWordVectors, VocabularyOfWordsIsTakenAsItIs) {
  const TemporaryFolder folder;
  const Array weight = Constant({2, 1}, 0);
  const std::vector<std::string> subwords = {"the", "dog"};
  const auto coverage =
      LoadWordVectors(folder.Write("vectors", "dog 5\n"), subwords, weight.matrix());
  ASSERT_TRUE(coverage.ok()) << coverage.status();
  EXPECT_EQ(coverage->found, 1);
  EXPECT_THAT(ValuesOf(weight), ElementsAre(0, 5));
}

TEST(LoadWordVectors, WordsMayHaveSpacesInThem) {
  const TemporaryFolder folder;
  const Array weight = Constant({2, 2}, 0);
  const std::vector<std::string> subwords = {"dog", ". ."};
  const auto coverage = LoadWordVectors(folder.Write("vectors", "dog 5 6\n. . 7 8\nat me 1 2\n"),
                                        subwords, weight.matrix());
  ASSERT_TRUE(coverage.ok()) << coverage.status();
  EXPECT_EQ(coverage->words, 3);
  EXPECT_THAT(ValuesOf(weight), ElementsAre(5, 6, 7, 8));
}

TEST(LoadWordVectors, LinesAreBoundedByTheSizeOfVectors) {
  const TemporaryFolder folder;
  std::string text = "dog 1 2\nthe";
  for (int i = 0; i < 10'000; ++i) text += " 1";
  const std::string path = folder.Write("vectors", text + "\n");
  const std::vector<std::string> subwords = {"dog"};
  const absl::Status status =
      LoadWordVectors(path, subwords, Constant({1, 2}, 0).matrix()).status();
  EXPECT_EQ(status.message(), path + ":2: the line has more than 10200 bytes");
}

TEST(LoadWordVectors, MistakesNameFileAndLine) {
  const TemporaryFolder folder;
  const Array weight = Constant({1, 2}, 0);
  const std::vector<std::string> subwords = {"dog"};
  for (const std::string text :
       {"the 1 2\ndog 1\n", "the 1 2\ndog 1 two\n", "the 1 2\ndog 1 nan\n", "1 2\nthe 1 2 3\n"}) {
    const std::string path = folder.Write("vectors", text);
    const absl::Status status = LoadWordVectors(path, subwords, weight.matrix()).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(path + ":2"), HasSubstr("2 numbers")));
  }
  EXPECT_FALSE(LoadWordVectors(folder / "none", subwords, weight.matrix()).ok());
}

}  // namespace
}  // namespace seq2seq
