#include "seq2seq/train/standard_input.h"

#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/testing/faulty_file_system.h"
#include "tests/testing/standard_input.h"
#include "tests/testing/temporary_folder.h"

namespace seq2seq {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What is left in a folder.
std::vector<std::string> Names(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  return names;
}

class StandardInputTest : public ::testing::Test {
 protected:
  StandardInputTest() { std::filesystem::create_directories(run_.Cache()); }

  // Copies an input of these bytes.
  absl::StatusOr<bool> Copy(const std::string& bytes) const {
    StandardInput input;
    input.Write(bytes);
    input.Close();
    return CopyStandardInput(run_);
  }

  const TemporaryFolder folder_;
  const RunFolder run_{folder_ / "run"};
};

TEST_F(StandardInputTest, TakesThePlaceOfTheDash) {
  EXPECT_EQ(StandardInputCopy(run_), run_.path + "/cache/stdin.txt");
  EXPECT_THAT(ReplaceStandardInput(run_, {"a", "-", "-b"}),
              ElementsAre("a", StandardInputCopy(run_), "-b"));
}

TEST_F(StandardInputTest, IsCopiedOnceAsItIs) {
  const std::string bytes("ein\r\n\0\xff", 7);
  EXPECT_TRUE(*Copy(bytes));
  EXPECT_EQ(folder_.Read("run/cache/stdin.txt"), bytes);
  StandardInput never_ends;  // Reading it would wait for ever.
  EXPECT_FALSE(*CopyStandardInput(run_));
  EXPECT_EQ(folder_.Read("run/cache/stdin.txt"), bytes);
}

TEST_F(StandardInputTest, EmptyInputIsRefused) {
  const absl::Status status = Copy("").status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("data.train: standard input, -, is empty"));
  EXPECT_THAT(Names(run_.Cache()), ElementsAre());
}

TEST_F(StandardInputTest, FullDiskIsNamedAndNothingIsLeft) {
  int calls = 0;
  {
    FaultyFileSystem files(folder_.path());
    EXPECT_TRUE(*Copy("ein\n"));
    calls = files.calls();
    std::filesystem::remove(StandardInputCopy(run_));
  }
  int failures = 0;
  for (int call = 1; call <= calls; ++call) {
    FaultyFileSystem files(folder_.path());
    files.FailAt(call, ENOSPC);
    const absl::StatusOr<bool> copied = Copy("ein\n");
    files.FailNoMore();
    if (copied.ok()) {  // There is another way, as to make a file.
      EXPECT_EQ(folder_.Read("run/cache/stdin.txt"), "ein\n") << call;
    } else {
      ++failures;
      EXPECT_TRUE(absl::IsResourceExhausted(copied.status())) << call << ": " << copied.status();
      EXPECT_THAT(std::string(copied.status().message()), HasSubstr(run_.Cache()));
    }
    // Once it has its name, it is complete, whether or not that is synced.
    EXPECT_THAT(folder_.Read("run/cache/stdin.txt"), AnyOf("", "ein\n")) << call;
    std::filesystem::remove(StandardInputCopy(run_));
    EXPECT_THAT(Names(run_.Cache()), ElementsAre()) << call;
  }
  EXPECT_GE(failures, 2);  // Of writing, and of syncing.
}

}  // namespace
}  // namespace seq2seq
