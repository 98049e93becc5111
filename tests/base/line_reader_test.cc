#include "seq2seq/base/line_reader.h"

#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/testing/standard_input.h"
#include "tests/testing/temporary_folder.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// "ein\nzwei\ndrei" as gzip.
const std::string kGzip(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\x4b\xcd\xcc\xe3\xaa\x2a\x4f\xcd\xe4\x4a\x29\x4a\xcd"
    "\x04\x00\x66\x3a\xdb\x0c\x0d\x00\x00\x00",
    33);

// The same as zstd, with a checksum.
const std::string kZstd(
    "\x28\xb5\x2f\xfd\x04\x68\x69\x00\x00\x65\x69\x6e\x0a\x7a\x77\x65\x69\x0a\x64\x72\x65\x69"
    "\xd0\x65\xbd\x52",
    26);

// The same as xz.
const std::string kXz(
    "\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x16\x00\x00\x00\x74\x2f"
    "\xe5\xa3\x01\x00\x0c\x65\x69\x6e\x0a\x7a\x77\x65\x69\x0a\x64\x72\x65\x69\x00\x00\x00\x00"
    "\x7a\x4f\xca\x4d\x4b\x89\x06\x4e\x00\x01\x25\x0d\x71\x19\xc4\xb6\x1f\xb6\xf3\x7d\x01\x00"
    "\x00\x00\x00\x04\x59\x5a",
    72);

// The lines of a file with these bytes.
std::vector<std::string> Lines(const std::string& bytes) {
  TemporaryFolder folder;
  const absl::StatusOr<std::vector<std::string>> lines = ReadLines(folder.Write("a", bytes));
  EXPECT_TRUE(lines.ok()) << lines.status();
  return lines.ok() ? *lines : std::vector<std::string>();
}

TEST(LineReader, ReadsLinesAndKeepsEmptyOnes) {
  EXPECT_THAT(Lines("ein\n\nzwei\n"), ElementsAre("ein", "", "zwei"));
  EXPECT_THAT(Lines("\n"), ElementsAre(""));
}

TEST(LineReader, EmptyFileHasNoLines) { EXPECT_THAT(Lines(""), IsEmpty()); }

TEST(LineReader, LastLineNeedsNoNewline) {
  EXPECT_THAT(Lines("ein\nzwei"), ElementsAre("ein", "zwei"));
}

TEST(LineReader, TakesOffCarriageReturnAtTheEndOnly) {
  EXPECT_THAT(Lines("ein\r\n\r\na\rb\r\n"), ElementsAre("ein", "", "a\rb"));
}

TEST(LineReader, TakesOffTheByteOrderMarkOfTheFirstLineOnly) {
  EXPECT_THAT(Lines("\xEF\xBB\xBF"
                    "ein\n\xEF\xBB\xBFzwei\n"),
              ElementsAre("ein", "\xEF\xBB\xBFzwei"));
}

TEST(LineReader, KeepsNulBytes) {
  EXPECT_THAT(Lines(std::string("a\0b\n\0\n\0", 7)),
              ElementsAre(std::string("a\0b", 3), std::string("\0", 1), std::string("\0", 1)));
}

TEST(LineReader, ReadsLinesOfAnyLength) {
  for (const size_t length : {4094, 4095, 4096, 4097, 1 << 20}) {
    const std::string line(length, 'x');
    EXPECT_TRUE(Lines(line + "\n" + line) == (std::vector<std::string>{line, line})) << length;
  }
}

TEST(LineReader, UnpacksWhatIsCompressed) {
  for (const std::string& bytes : {kGzip, kZstd, kXz}) {
    EXPECT_THAT(Lines(bytes), ElementsAre("ein", "zwei", "drei"));
    EXPECT_THAT(Lines(bytes + bytes), ElementsAre("ein", "zwei", "dreiein", "zwei", "drei"));
  }
}

TEST(LineReader, TruncatedDataAreDataLossAndNamed) {
  TemporaryFolder folder;
  for (const std::string& bytes : {kGzip, kZstd, kXz}) {
    for (size_t size = bytes == kGzip ? 2 : 6; size < bytes.size(); ++size) {
      const std::string path = folder.Write("a", bytes.substr(0, size));
      const absl::StatusOr<std::vector<std::string>> lines = ReadLines(path);
      EXPECT_TRUE(absl::IsDataLoss(lines.status())) << size << ": " << lines.status();
      EXPECT_THAT(std::string(lines.status().message()),
                  StartsWith(path + ": cannot read after line "));
      EXPECT_THAT(std::string(lines.status().message()), HasSubstr(": unexpected end of "));
    }
  }
}

