#include "seq2seq/source/source.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "seq2seq/base/log.h"
#include "tests/testing/image_files.h"
#include "tests/testing/learn.h"
#include "tests/testing/temporary_folder.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SourceTest : public ::testing::Test {
 protected:
  SourceTest() {
    SetLogSink([this](LogLevel, absl::string_view message) { log_.emplace_back(message); });
  }
  ~SourceTest() override { SetLogSink(nullptr); }

  std::unique_ptr<Source> Make(SourceKind kind) const {
    SourceOptions options;
    options.kind = kind;
    options.image.size = 8;
    return MakeSource(options, source_, target_);
  }

  // A source of images, or of files of features.
  std::unique_ptr<Source> MakeImages(const ImageOptions& image, bool features,
                                     int64_t max_pixels = kMaxPixels) const {
    SourceOptions options;
    options.kind = SourceKind::kImage;
    options.image = image;
    options.features = features;
    options.max_pixels = max_pixels;
    return MakeSource(options, std::nullopt, target_);
  }

  const TemporaryFolder folder_;
  const Tokenizer source_ = *Learn(SampleText(), TokenizerKind::kBpe);
  const Tokenizer target_ = *Learn(SampleText(), TokenizerKind::kWord);
  std::vector<std::string> log_;
};

// A file of features [2, 3].
std::string FeatureFile(float last) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  header.resize(117, ' ');
  header += '\n';
  const float values[] = {0, 1, 2, 3, 4, last};
  return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header +
         std::string(reinterpret_cast<const char*>(values), sizeof values);
}

TEST_F(SourceTest, TextIsItsSubwords) {
  const auto text = Make(SourceKind::kText);
  EXPECT_EQ(text->kind(), SourceKind::kText);
  const std::optional<SourceInput> input = text->Read("im", 4);
  ASSERT_TRUE(input.has_value());
  EXPECT_THAT(input->ids, ElementsAreArray(source_.Encode("im")));
  EXPECT_THAT(input->prompt, IsEmpty());
  EXPECT_EQ(input->file, "");
  EXPECT_THAT(log_, IsEmpty());
  std::vector<std::string> subwords = source_.Subwords(input->ids);
  subwords.push_back("</s>");
  EXPECT_EQ(text->Subwords(*input), subwords);
  SourceInput loaded = *input;
  EXPECT_TRUE(text->Load(loaded).ok());
  EXPECT_EQ(loaded.ids, input->ids);
}

TEST_F(SourceTest, LongLinesAreCutWithAWarning) {
  const std::string line = "der Hund rennt im Garten";
  std::vector<int32_t> ids = source_.Encode(line);
  ASSERT_GT(ids.size(), 4u);
  const std::string warning = absl::StrCat("a line of ", ids.size(), " subwords is cut to 4");
  ids.resize(4);
  EXPECT_EQ(Make(SourceKind::kText)->Read(line, 4)->ids, ids);
  std::vector<int32_t> prompt = target_.Encode(line);
  ASSERT_EQ(prompt.size(), 5u);
  prompt.resize(4);
  EXPECT_EQ(Make(SourceKind::kNone)->Read(line, 4)->prompt, prompt);
  EXPECT_THAT(log_, ElementsAre(warning, "a line of 5 subwords is cut to 4"));
}

TEST_F(SourceTest, InvalidUtf8IsReplacedWithAWarning) {
  const std::string line = "im \xff";
  const std::optional<SourceInput> text = Make(SourceKind::kText)->Read(line, 4);
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(text->ids, source_.Encode("im \uFFFD"));
  EXPECT_EQ(Make(SourceKind::kNone)->Read(line, 4)->prompt, target_.Encode("im \uFFFD"));
  const std::string warning = "a line is not UTF-8; its invalid bytes are replaced";
  EXPECT_THAT(log_, ElementsAre(warning, warning));
}

TEST_F(SourceTest, OnlyALanguageModelReadsAnEmptyLine) {
  for (const char* line : {"", "  "})
    EXPECT_EQ(Make(SourceKind::kText)->Read(line, 4), std::nullopt) << line;
  EXPECT_EQ(Make(SourceKind::kImage)->Read("", 4), std::nullopt);
  const std::optional<SourceInput> prompt = Make(SourceKind::kNone)->Read("", 4);
  ASSERT_TRUE(prompt.has_value());
  EXPECT_THAT(prompt->prompt, IsEmpty());
}

