#include "seq2seq/train/event_file.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/temporary_folder.h"

namespace seq2seq {
namespace {

using ::testing::HasSubstr;

std::string Hex(const std::string& bytes) { return absl::BytesToHexString(bytes); }

TEST(Crc32c, IsThatOfTheStandard) {
  // RFC 3720, section B.4, and the usual check value.
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(""), 0u);
}

TEST(Record, HasLengthAndMaskedChecksums) {
  // Made by another implementation, of tests/tools/tensorboard_test.py.
  EXPECT_EQ(Hex(Record("abc")), "0300000000000000b099490e6162636e57f121");
  EXPECT_EQ(Hex(Record("")), "000000000000000029039807d8ea82a2");
}

TEST(Summary, IsAMessageOfProtocolBuffers) {
  Summary scalar;
  scalar.Scalar("a/b", 1.5);
  // Field 1: a value of 10 bytes: field 1, the tag; field 2, a float.
  EXPECT_EQ(Hex(scalar.message()),
            "0a0a"
            "0a03612f62"
            "150000c03f");

  Summary text;
  text.Text("t", "hi");
  EXPECT_EQ(Hex(text.message()),
            "0a1b"
            "0a0174"
            "420c"
            "0807"
            "12041202"
            "0801"
            "42026869"
            "4a08"
            "0a060a0474657874");
}

TEST(ValueHistogram, CountsBetweenLimits) {
  ValueHistogram histogram;
  const std::vector<float> values = {
      -1, 0, 0, 1, 1.05f, 2, std::nanf(""), std::numeric_limits<float>::infinity()};
  histogram.Add(values.data(), values.size());
  const std::string message = histogram.Message();
  // min -1, max 2, 6 values, their sum 3.05 and sum of squares.
  EXPECT_THAT(Hex(message), HasSubstr("09000000000000f0bf"
                                      "110000000000000040"
                                      "190000000000001840"));
}

TEST(EventFile, AppearsWithItsFirstEvent) {
  const TemporaryFolder folder;
  EventFile file(folder / "board", 7);
  EXPECT_TRUE(folder.Names().empty());
  Summary summary;
  summary.Scalar("a", 1);
  ASSERT_TRUE(file.Append(8, summary).ok());
  EXPECT_EQ(folder.Names().count("board"), 1u);
}

TEST(EventFile, NamesTheFileThatCannotBeWritten) {
  const TemporaryFolder folder;
  folder.Write("board", "a file");
  EventFile file(folder / "board", 0);
  const absl::Status status = file.Append(1, Summary());
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("board"));
}

}  // namespace
}  // namespace seq2seq