TEST(LineReader, CorruptDataAreDataLoss) {
  TemporaryFolder folder;
  for (const auto& [bytes, checksum] : {std::pair(kGzip, 26), {kZstd, 22}, {kXz, 44}}) {
    std::string damaged = bytes;
    damaged[static_cast<size_t>(checksum)] ^= 1;
    const absl::StatusOr<std::vector<std::string>> lines = ReadLines(folder.Write("a", damaged));
    EXPECT_TRUE(absl::IsDataLoss(lines.status())) << lines.status();
  }
}

TEST(LineReader, ReadsAPipeByItsName) {
  TemporaryFolder folder;
  const std::string path = folder / "pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  for (const std::string& bytes : {std::string("ein\nzwei\ndrei"), kZstd}) {
    std::thread writer([&] {
      std::ofstream out(path);
      for (const char byte : bytes) out << byte << std::flush;
    });
    const absl::StatusOr<std::vector<std::string>> lines = ReadLines(path);
    writer.join();
    ASSERT_TRUE(lines.ok()) << lines.status();
    EXPECT_THAT(*lines, ElementsAre("ein", "zwei", "drei"));
  }
}

TEST(LineReader, CountsLines) {
  TemporaryFolder folder;
  const auto reader = LineReader::Open(folder.Write("a", "ein\nzwei\n"));
  ASSERT_TRUE(reader.ok()) << reader.status();
  LineReader& lines = **reader;
  EXPECT_EQ(lines.path(), folder / "a");
  std::string line;
  EXPECT_EQ(lines.line_number(), 0);
  EXPECT_TRUE(*lines.Next(line));
  EXPECT_EQ(lines.line_number(), 1);
  EXPECT_TRUE(*lines.Next(line));
  EXPECT_FALSE(*lines.Next(line));
  EXPECT_FALSE(*lines.Next(line));
  EXPECT_EQ(lines.line_number(), 2);
}

TEST(LineReader, ReadsStandardInput) {
  StandardInput input;
  input.Write("ein\r\n\nzwei");
  input.Close();
  const absl::StatusOr<std::vector<std::string>> lines = ReadLines("-");
  ASSERT_TRUE(lines.ok()) << lines.status();
  EXPECT_THAT(*lines, ElementsAre("ein", "", "zwei"));
}

TEST(LineReader, LongerLinesAreErrorsThatNameTheLine) {
  TemporaryFolder folder;
  const std::string text = "a\r\n123456789\r\n" + std::string(10'000, '0');
  StandardInput input;
  input.Write(text);
  for (const std::string& path : {folder.Write("a", text), std::string("-")}) {
    const auto reader = LineReader::Open(path, 9);
    ASSERT_TRUE(reader.ok()) << reader.status();
    std::string line;
    EXPECT_TRUE(*(*reader)->Next(line));
    EXPECT_TRUE(*(*reader)->Next(line));
    EXPECT_EQ(line, "123456789");
    const absl::Status status = (*reader)->Next(line).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_EQ(status.message(), (*reader)->path() + ":3: the line has more than 9 bytes");
  }
}

TEST(LineReader, StandardInputGivesALineAsSoonAsItIsComplete) {
  StandardInput input;
  const std::unique_ptr<LineReader> lines = *LineReader::Open("-");
  std::string line;
  input.Write("ein\nzw");
  EXPECT_TRUE(*lines->Next(line));
  EXPECT_EQ(line, "ein");
  input.Write("ei\n");
  EXPECT_TRUE(*lines->Next(line));
  EXPECT_EQ(line, "zwei");
}

TEST(LineReaderDeathTest, ProgramEndsWhileItWaitsForStandardInput) {
  const auto end = [] {
    std::thread([] { ReadLines("-").IgnoreError(); }).detach();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // Time to begin.
    std::exit(0);
  };
  StandardInput input;
  EXPECT_EXIT(end(), ::testing::ExitedWithCode(0), "");
}

TEST(LineReader, MissingFileIsNotFoundAndNamed) {
  TemporaryFolder folder;
  const absl::Status status = LineReader::Open(folder / "none").status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder / "none"));
}

TEST(LineReader, FolderIsAnErrorThatNamesIt) {
  TemporaryFolder folder;
  const absl::Status status = LineReader::Open(folder.path()).status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder.path()));
}

}  // namespace
}  // namespace seq2seq
