#include "seq2seq/data/corpus.h"

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "seq2seq/data/image_set.h"
#include "seq2seq/data/source_encoder.h"
#include "tests/testing/learn.h"
#include "tests/testing/temporary_folder.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::Not;

// "der Hund\nrot\n" as gzip.
const std::string kGzip(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\x4b\x49\x2d\x52\xf0\x28\xcd\x4b\xe1\x2a\xca\x2f\xe1"
    "\x02\x00\xe8\xe8\x41\x32\x0d\x00\x00\x00",
    33);

class CorpusTest : public ::testing::Test {
 protected:
  absl::StatusOr<Corpus> Build(const std::vector<std::string>& files,
                               const FilterOptions& filter = {}) {
    return Corpus::Build(files, EncodeText(source_), target_, filter, cache_);
  }

  // Builds from two files with these texts.
  absl::StatusOr<Corpus> BuildPair(const std::string& source, const std::string& target,
                                   const FilterOptions& filter = {}) {
    return Build({folder_.Write("a.de", source), folder_.Write("a.en", target)}, filter);
  }

  // Builds from one file of texts without sources.
  absl::StatusOr<Corpus> BuildTexts(const std::string& text, const FilterOptions& filter = {}) {
    return Corpus::Build({folder_.Write("a.txt", text)}, EncodeNothing(), target_, filter, cache_);
  }

  // Which file the cache is: every one that is written has a number of its own.
  ino_t CacheFile() const {
    struct stat info = {};
    stat(cache_.c_str(), &info);
    return info.st_ino;
  }

  // Checks that `corpus` holds these pairs and no others.
  void ExpectPairs(const Corpus& corpus,
                   const std::vector<std::pair<std::string, std::string>>& pairs) {
    ASSERT_EQ(corpus.size(), static_cast<int64_t>(pairs.size()));
    for (int64_t i = 0; i < corpus.size(); ++i) {
      const auto& [source, target] = pairs[static_cast<size_t>(i)];
      EXPECT_THAT(corpus[i].source, ElementsAreArray(source_.Encode(source)));
      EXPECT_THAT(corpus[i].target, ElementsAreArray(target_.Encode(target)));
      EXPECT_EQ(corpus.source_length(i), static_cast<int64_t>(corpus[i].source.size()));
      EXPECT_EQ(corpus.target_length(i), static_cast<int64_t>(corpus[i].target.size()));
    }
  }

  TemporaryFolder folder_;
  const std::string cache_ = folder_ / "cache";
  const Tokenizer source_ = *Learn(SampleText(), TokenizerKind::kBpe);
  const Tokenizer target_ = *Learn(SampleText(), TokenizerKind::kWord);
};

std::string Message(const absl::StatusOr<Corpus>& corpus) {
  return std::string(corpus.status().message());
}

TEST_F(CorpusTest, ExamplesAreTheLinesOfTwoFilesEncoded) {
  const auto corpus =
      BuildPair("der Hund rennt\nKatze\nein Mädchen\n", "die Katze\nder Hund\ndas Kind\n");
  ASSERT_TRUE(corpus.ok()) << corpus.status();
  ExpectPairs(
      *corpus,
      {{"der Hund rennt", "die Katze"}, {"Katze", "der Hund"}, {"ein Mädchen", "das Kind"}});
  EXPECT_EQ(corpus->counts().pairs, 3);
  EXPECT_EQ(corpus->counts().kept(), 3);
}

TEST_F(CorpusTest, ReadsATable) {
  const auto corpus = Build({folder_.Write("a.tsv", "der Hund\tdie Katze\r\nKatze\tder Hund")});
  ASSERT_TRUE(corpus.ok()) << corpus.status();
  ExpectPairs(*corpus, {{"der Hund", "die Katze"}, {"Katze", "der Hund"}});
}

TEST_F(CorpusTest, TextsAloneHaveNoSources) {
  FilterOptions filter;
  filter.max_length = 3;
  const auto corpus = BuildTexts("der Hund\n\nein\tMädchen\nder Hund rennt im Garten\n", filter);
  ASSERT_TRUE(corpus.ok()) << corpus.status();
  ExpectPairs(*corpus, {{"", "der Hund"}, {"", "ein\tMädchen"}});
  EXPECT_EQ(corpus->counts().empty, 1);
  EXPECT_EQ(corpus->counts().too_long, 1);
}

