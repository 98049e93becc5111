#include "seq2seq/base/options.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/testing/temporary_folder.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

enum class Kind { kLstm, kGru };
std::vector<std::string> EnumTexts(Kind) { return {"lstm", "gru"}; }

struct CellOptions {
  int64_t hidden = 512;
  Kind kind = Kind::kLstm;

  template <typename V>
  void Visit(V&& visit) {
    visit("hidden", hidden, "Size of the state.");
    visit("kind", kind, "The recurrent formula.");
  }
};

struct ModelOptions {
  CellOptions cell;
  double dropout = 0.2;

  template <typename V>
  void Visit(V&& visit) {
    visit("cell", cell);
    visit("dropout", dropout, "Rate.");
  }
};

struct Options {
  std::string name = "run";
  ModelOptions model;
  bool verbose = false;
  std::vector<std::string> files;

  template <typename V>
  void Visit(V&& visit) {
    visit("name", name, "What it is called.");
    visit("model", model);
    visit("verbose", verbose);
    visit("files", files, "Text: one or two # of them.");
  }
};

// The outcome of reading `yaml` from the file "config.yaml" into `options`.
absl::Status Read(const std::string& yaml, Options& options,
                  OtherSections others = OtherSections::kRefused) {
  TemporaryFolder folder;
  return ReadOptions(folder.Write("config.yaml", yaml), ListOptions(options), others);
}

// The message of the error that reading `yaml` must give.
std::string ReadError(const std::string& yaml) {
  Options options;
  const absl::Status status = Read(yaml, options);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  return std::string(status.message());
}

absl::Status Set(const std::string& assignment, Options& options) {
  return SetOption(assignment, ListOptions(options));
}

std::string SetError(const std::string& assignment) {
  Options options;
  const absl::Status status = Set(assignment, options);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  return std::string(status.message());
}

TEST(Options, ListsKeysInTheOrderOfVisit) {
  Options options;
  std::vector<std::string> keys;
  for (const Option& option : ListOptions(options)) keys.push_back(option.key);
  EXPECT_THAT(keys, ElementsAre("name", "model.cell.hidden", "model.cell.kind", "model.dropout",
                                "verbose", "files"));
}

TEST(Options, ReadsEveryTypeAndKeepsWhatTheFileDoesNotName) {
  Options options;
  const absl::Status status = Read(
      "model:\n"
      "  cell: {kind: gru, hidden: 64}\n"
      "verbose: true\n"
      "files:\n"
      "  - a.en\n"
      "  - a.de\n",
      options);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(options.name, "run");
  EXPECT_EQ(options.model.cell.kind, Kind::kGru);
  EXPECT_EQ(options.model.cell.hidden, 64);
  EXPECT_EQ(options.model.dropout, 0.2);
  EXPECT_TRUE(options.verbose);
  EXPECT_THAT(options.files, ElementsAre("a.en", "a.de"));
}

TEST(Options, PrintedOptionsReadBackEqual) {
  Options options;
  options.name = "a run";
  options.model.cell = {std::numeric_limits<int64_t>::min(), Kind::kGru};
  options.model.dropout = 0.35;
  options.verbose = true;
  options.files = {"a.en", "b: c", "", "x,y", "[z]", "#"};
  Options again;
  const std::string yaml = PrintOptions(ListOptions(options));
  const absl::Status status = Read(yaml, again);
  ASSERT_TRUE(status.ok()) << status << "\n" << yaml;
  EXPECT_EQ(again.name, options.name);
  EXPECT_EQ(again.model.cell.hidden, options.model.cell.hidden);
  EXPECT_EQ(again.model.cell.kind, Kind::kGru);
  EXPECT_EQ(again.model.dropout, 0.35);
  EXPECT_TRUE(again.verbose);
  EXPECT_EQ(again.files, options.files);
}

