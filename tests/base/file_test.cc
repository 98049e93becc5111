#include "seq2seq/base/file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/testing/temporary_folder.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Limits files to `bytes` for its lifetime, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit = {bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_;
  sighandler_t handler_;
};

// The exit code of `body` in a process of its own, which ends without destructors.
template <typename Body>
int InOtherProcess(Body body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(AtomicFile, IsNotVisibleBeforeCommit) {
  TemporaryFolder folder;
  absl::StatusOr<AtomicFile> file = AtomicFile::Create(folder / "a");
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE(file->Append("text").ok());
  EXPECT_FALSE(std::filesystem::exists(folder / "a"));
  ASSERT_TRUE(file->Commit().ok());
  EXPECT_EQ(folder.Read("a"), "text");
  EXPECT_THAT(folder.Names(), ElementsAre("a"));
}

TEST(AtomicFile, LeavesNothingWithoutCommit) {
  TemporaryFolder folder;
  {
    absl::StatusOr<AtomicFile> file = AtomicFile::Create(folder / "a");
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE(file->Append(std::string(3 << 20, 'x')).ok());
  }
  EXPECT_THAT(folder.Names(), IsEmpty());
}

TEST(AtomicFile, FoldersAndStreamsAreRefusedAtOnce) {
  TemporaryFolder folder;
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::filesystem::create_symlink("/dev/stdout", folder / "link");
  for (const std::string& path :
       {folder.path(), folder / "pipe", folder / "link", std::string("/dev/null")}) {
    const absl::Status status = AtomicFile::Create(path).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(path));
  }
  EXPECT_THAT(folder.Names(), ElementsAre("link", "pipe"));
}

TEST(IsStream, HoldsForWhatIsOpenAndForDevices) {
  TemporaryFolder folder;
  folder.Write("file", "");
  std::filesystem::create_symlink("file", folder / "link");
  std::filesystem::create_symlink("/dev/stdout", folder / "stdout");
  const int descriptor = open((folder / "file").c_str(), O_RDONLY | O_CLOEXEC);
  const std::string open_file = "/dev/fd/" + std::to_string(descriptor);
  for (const std::string& path :
       {std::string("/dev/stdout"), std::string("/dev/null"), folder / "stdout", open_file}) {
    EXPECT_TRUE(IsStream(path)) << path;
  }
  for (const std::string& path : {folder / "file", folder / "link", folder / "none", folder.path(),
                                  std::string("/dev/shm/none")}) {
    EXPECT_FALSE(IsStream(path)) << path;
  }
  close(descriptor);
}

TEST(AtomicFile, ReplacesAFileInOneStep) {
  TemporaryFolder folder;
  folder.Write("a", "old and longer");
  absl::StatusOr<AtomicFile> file = AtomicFile::Create(folder / "a");
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE(file->Append("new").ok());
  EXPECT_EQ(folder.Read("a"), "old and longer");
  ASSERT_TRUE(file->Commit().ok());
  EXPECT_EQ(folder.Read("a"), "new");
}

TEST(AtomicFile, KeepsTheOrderOfSmallAndLargeWrites) {
  TemporaryFolder folder;
  absl::StatusOr<AtomicFile> file = AtomicFile::Create(folder / "a");
  ASSERT_TRUE(file.ok()) << file.status();
  std::string all;
  for (const size_t size : {size_t{1}, size_t{3} << 20, size_t{7}, size_t{1} << 20, size_t{0}}) {
    const std::string part(size, static_cast<char>('a' + size % 26));
    ASSERT_TRUE(file->Append(part).ok());
    all += part;
    EXPECT_EQ(file->size(), all.size());
  }
  ASSERT_TRUE(file->Commit().ok());
  EXPECT_TRUE(folder.Read("a") == all);
}

TEST(AtomicFile, MovedFileCommitsOnce) {
  TemporaryFolder folder;
  absl::StatusOr<AtomicFile> file = AtomicFile::Create(folder / "a");
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE(file->Append("te").ok());
  {
    AtomicFile moved = *std::move(file);
    ASSERT_TRUE(moved.Append("xt").ok());
    ASSERT_TRUE(moved.Commit().ok());
  }
  EXPECT_EQ(folder.Read("a"), "text");
}