TEST_F(SourceTest, NoSourceReadsTheBeginningOfATarget) {
  const auto none = Make(SourceKind::kNone);
  EXPECT_EQ(none->kind(), SourceKind::kNone);
  const std::optional<SourceInput> input = none->Read("der Hund", 4);
  ASSERT_TRUE(input.has_value());
  EXPECT_EQ(input->prompt, target_.Encode("der Hund"));
  EXPECT_THAT(input->ids, IsEmpty());
  EXPECT_THAT(none->Subwords(*input), IsEmpty());
}

TEST_F(SourceTest, ImagesAreLoadedAfterTheyAreRead) {
#if !SEQ2SEQ_IMAGES
  GTEST_SKIP() << "built without images";
#endif
  const std::string path = folder_.Write("a.ppm", PpmFile(8, 8, 255, 0, 0));
  const auto images = Make(SourceKind::kImage);
  EXPECT_EQ(images->kind(), SourceKind::kImage);
  std::optional<SourceInput> input = images->Read(path, 4);
  ASSERT_TRUE(input.has_value());
  EXPECT_EQ(input->file, path);
  EXPECT_FALSE(input->values.defined());
  EXPECT_THAT(images->Subwords(*input), IsEmpty());
  const absl::Status status = images->Load(*input);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(input->values.shape, ElementsAre(3, 8, 8));
}

TEST_F(SourceTest, FeaturesAreLoadedAsTheyAreStored) {
  const auto features = MakeImages({}, /*features=*/true);
  std::optional<SourceInput> input = features->Read(folder_.Write("a.npy", FeatureFile(5)), 4);
  ASSERT_TRUE(input.has_value());
  const absl::Status status = features->Load(*input);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(input->values.shape, ElementsAre(2, 3));
  for (int i = 0; i < 6; ++i) EXPECT_EQ(input->values.values<float>()[i], static_cast<float>(i));
  // What is loaded stays.
  folder_.Write("a.npy", FeatureFile(6));
  ASSERT_TRUE(features->Load(*input).ok());
  EXPECT_EQ(input->values.values<float>()[5], 5);
}

TEST_F(SourceTest, FilesThatCannotBeLoadedAreNamed) {
#if !SEQ2SEQ_IMAGES
  GTEST_SKIP() << "built without images";
#endif
  for (const bool features : {false, true}) {
    SourceInput missing = {.file = folder_ / "none"};
    const absl::Status status = MakeImages({}, features)->Load(missing);
    EXPECT_TRUE(absl::IsNotFound(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(folder_ / "none"));
    EXPECT_FALSE(missing.values.defined());
  }
  SourceInput large = {.file = folder_.Write("a.npy", FeatureFile(5))};
  EXPECT_THAT(std::string(MakeImages({}, true, 5)->Load(large).message()),
              HasSubstr("at most 5 numbers are read"));
}

TEST_F(SourceTest, FingerprintsAreEqualWhereTheSameLinesCanBeRead) {
  const auto text = [&](const Tokenizer& tokenizer) { return MakeSource({}, tokenizer, target_); };
  EXPECT_EQ(text(source_)->Fingerprint(), Make(SourceKind::kText)->Fingerprint());
  EXPECT_NE(text(source_)->Fingerprint(), text(target_)->Fingerprint());
  EXPECT_EQ(text(source_)->Requirement(), "source tokenizer");

  EXPECT_EQ(MakeImages({}, false)->Fingerprint(), MakeImages({}, false, 99)->Fingerprint());
  EXPECT_EQ(MakeImages({}, false)->Requirement(), "model.image.input");
  const std::set<uint64_t> different = {
      MakeImages({}, false)->Fingerprint(),
      MakeImages({}, true)->Fingerprint(),
      MakeImages({.size = 22, .resize = 40}, false)->Fingerprint(),
      MakeImages({.size = 2, .resize = 240}, false)->Fingerprint(),
      MakeImages({.mean = {0, 0, 0}}, false)->Fingerprint(),
      MakeImages({.deviation = {1, 1, 1}}, false)->Fingerprint()};
  EXPECT_THAT(different, SizeIs(6));

  const auto none = MakeSource({.kind = SourceKind::kNone}, std::nullopt, source_);
  EXPECT_EQ(none->Fingerprint(), Make(SourceKind::kNone)->Fingerprint());
  EXPECT_EQ(none->Requirement(), "");
}

}  // namespace
}  // namespace seq2seq