TEST(Options, PrintedTextsReadBackExactly) {
  const std::vector<std::string> texts = {
      "",     "true",  "null", "~",    "12",      "0x1f",   "#x",     "a #b", "a: b",
      "a:",   "- a",   "-",    "?",    "[a]",     "{a",     "'a'",    "\"",   "a\\b",
      " a ",  "a\nb",  "\n",   "\t",   "%a",      "@a",     "`a",     "&a",   "*a",
      "!a",   "|",     ">",    "a,b",  "---",     "...",    "Straße", "𝄞",    "=",
      "a\rb", "C:\\x", "yes",  "\x01", "\uFEFFa", "\u2028", "\u0085", "a=b",  "<<"};
  for (const std::string& text : texts) {
    Options options;
    options.name = text;
    options.files = {text, "end"};
    Options again;
    const std::string yaml = PrintOptions(ListOptions(options));
    const absl::Status status = Read(yaml, again);
    EXPECT_TRUE(status.ok()) << status << "\n" << yaml;
    EXPECT_EQ(again.name, text);
    EXPECT_THAT(again.files, ElementsAre(text, "end"));
  }
}

TEST(Options, PrintedNumbersReadBackExactly) {
  using Limits = std::numeric_limits<double>;
  for (const double number : {0.1, 1.0 / 3, 1e-5, 1e22, -2.5e-300, 5.0, Limits::denorm_min(),
                              Limits::max(), Limits::lowest()}) {
    Options options;
    options.model.dropout = number;
    Options again;
    const absl::Status status = Read(PrintOptions(ListOptions(options)), again);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(again.model.dropout, number);
  }
}

TEST(Options, NumbersAreFinite) {
  for (const char* text : {"inf", "-inf", "nan", "1e999"}) {
    Options options;
    EXPECT_TRUE(absl::IsInvalidArgument(
        SetOption(std::string("model.dropout=") + text, ListOptions(options))))
        << text;
  }
}

TEST(Options, PrintsHelpAsComments) {
  Options options;
  EXPECT_THAT(PrintOptions(ListOptions(options)), HasSubstr("# Size of the state."));
}

TEST(Options, DescribesKeyTypeValueAndHelp) {
  Options options;
  EXPECT_THAT(DescribeOptions(ListOptions(options)),
              AllOf(HasSubstr("model.cell.hidden = 512  (integer)\n      Size of the state.\n"),
                    HasSubstr("model.cell.kind = lstm  (lstm|gru)")));
}

TEST(Options, SetsDottedKeys) {
  Options options;
  ASSERT_TRUE(Set("model.cell.hidden=64", options).ok());
  ASSERT_TRUE(Set("model.cell.kind=gru", options).ok());
  ASSERT_TRUE(Set("model.dropout=1e-1", options).ok());
  ASSERT_TRUE(Set("verbose=true", options).ok());
  EXPECT_EQ(options.model.cell.hidden, 64);
  EXPECT_EQ(options.model.cell.kind, Kind::kGru);
  EXPECT_EQ(options.model.dropout, 0.1);
  EXPECT_TRUE(options.verbose);
}

TEST(Options, SetsLists) {
  Options options;
  ASSERT_TRUE(Set("files=[a.en,a.de]", options).ok());
  EXPECT_THAT(options.files, ElementsAre("a.en", "a.de"));
  ASSERT_TRUE(Set("files=[]", options).ok());
  EXPECT_THAT(options.files, IsEmpty());
}

TEST(Options, SetsTextsWithEqualsAndEmptyTexts) {
  Options options;
  ASSERT_TRUE(Set("name=a=b", options).ok());
  EXPECT_EQ(options.name, "a=b");
  ASSERT_TRUE(Set("name=", options).ok());
  EXPECT_EQ(options.name, "");
}

TEST(Options, OverrideWithoutEqualsIsAnError) {
  EXPECT_THAT(SetError("verbose"), AllOf(HasSubstr("key=value"), HasSubstr("'verbose'")));
}