TEST(AtomicFile, FullDiskIsAnErrorAndKeepsTheOldFile) {
  TemporaryFolder folder;
  folder.Write("a", "old");
  absl::Status status;
  {
    const FileSizeLimit limit(4096);
    status = WriteFile(folder / "a", std::string(2 << 20, 'x'));
  }
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder / "a"));
  EXPECT_EQ(folder.Read("a"), "old");
  EXPECT_THAT(folder.Names(), ElementsAre("a"));
}

TEST(AtomicFile, FullDiskThatShowsAtCommitIsAnError) {
  TemporaryFolder folder;
  absl::Status status;
  {
    const FileSizeLimit limit(4096);
    status = WriteFile(folder / "a", std::string(5000, 'x'));
  }
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(folder.Names(), IsEmpty());
}

TEST(AtomicFile, CommitAfterAFailedAppendGoesOnWhereItStopped) {
  TemporaryFolder folder;
  absl::StatusOr<AtomicFile> file = AtomicFile::Create(folder / "a");
  ASSERT_TRUE(file.ok()) << file.status();
  const std::string bytes(2 << 20, 'x');
  {
    const FileSizeLimit limit(4096);
    ASSERT_FALSE(file->Append(bytes).ok());
  }
  ASSERT_TRUE(file->Commit().ok());
  EXPECT_TRUE(folder.Read("a") == bytes);
}

TEST(AtomicFile, MissingFolderIsNotFoundAndNamed) {
  TemporaryFolder folder;
  const absl::StatusOr<AtomicFile> file = AtomicFile::Create(folder / "none/a");
  EXPECT_TRUE(absl::IsNotFound(file.status())) << file.status();
  EXPECT_THAT(std::string(file.status().message()), HasSubstr(folder / "none/a"));
}

TEST(AtomicFile, DoesNotReplaceAFolder) {
  TemporaryFolder folder;
  ASSERT_TRUE(CreateFolders(folder / "a/b").ok());
  EXPECT_FALSE(WriteFile(folder / "a", "text").ok());
  EXPECT_THAT(folder.Names(), ElementsAre("a"));
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b"));
}

TEST(AtomicFolder, IsNotVisibleBeforeCommit) {
  TemporaryFolder folder;
  absl::StatusOr<AtomicFolder> run = AtomicFolder::Create(folder / "run");
  ASSERT_TRUE(run.ok()) << run.status();
  ASSERT_TRUE(WriteFile(run->temporary() + "/a", "text").ok());
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));
  ASSERT_TRUE(run->Commit().ok());
  EXPECT_EQ(folder.Read("run/a"), "text");
  EXPECT_THAT(folder.Names(), ElementsAre("run"));
}

TEST(AtomicFolder, LeavesNothingWithoutCommit) {
  TemporaryFolder folder;
  {
    absl::StatusOr<AtomicFolder> run = AtomicFolder::Create(folder / "run");
    ASSERT_TRUE(run.ok()) << run.status();
    ASSERT_TRUE(WriteFile(run->temporary() + "/a", "text").ok());
  }
  EXPECT_THAT(folder.Names(), IsEmpty());
}

TEST(AtomicFolder, SlashAtTheEndChangesNothing) {
  TemporaryFolder folder;
  absl::StatusOr<AtomicFolder> run = AtomicFolder::Create(folder / "run/");
  ASSERT_TRUE(run.ok()) << run.status();
  ASSERT_TRUE(WriteFile(run->temporary() + "/a", "text").ok());
  ASSERT_TRUE(run->Commit().ok());
  EXPECT_EQ(folder.Read("run/a"), "text");
}