TEST_F(CorpusTest, SourcesOfCaptionsAreNumbersOfImages) {
  for (const char* name : {"b.jpg", "a.jpg", "c.jpg"}) folder_.Write(name, "");
  // Twenty words to one image: captions have no ratio of lengths.
  std::string longest = "der";
  for (int i = 1; i < 20; ++i) longest += " der";
  const std::string table = folder_.Write(
      "a.tsv", "b.jpg\tder Hund\nc.jpg\tdie Katze\nb.jpg\t" + longest + "\na.jpg\t\n");
  absl::StatusOr<ImageSet> images = ImageSet::Open(folder_.path(), {table});
  ASSERT_TRUE(images.ok()) << images.status();
  images->Drop(*images->Find("c.jpg"));
  const auto corpus = Corpus::Build({table}, EncodeImages(*images), target_, {}, cache_);
  ASSERT_TRUE(corpus.ok()) << corpus.status();
  ASSERT_EQ(corpus->size(), 2);
  for (const int64_t pair : {0, 1}) EXPECT_THAT((*corpus)[pair].source, ElementsAre(1));
  EXPECT_THAT((*corpus)[1].target, ElementsAreArray(target_.Encode(longest)));
  EXPECT_EQ(corpus->counts().no_image, 1);
  EXPECT_EQ(corpus->counts().empty, 1);
  EXPECT_EQ(corpus->counts().Text({}),
            "4 lines read, 2 kept; dropped: 1 empty, 1 without a readable image");
}

TEST_F(CorpusTest, ReadsGzipBesidePlainText) {
  const auto corpus =
      Build({folder_.Write("a.gz", kGzip), folder_.Write("b", "die Katze\nder Hund\n")});
  ASSERT_TRUE(corpus.ok()) << corpus.status();
  ExpectPairs(*corpus, {{"der Hund", "die Katze"}, {"rot", "der Hund"}});
}

TEST_F(CorpusTest, TruncatedGzipIsDataLossAndLeavesNoCache) {
  const std::string path = folder_.Write("a.gz", kGzip.substr(0, 30));
  const auto corpus = Build({path, folder_.Write("b", "die Katze\nder Hund\n")});
  EXPECT_TRUE(absl::IsDataLoss(corpus.status())) << corpus.status();
  EXPECT_THAT(Message(corpus), HasSubstr(path));
  EXPECT_THAT(folder_.Names(), ElementsAre("a.gz", "b"));
}

TEST_F(CorpusTest, UnequalLengthsNameBothFilesAndTheirLines) {
  for (const bool first_longer : {true, false}) {
    const std::string three = "ein\nein\nein\n";
    const auto corpus = first_longer ? BuildPair(three, "ein\n") : BuildPair("ein\n", three);
    EXPECT_TRUE(absl::IsInvalidArgument(corpus.status())) << corpus.status();
    EXPECT_THAT(Message(corpus), AllOf(HasSubstr(absl::StrCat("a.de has ", first_longer ? 3 : 1)),
                                       HasSubstr(absl::StrCat("a.en has ", first_longer ? 1 : 3))));
    EXPECT_THAT(folder_.Names(), ElementsAre("a.de", "a.en"));
  }
}

TEST_F(CorpusTest, TableLineWithoutTabNamesFileAndLine) {
  const auto corpus = Build({folder_.Write("a.tsv", "ein\tein\nein ein\n")});
  EXPECT_TRUE(absl::IsInvalidArgument(corpus.status())) << corpus.status();
  EXPECT_THAT(Message(corpus), HasSubstr("a.tsv:2: "));
}

