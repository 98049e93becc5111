#include "seq2seq/base/line_reader.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/testing/temporary_folder.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// "ein\nzwei\ndrei" as gzip.
const std::string kGzip(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\x4b\xcd\xcc\xe3\xaa\x2a\x4f\xcd\xe4\x4a\x29\x4a\xcd"
    "\x04\x00\x66\x3a\xdb\x0c\x0d\x00\x00\x00",
    33);

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

TEST(LineReader, UnpacksGzip) { EXPECT_THAT(Lines(kGzip), ElementsAre("ein", "zwei", "drei")); }

TEST(LineReader, UnpacksGzipOfSeveralMembers) {
  EXPECT_THAT(Lines(kGzip + kGzip), ElementsAre("ein", "zwei", "dreiein", "zwei", "drei"));
}

TEST(LineReader, TruncatedGzipIsDataLossAndNamed) {
  TemporaryFolder folder;
  for (size_t size = 2; size < kGzip.size(); ++size) {
    const std::string path = folder.Write("a.gz", kGzip.substr(0, size));
    const absl::StatusOr<std::vector<std::string>> lines = ReadLines(path);
    EXPECT_TRUE(absl::IsDataLoss(lines.status())) << size << ": " << lines.status();
    EXPECT_THAT(std::string(lines.status().message()), HasSubstr(path));
  }
}

TEST(LineReader, CorruptGzipIsDataLoss) {
  TemporaryFolder folder;
  std::string bytes = kGzip;
  bytes[26] ^= 1;  // The checksum.
  const absl::StatusOr<std::vector<std::string>> lines = ReadLines(folder.Write("a.gz", bytes));
  EXPECT_TRUE(absl::IsDataLoss(lines.status())) << lines.status();
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

// For its lifetime, standard input is what is written to it.
class StandardInput {
 public:
  StandardInput() {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    EXPECT_EQ(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    in_ = ends[1];
  }
  ~StandardInput() {
    Close();
    EXPECT_EQ(dup2(before_, STDIN_FILENO), STDIN_FILENO);
    close(before_);
  }

  void Write(const std::string& text) {
    EXPECT_EQ(write(in_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void Close() { close(std::exchange(in_, -1)); }

 private:
  int before_ = dup(STDIN_FILENO);
  int in_ = -1;
};

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