TEST(AtomicFolder, ReplacesAFolder) {
  TemporaryFolder folder;
  ASSERT_TRUE(CreateFolders(folder / "run").ok());
  folder.Write("run/old", "old");
  absl::StatusOr<AtomicFolder> run = AtomicFolder::Create(folder / "run");
  ASSERT_TRUE(run.ok()) << run.status();
  ASSERT_TRUE(WriteFile(run->temporary() + "/new", "new").ok());
  EXPECT_EQ(folder.Read("run/old"), "old");
  ASSERT_TRUE(run->Commit().ok());
  EXPECT_EQ(folder.Read("run/new"), "new");
  EXPECT_FALSE(std::filesystem::exists(folder / "run/old"));
  EXPECT_THAT(folder.Names(), ElementsAre("run"));
}

TEST(AtomicFolder, BelowAFileIsAnErrorThatNamesIt) {
  TemporaryFolder folder;
  folder.Write("a", "text");
  const absl::StatusOr<AtomicFolder> run = AtomicFolder::Create(folder / "a/run");
  EXPECT_FALSE(run.ok());
  EXPECT_THAT(std::string(run.status().message()), HasSubstr(folder / "a/run"));
}

TEST(ReadFile, ReturnsTheBytes) {
  TemporaryFolder folder;
  const std::string bytes("a\0\r\n\xff", 5);
  const absl::StatusOr<std::string> read = ReadFile(folder.Write("a", bytes));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, bytes);
}

TEST(ReadFile, MissingFileAndFolderAreErrorsThatNameThem) {
  TemporaryFolder folder;
  for (const std::string& path : {folder / "none", folder.path()}) {
    const absl::StatusOr<std::string> read = ReadFile(path);
    EXPECT_FALSE(read.ok());
    EXPECT_THAT(std::string(read.status().message()), HasSubstr(path));
  }
}

TEST(ReadFile, ReadsAPipe) {
  TemporaryFolder folder;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "text", 4), 4);
  close(ends[1]);
  const absl::StatusOr<std::string> read = ReadFile("/dev/fd/" + std::to_string(ends[0]));
  close(ends[0]);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, "text");
}

TEST(ReplaceLink, MakesAndReplacesALink) {
  TemporaryFolder folder;
  folder.Write("one", "1");
  folder.Write("two", "2");
  ASSERT_TRUE(ReplaceLink("one", folder / "latest").ok());
  EXPECT_EQ(folder.Read("latest"), "1");
  ASSERT_TRUE(ReplaceLink("two", folder / "latest").ok());
  EXPECT_EQ(folder.Read("latest"), "2");
  EXPECT_EQ(folder.Read("one"), "1");
  EXPECT_THAT(folder.Names(), ElementsAre("latest", "one", "two"));
}

TEST(ReplaceLink, ReplacesALinkToAFolder) {
  TemporaryFolder folder;
  ASSERT_TRUE(CreateFolders(folder / "step-1").ok());
  ASSERT_TRUE(CreateFolders(folder / "step-2").ok());
  ASSERT_TRUE(ReplaceLink("step-1", folder / "latest").ok());
  ASSERT_TRUE(ReplaceLink("step-2", folder / "latest").ok());
  EXPECT_EQ(std::filesystem::read_symlink(folder / "latest"), "step-2");
  EXPECT_TRUE(std::filesystem::is_empty(folder / "step-1"));
}

TEST(ReplaceLink, DoesNotReplaceAFolder) {
  TemporaryFolder folder;
  ASSERT_TRUE(CreateFolders(folder / "latest").ok());
  const absl::Status status = ReplaceLink("one", folder / "latest");
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder / "latest"));
  EXPECT_THAT(folder.Names(), ElementsAre("latest"));
}

TEST(CreateFolders, MakesAllAboveAndAcceptsWhatExists) {
  TemporaryFolder folder;
  EXPECT_TRUE(CreateFolders(folder / "a/b/c").ok());
  EXPECT_TRUE(CreateFolders(folder / "a/b/c").ok());
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b/c"));
  folder.Write("file", "");
  EXPECT_FALSE(CreateFolders(folder / "file/d").ok());
}