TEST(Options, OverrideErrorsNameKeyAndValue) {
  EXPECT_THAT(SetError("model.cell.hidden=many"),
              AllOf(HasSubstr("model.cell.hidden"), HasSubstr("integer"), HasSubstr("'many'")));
  EXPECT_THAT(SetError("model.cell.hiden=3"),
              AllOf(HasSubstr("'model.cell.hiden'"), HasSubstr("'model.cell.hidden'?")));
  EXPECT_THAT(SetError("model=3"),
              AllOf(HasSubstr("model: expected keys below it"), HasSubstr("'3'")));
  EXPECT_THAT(SetError("files=[a"), HasSubstr("files"));
}

TEST(Options, UnknownKeyNamesFileLineAndKey) {
  EXPECT_THAT(ReadError("name: x\nmodel:\n  cell:\n    hiden: 3\n"),
              AllOf(HasSubstr("config.yaml:4: "), HasSubstr("'model.cell.hiden'"),
                    HasSubstr("did you mean 'model.cell.hidden'?")));
}

TEST(Options, UnknownSectionNamesFileLineAndKey) {
  EXPECT_THAT(ReadError("name: x\nmodle:\n  cell: {hidden: 3}\n"),
              AllOf(HasSubstr("config.yaml:2: "), HasSubstr("'modle'"),
                    HasSubstr("did you mean 'model'?")));
}

TEST(Options, UnknownKeyFarFromAllOthersSuggestsNothing) {
  EXPECT_THAT(ReadError("zzzzzzzzzzzz: 1\n"),
              AllOf(HasSubstr("'zzzzzzzzzzzz'"), Not(HasSubstr("did you mean"))));
}

TEST(Options, WrongTypeNamesFileLineKeyAndValue) {
  const auto names = [](const char* place, const char* key, const char* type, const char* value) {
    return AllOf(HasSubstr(place), HasSubstr(key), HasSubstr(type), HasSubstr(value));
  };
  EXPECT_THAT(ReadError("\nmodel:\n  cell:\n    hidden: 1.5\n"),
              names("config.yaml:4: ", "model.cell.hidden", "integer", "'1.5'"));
  EXPECT_THAT(ReadError("model: {dropout: much}\n"),
              names("config.yaml:1: ", "model.dropout", "number", "'much'"));
  EXPECT_THAT(ReadError("verbose: 1\n"),
              names("config.yaml:1: ", "verbose", "true or false", "'1'"));
  EXPECT_THAT(ReadError("model: {cell: {kind: rnn}}\n"),
              names("config.yaml:1: ", "model.cell.kind", "lstm|gru", "'rnn'"));
  EXPECT_THAT(ReadError("files: {a: en}\n"),
              names("config.yaml:1: ", "files", "list", "'{a: en}'"));
  EXPECT_THAT(ReadError("name: [a, b]\n"), names("config.yaml:1: ", "name", "text", "'[a, b]'"));
  EXPECT_THAT(ReadError("files: [[a]]\n"), names("config.yaml:1: ", "files", "list", "[a]"));
  EXPECT_THAT(ReadError("model: 3\n"), names("config.yaml:1: ", "model", "keys", "'3'"));
}

TEST(Options, OneTextIsAListOfOne) {
  Options options;
  EXPECT_TRUE(Read("files: a.en\n", options).ok());
  EXPECT_THAT(options.files, ::testing::ElementsAre("a.en"));
  EXPECT_TRUE(Set("files=b.en", options).ok());
  EXPECT_THAT(options.files, ::testing::ElementsAre("b.en"));
}

TEST(Options, ErrorsAreOneLine) {
  EXPECT_THAT(ReadError("model:\n  cell:\n    hidden:\n      a: 1\n      b: 2\n"),
              AllOf(HasSubstr("config.yaml:3: "), Not(HasSubstr("\n"))));
}

TEST(Options, FilesAndMessagesAreBounded) {
  TemporaryFolder folder;
  Options options;
  const std::string path = folder.Write("config.yaml", "name: x\n#" + std::string(1 << 20, 'x'));
  const absl::Status status = ReadOptions(path, ListOptions(options));
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(path + ": has more than 1048576 bytes"));
  EXPECT_TRUE(ReadOptions(path, ListOptions(options), OtherSections::kRefused, 2 << 20).ok());
  EXPECT_LT(ReadError("model: " + std::string(1 << 19, 'x') + "\n").size(), 500u);
  EXPECT_LT(ReadError(std::string(1 << 19, 'x') + ": 1\n").size(), 500u);
}

