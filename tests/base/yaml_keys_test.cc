#include "seq2seq/base/yaml_keys.h"

#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/temporary_folder.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(YamlKeys, HaveTheNamesOfTheirSections) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("a.yaml",
                                        "model:\n  decoder:\n    hidden: 512  # Size.\n"
                                        "train: {run: x, freeze: [a, b], empty: }\nlast: []\n");
  EXPECT_THAT(
      *ReadYamlKeys(path),
      ElementsAre(Pair("model.decoder.hidden", "512"), Pair("train.run", "x"),
                  Pair("train.freeze", "[a, b]"), Pair("train.empty", ""), Pair("last", "[]")));
  EXPECT_THAT(*ReadYamlKeys(folder.Write("empty.yaml", "")), IsEmpty());
}

TEST(YamlKeys, AliasesDoNotMakeThemEndless) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("a.yaml", "a: &a\n  b: *a\n  c: [[1, [2]], *a]\n");
  const auto keys = ReadYamlKeys(path);
  if (keys.ok()) {
    EXPECT_LT(keys->size(), 100u);
  }
}

TEST(YamlKeys, MistakesNameFileAndLine) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("a.yaml", "a: 1\nb: [2\n");
  EXPECT_THAT(std::string(ReadYamlKeys(path).status().message()), HasSubstr(path + ":"));
  EXPECT_THAT(std::string(ReadYamlKeys(folder.Write("b.yaml", "[1]")).status().message()),
              HasSubstr("key: value"));
  EXPECT_FALSE(ReadYamlKeys(folder / "none").ok());
}

}  // namespace
}  // namespace seq2seq