TEST(MappedFile, ShowsTheBytesAfterTheFileIsGone) {
  TemporaryFolder folder;
  absl::StatusOr<MappedFile> file = MappedFile::Open(folder.Write("a", "text"));
  ASSERT_TRUE(file.ok()) << file.status();
  std::filesystem::remove(folder / "a");
  MappedFile moved = *std::move(file);
  EXPECT_EQ(std::string(moved.data(), moved.size()), "text");
}

TEST(MappedFile, ReleaseGivesBackWholePagesOnly) {
  TemporaryFolder folder;
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const absl::StatusOr<MappedFile> file =
      MappedFile::Open(folder.Write("a", std::string(4 * page, 'f')));
  ASSERT_TRUE(file.ok()) << file.status();
  // A released page has the contents of the file again.
  for (size_t i = 0; i < 4; ++i) const_cast<char*>(file->data())[i * page + page / 2] = 'm';
  const auto seen = [&] {
    std::string middles;
    for (size_t i = 0; i < 4; ++i) middles += file->data()[i * page + page / 2];
    return middles;
  };
  file->Release(file->data() + page / 2, page);
  EXPECT_EQ(seen(), "mmmm");
  file->Release(file->data() + page / 2, 3 * page);
  EXPECT_EQ(seen(), "mffm");
}

TEST(MappedFile, OpensAnEmptyFile) {
  TemporaryFolder folder;
  const absl::StatusOr<MappedFile> file = MappedFile::Open(folder.Write("a", ""));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->size(), 0u);
}

TEST(MappedFile, MissingFileIsNotFoundAndNamed) {
  TemporaryFolder folder;
  const absl::StatusOr<MappedFile> file = MappedFile::Open(folder / "none");
  EXPECT_TRUE(absl::IsNotFound(file.status())) << file.status();
  EXPECT_THAT(std::string(file.status().message()), HasSubstr(folder / "none"));
}

TEST(MappedFile, FolderOrDeviceIsAnErrorThatNamesIt) {
  TemporaryFolder folder;
  for (const std::string& path : {folder.path(), std::string("/dev/null")}) {
    const absl::StatusOr<MappedFile> file = MappedFile::Open(path);
    EXPECT_TRUE(absl::IsInvalidArgument(file.status())) << file.status();
    EXPECT_THAT(std::string(file.status().message()), HasSubstr(path));
  }
}

TEST(FolderLock, RefusesASecondProcess) {
  TemporaryFolder folder;
  std::optional<absl::StatusOr<FolderLock>> lock = FolderLock::Acquire(folder.path());
  ASSERT_TRUE(lock->ok()) << lock->status();
  const auto refused = [&] {
    return absl::IsFailedPrecondition(FolderLock::Acquire(folder.path()).status()) ? 1 : 0;
  };
  EXPECT_EQ(InOtherProcess(refused), 1);
  lock.reset();
  EXPECT_EQ(InOtherProcess(refused), 0);
}

TEST(FolderLock, RefusalNamesTheFolder) {
  TemporaryFolder folder;
  const absl::StatusOr<FolderLock> first = FolderLock::Acquire(folder.path());
  ASSERT_TRUE(first.ok()) << first.status();
  const absl::StatusOr<FolderLock> second = FolderLock::Acquire(folder.path());
  EXPECT_TRUE(absl::IsFailedPrecondition(second.status())) << second.status();
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(folder.path()));
}

TEST(FolderLock, EndsWithItsProcess) {
  TemporaryFolder folder;
  EXPECT_EQ(InOtherProcess([&] {
              static absl::StatusOr<FolderLock> lock = FolderLock::Acquire(folder.path());
              return lock.ok() ? 1 : 0;
            }),
            1);
  EXPECT_TRUE(FolderLock::Acquire(folder.path()).ok());
}

TEST(FolderLock, MissingFolderIsNotFound) {
  TemporaryFolder folder;
  EXPECT_TRUE(absl::IsNotFound(FolderLock::Acquire(folder / "none").status()));
}

}  // namespace
}  // namespace seq2seq