// Each list holds the one before it ten times: 10^20 texts; and one that holds itself.
TEST(Options, AliasesDoNotMultiply) {
  std::string bomb = "a0: &a0 [x, x]\n";
  for (int i = 1; i <= 20; ++i) {
    absl::StrAppend(&bomb, "a", i, ": &a", i, " [*a", i - 1);
    for (int copy = 1; copy < 10; ++copy) absl::StrAppend(&bomb, ", *a", i - 1);
    bomb += "]\n";
  }
  Options options;
  for (const char* key : {"name: *a20", "files: *a20", "model: *a20", "model:\n  ? *a20 : 1",
                          "model:\n  ? {b: *a20} : 1"}) {
    // A section that is skipped may define them.
    const std::string yaml =
        "rest:\n  " + absl::StrReplaceAll(bomb, {{"\n", "\n  "}}) + "\n" + key + "\n";
    const absl::Status status = Read(yaml, options, OtherSections::kIgnored);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << key;
    EXPECT_LT(status.message().size(), 500u);
  }
  for (const char* yaml : {"name: &a [*a]\n", "name: &a {b: *a}\n", "? &a [*a]\n: 1\n"})
    EXPECT_LT(ReadError(yaml).size(), 500u);
}

TEST(Options, NumberOutOfRangeIsAnError) {
  EXPECT_THAT(ReadError("model: {cell: {hidden: 9223372036854775808}}\n"),
              HasSubstr("'9223372036854775808'"));
}

TEST(Options, RepeatedKeyNamesFileLineAndKey) {
  EXPECT_THAT(ReadError("name: a\nverbose: true\nname: b\n"),
              AllOf(HasSubstr("config.yaml:3: "), HasSubstr("'name'"), HasSubstr("twice")));
  EXPECT_THAT(ReadError("model: {dropout: 0}\nmodel: {dropout: 1}\n"),
              AllOf(HasSubstr("config.yaml:2: "), HasSubstr("'model'"), HasSubstr("twice")));
}

struct RenamedOptions {
  CellOptions cell;
  double learning_rate = 0.001;
  Kind kind = Kind::kLstm;

  template <typename V>
  void Visit(V&& visit) {
    visit("cell", cell);
    visit("learning_rate", learning_rate, "The highest one.", /*former=*/"rate");
    visit("kind", kind, "The recurrent formula.", /*former=*/"type");
  }
};

struct RenamedSection {
  RenamedOptions schedule;

  template <typename V>
  void Visit(V&& visit) {
    visit("schedule", schedule);
  }
};

absl::Status ReadRenamed(const std::string& yaml, RenamedSection& options) {
  TemporaryFolder folder;
  return ReadOptions(folder.Write("config.yaml", yaml), ListOptions(options));
}

TEST(Options, FormerKeysAreReadAndPresentOnesPrinted) {
  RenamedSection options;
  const absl::Status status = ReadRenamed("schedule: {rate: 0.25, type: gru}\n", options);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(options.schedule.learning_rate, 0.25);
  EXPECT_EQ(options.schedule.kind, Kind::kGru);
  ASSERT_TRUE(SetOption("schedule.rate=0.5", ListOptions(options)).ok());
  EXPECT_EQ(options.schedule.learning_rate, 0.5);
  ASSERT_TRUE(SetOption("schedule.learning_rate=0.75", ListOptions(options)).ok());
  EXPECT_EQ(options.schedule.learning_rate, 0.75);
  const std::string printed = PrintOptions(ListOptions(options));
  EXPECT_THAT(printed, AllOf(HasSubstr("  learning_rate: 0.75"), HasSubstr("  kind: gru"),
                             Not(HasSubstr("  rate:")), Not(HasSubstr("type"))));
  EXPECT_THAT(DescribeOptions(ListOptions(options)), Not(HasSubstr("schedule.rate")));
}