TEST_F(CorpusTest, NeitherNoFilesNorThreeAreACorpus) {
  const std::string path = folder_.Write("a", "ein\n");
  EXPECT_TRUE(absl::IsInvalidArgument(Build({}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Build({path, path, path}).status()));
  const auto texts = Corpus::Build({path, path}, EncodeNothing(), target_, {}, cache_);
  EXPECT_TRUE(absl::IsInvalidArgument(texts.status()));
  EXPECT_EQ(Message(texts), absl::StrCat("a corpus without sources consists of [text], found [",
                                         path, ", ", path, "]"));
}

TEST_F(CorpusTest, MissingFileIsNotFoundAndNamed) {
  const auto corpus = Build({folder_.Write("a", "ein\n"), folder_ / "none"});
  EXPECT_TRUE(absl::IsNotFound(corpus.status())) << corpus.status();
  EXPECT_THAT(Message(corpus), HasSubstr(folder_ / "none"));
}

TEST_F(CorpusTest, FiltersCountWhatTheyDrop) {
  const Tokenizer& words = target_;
  FilterOptions filter;
  filter.max_length = 3;
  filter.max_ratio = 2;
  const std::string table =
      "der Hund\tdie Katze\n"       // Kept.
      "\tdie\n"                     // Empty.
      "der\t  \n"                   // Empty.
      "der der der der\tdie die\n"  // Too long.
      "der\tdie die die die\n"      // Too long, whatever the ratio.
      "der der der\tdie\n"          // Three times as long.
      "der der\tdie\n"              // Twice as long: kept.
      "\xff\tdie\n"                 // Invalid.
      "der\t\xc3\n";                // Invalid.
  const auto corpus =
      Corpus::Build({folder_.Write("a.tsv", table)}, EncodeText(words), words, filter, cache_);
  ASSERT_TRUE(corpus.ok()) << corpus.status();
  const CorpusCounts& counts = corpus->counts();
  EXPECT_EQ(counts.pairs, 9);
  EXPECT_EQ(counts.empty, 2);
  EXPECT_EQ(counts.too_long, 2);
  EXPECT_EQ(counts.bad_ratio, 1);
  EXPECT_EQ(counts.invalid, 2);
  EXPECT_EQ(counts.kept(), 2);
  EXPECT_EQ(corpus->size(), 2);
  EXPECT_THAT((*corpus)[1].source, ElementsAreArray(words.Encode("der der")));
  EXPECT_EQ(counts.Text(filter),
            "9 lines read, 2 kept; dropped: 2 empty, 2 not UTF-8, 2 longer than 3 subwords, "
            "1 with a length ratio above 2:1");
}

TEST_F(CorpusTest, RatioZeroKeepsAll) {
  FilterOptions filter;
  filter.max_ratio = 0;
  const auto corpus = BuildPair("der\n", "die die die die die die die die die\n", filter);
  EXPECT_TRUE(corpus.ok()) << corpus.status();
}

TEST_F(CorpusTest, NoPairToUseIsAnErrorThatNamesFilesAndReasons) {
  EXPECT_THAT(Message(BuildPair("", "")),
              AllOf(HasSubstr("a.de"), HasSubstr("a.en"), HasSubstr("0 lines read")));
  const auto corpus = BuildPair("\n", "ein\n");
  EXPECT_TRUE(absl::IsInvalidArgument(corpus.status())) << corpus.status();
  EXPECT_THAT(Message(corpus), HasSubstr("1 empty"));
  EXPECT_THAT(folder_.Names(), ElementsAre("a.de", "a.en"));
}

TEST_F(CorpusTest, CacheIsUsedAgainWhenNothingChanged) {
  const auto first = BuildPair("ein\nder\n", "die\n\n");
  ASSERT_TRUE(first.ok()) << first.status();
  const ino_t before = CacheFile();
  const auto second = Build({folder_ / "a.de", folder_ / "a.en"});
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(CacheFile(), before);
  ExpectPairs(*second, {{"ein", "die"}});
  EXPECT_EQ(second->counts().empty, 1);
}

TEST_F(CorpusTest, CacheIsMadeAnewForAnotherFilter) {
  const std::string lines = "ein\nder der\n";
  ASSERT_TRUE(BuildPair(lines, lines).ok());
  FilterOptions filter;
  filter.max_length = static_cast<int64_t>(source_.Encode("ein").size());
  const auto corpus = Build({folder_ / "a.de", folder_ / "a.en"}, filter);
  ASSERT_TRUE(corpus.ok()) << corpus.status();
  EXPECT_EQ(corpus->counts().too_long, 1);
  const ino_t before = CacheFile();
  filter.max_ratio = 7;
  ASSERT_TRUE(Build({folder_ / "a.de", folder_ / "a.en"}, filter).ok());
  EXPECT_NE(CacheFile(), before);
}

TEST_F(CorpusTest, CacheIsMadeAnewForAChangedFile) {
  const auto old = BuildPair("ein\n", "die\n");
  ASSERT_TRUE(old.ok()) << old.status();
  const auto longer = BuildPair("ein\nder\n", "die\ndas\n");
  ASSERT_TRUE(longer.ok()) << longer.status();
  ExpectPairs(*longer, {{"ein", "die"}, {"der", "das"}});
  // The same size, at another time.
  folder_.Write("a.en", "die\ndie\n");
  std::filesystem::last_write_time(
      folder_ / "a.en", std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  const auto changed = Build({folder_ / "a.de", folder_ / "a.en"});
  ASSERT_TRUE(changed.ok()) << changed.status();
  ExpectPairs(*changed, {{"ein", "die"}, {"der", "die"}});
  // One that is open stays as it was.
  ExpectPairs(*old, {{"ein", "die"}});
}

TEST_F(CorpusTest, CacheIsMadeAnewForAnotherTokenizer) {
  ASSERT_TRUE(BuildPair("ein Hund\n", "die Katze\n").ok());
  const auto corpus =
      Corpus::Build({folder_ / "a.de", folder_ / "a.en"}, EncodeText(target_), target_, {}, cache_);
  ASSERT_TRUE(corpus.ok()) << corpus.status();
  EXPECT_THAT((*corpus)[0].source, ElementsAreArray(target_.Encode("ein Hund")));
}

TEST_F(CorpusTest, CacheIsMadeAnewForADroppedImage) {
  const std::string table = folder_.Write("a.tsv", "a.jpg\tder Hund\nb.jpg\tdie Katze\n");
  absl::StatusOr<ImageSet> images = ImageSet::Open(folder_.path(), {table});
  ASSERT_TRUE(images.ok()) << images.status();
  ASSERT_TRUE(Corpus::Build({table}, EncodeImages(*images), target_, {}, cache_).ok());
  const ino_t before = CacheFile();
  FilterOptions filter;
  filter.max_ratio = 7;  // Means nothing here.
  ASSERT_TRUE(Corpus::Build({table}, EncodeImages(*images), target_, filter, cache_).ok());
  EXPECT_EQ(CacheFile(), before);
  images->Drop(0);
  const auto corpus = Corpus::Build({table}, EncodeImages(*images), target_, {}, cache_);
  ASSERT_TRUE(corpus.ok()) << corpus.status();
  EXPECT_EQ(corpus->size(), 1);
}

// Pairs of all kinds, more than a block of them: good, not UTF-8, empty, too long, of bad ratio.
std::vector<std::pair<std::string, std::string>> AllKinds(int count) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (int i = 0; i < count; ++i) {
    std::string source = i % 3 == 0 ? "der Hund rennt" : "ein Mädchen";
    std::string target = i % 2 == 0 ? "die Katze" : "das Kind rennt im Garten";
    if (i % 11 == 0) source += "\xff";
    if (i % 13 == 0) target = " ";
    if (i % 17 == 0) source = "der der der der der der der der der der der der der der der der";
    if (i % 19 == 0) target = "die die die die die die die die die die die die die die";
    pairs.emplace_back(source, target);
  }
  return pairs;
}

TEST_F(CorpusTest, AnyNumberOfThreadsAgreesWithOne) {
  FilterOptions filter;
  filter.max_length = 15;
  filter.max_ratio = 2;
  const auto pairs = AllKinds(5321);
  std::string table;
  for (const auto& [source, target] : pairs) absl::StrAppend(&table, source, "\t", target, "\n");
  const std::string path = folder_.Write("a.tsv", table);
  const auto one = Build({path}, filter);
  ASSERT_TRUE(one.ok()) << one.status();
  const CorpusCounts& counts = one->counts();
  for (const int64_t count : {counts.invalid, counts.empty, counts.too_long, counts.bad_ratio})
    EXPECT_GT(count, 100) << counts.Text(filter);
  int64_t kept = 0;
  for (const auto& [source, target] : pairs) {
    if (kept == one->size()) break;
    // What was kept is in the order of the lines.
    const Example pair = (*one)[kept];
    const bool is_next = absl::MakeConstSpan(source_.Encode(source)) == pair.source &&
                         absl::MakeConstSpan(target_.Encode(target)) == pair.target;
    kept += is_next ? 1 : 0;
  }
  EXPECT_EQ(kept, one->size());

  const std::string bytes = folder_.Read("cache");
  for (const int threads : {0, 1, 2, 4, 9}) {
    std::filesystem::remove(cache_);
    const auto corpus =
        Corpus::Build({path}, EncodeText(source_), target_, filter, cache_, threads);
    ASSERT_TRUE(corpus.ok()) << corpus.status();
    EXPECT_EQ(corpus->content(), one->content());
    EXPECT_TRUE(folder_.Read("cache") == bytes) << threads;
    EXPECT_THAT(folder_.Names(), ElementsAre("a.tsv", "cache"));
  }
}

TEST_F(CorpusTest, ErrorNamesItsLineForAnyNumberOfThreads) {
  std::string good;
  for (int i = 0; i < 70'000; ++i) good += "ein\tdie\n";
  for (const auto& [bad, problem] :
       {std::pair<std::string, std::string>("ein", "expected source<TAB>target"),
        {"ein\t" + std::string(5000, 'x'), "the line has more than 4000 bytes"}}) {
    const std::string path = folder_.Write("a.tsv", good + bad + "\nein\n" + good);
    FilterOptions filter;
    filter.max_line_bytes = 4000;
    for (const int threads : {1, 2, 4}) {
      const auto corpus =
          Corpus::Build({path}, EncodeText(source_), target_, filter, cache_, threads);
      EXPECT_TRUE(absl::IsInvalidArgument(corpus.status())) << corpus.status();
      EXPECT_EQ(Message(corpus), absl::StrCat(path, ":70001: ", problem));
      EXPECT_THAT(folder_.Names(), ElementsAre("a.tsv"));
    }
  }
}

TEST_F(CorpusTest, OpenShowsWhatBuildWrote) {
  ASSERT_TRUE(BuildPair("ein\nder Hund\n\n", "die\ndas Kind\nein\n").ok());
  const auto corpus = Corpus::Open(cache_);
  ASSERT_TRUE(corpus.ok()) << corpus.status();
  ExpectPairs(*corpus, {{"ein", "die"}, {"der Hund", "das Kind"}});
  EXPECT_EQ(corpus->counts().pairs, 3);
}

TEST_F(CorpusTest, TruncatedCacheIsRefusedByOpenAndMadeAnewByBuild) {
  ASSERT_TRUE(BuildPair("ein\nder Hund\n", "die\ndas Kind\n").ok());
  const std::string bytes = folder_.Read("cache");
  for (size_t size = 0; size < bytes.size(); ++size) {
    const auto corpus = Corpus::Open(folder_.Write("part", bytes.substr(0, size)));
    EXPECT_TRUE(absl::IsDataLoss(corpus.status())) << size << ": " << corpus.status();
    EXPECT_THAT(Message(corpus), HasSubstr(folder_ / "part"));
  }
  folder_.Write("cache", bytes.substr(0, bytes.size() - 1));
  const auto corpus = Build({folder_ / "a.de", folder_ / "a.en"});
  ASSERT_TRUE(corpus.ok()) << corpus.status();
  ExpectPairs(*corpus, {{"ein", "die"}, {"der Hund", "das Kind"}});
  EXPECT_EQ(folder_.Read("cache"), bytes);
}

TEST_F(CorpusTest, PairsOutsideTheCacheAreRefused) {
  ASSERT_TRUE(BuildPair("ein\nder Hund\n", "die\ndas Kind\n").ok());
  const std::string bytes = folder_.Read("cache");
  for (const size_t from_end : {size_t{2}, size_t{8}, size_t{10}}) {  // Of the last pair's numbers.
    std::string damaged = bytes;
    damaged[damaged.size() - from_end] = '\x7f';
    const auto corpus = Corpus::Open(folder_.Write("damaged", damaged));
    EXPECT_TRUE(absl::IsDataLoss(corpus.status())) << from_end << ": " << corpus.status();
  }
}

TEST_F(CorpusTest, OtherFilesAreNoCache) {
  EXPECT_TRUE(absl::IsDataLoss(Corpus::Open(folder_.Write("text", SampleText())).status()));
  EXPECT_TRUE(absl::IsNotFound(Corpus::Open(folder_ / "none").status()));
}

TEST_F(CorpusTest, FailedWriteNamesTheCache) {
  std::string table;
  for (int i = 0; i < 5000; ++i) table += "ein\tdie\n";
  const std::string path = folder_.Write("a.tsv", table);
  for (const int threads : {1, 4}) {
    const auto corpus =
        Corpus::Build({path}, EncodeText(source_), target_, {}, folder_ / "none/cache", threads);
    EXPECT_TRUE(absl::IsNotFound(corpus.status())) << corpus.status();
    EXPECT_THAT(Message(corpus), HasSubstr(folder_ / "none/cache"));
  }
}

}  // namespace
}  // namespace seq2seq