TEST(Options, FormerAndPresentKeyTogetherAreAnError) {
  for (const char* yaml :
       {"schedule:\n  rate: 1\n  learning_rate: 1\n", "schedule:\n  learning_rate: 1\n  rate: 1\n",
        "schedule:\n  rate: 1\n  rate: 1\n"}) {
    RenamedSection options;
    const absl::Status status = ReadRenamed(yaml, options);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(
        std::string(status.message()),
        AllOf(HasSubstr("config.yaml:3: "), HasSubstr("schedule.rate"), HasSubstr("twice")));
  }
}

TEST(Options, ErrorsOfFormerKeysNameThem) {
  RenamedSection options;
  EXPECT_THAT(std::string(ReadRenamed("schedule: {rate: much}\n", options).message()),
              AllOf(HasSubstr("schedule.rate: expected number"), HasSubstr("'much'")));
  // A former key holds in its own section only.
  EXPECT_FALSE(ReadRenamed("rate: 1\n", options).ok());
  EXPECT_FALSE(ReadRenamed("schedule: {cell: {rate: 1}}\n", options).ok());
}

TEST(Options, OtherSectionsAreIgnoredWhereAsked) {
  const std::string yaml = "train:\n  steps: 10\nname: x\nplugins: [a]\n";
  Options options;
  const absl::Status status = Read(yaml, options, OtherSections::kIgnored);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(options.name, "x");
  EXPECT_FALSE(Read(yaml, options).ok());
  // Only at the top level.
  EXPECT_FALSE(Read("model: {hiden: 3}\n", options, OtherSections::kIgnored).ok());
}

TEST(Options, LinesOfOtherSectionsAreReadUnchanged) {
  TemporaryFolder folder;
  Options options;
  const auto others = [&](const std::string& yaml) {
    return ReadOtherSections(folder.Write("config.yaml", yaml), ListOptions(options));
  };
  EXPECT_EQ(others("").value(), "");
  EXPECT_EQ(others("name: x\nmodel: {dropout: 0}\n").value(), "");
  EXPECT_EQ(others("a:\n  b: 1  # One.\n\n# Two.\nname: x\nc: [3,\n 4]").value(),
            "a:\n  b: 1  # One.\n\n# Two.\nc: [3,\n 4]\n");
  EXPECT_EQ(others("{name: x, verbose: true}\n").value(), "");
  for (const char* yaml : {"{name: x, a: 1}\n", "a: [\n", "a\n"})
    EXPECT_TRUE(absl::IsInvalidArgument(others(yaml).status())) << yaml;
}

TEST(Options, BrokenYamlNamesFileAndLine) {
  EXPECT_THAT(ReadError("name: x\nfiles: [a, b\n"), HasSubstr("config.yaml:3: "));
  EXPECT_THAT(ReadError("name: x\n\tverbose: true\n"), HasSubstr("config.yaml:2: "));
}

TEST(Options, EmptyFileAndEmptySectionSetNothing) {
  for (const char* yaml : {"", "\n", "# nothing\n", "model:\n"}) {
    Options options;
    const absl::Status status = Read(yaml, options);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(PrintOptions(ListOptions(options)), [] {
      Options defaults;
      return PrintOptions(ListOptions(defaults));
    }());
  }
}

TEST(Options, FileWithoutKeysIsAnError) {
  EXPECT_THAT(ReadError("- a\n- b\n"), HasSubstr("config.yaml"));
  EXPECT_THAT(ReadError("text"), HasSubstr("config.yaml"));
}

TEST(Options, MissingFileIsNotFoundAndNamed) {
  TemporaryFolder folder;
  Options options;
  const absl::Status status = ReadOptions(folder / "none.yaml", ListOptions(options));
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder / "none.yaml"));
}

}  // namespace
}  // namespace seq2seq
