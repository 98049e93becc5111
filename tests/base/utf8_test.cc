#include "seq2seq/base/utf8.h"

#include <string>

#include "gtest/gtest.h"

namespace seq2seq {
namespace {

TEST(Utf8, WellFormedTextIsValid) {
  for (const char* text :
       {"", "Hund", "Straße", "犬", "𝄞", "\u0001", "\uFFFD", "\uFFFF", "\U0010FFFF"}) {
    EXPECT_TRUE(IsValidUtf8(text)) << text;
    EXPECT_EQ(RepairUtf8(text), text);
  }
  EXPECT_TRUE(IsValidUtf8(std::string("a\0b", 3)));
}

TEST(Utf8, IllFormedTextIsInvalid) {
  EXPECT_FALSE(IsValidUtf8("\xff"));
  EXPECT_FALSE(IsValidUtf8("a\x80"));             // A continuation by itself.
  EXPECT_FALSE(IsValidUtf8("\xc3"));              // The end of the text within a sequence.
  EXPECT_FALSE(IsValidUtf8("\xe7\x8a"));          //
  EXPECT_FALSE(IsValidUtf8("\xc0\xaf"));          // Longer than needed.
  EXPECT_FALSE(IsValidUtf8("\xe0\x80\xaf"));      //
  EXPECT_FALSE(IsValidUtf8("\xed\xa0\x80"));      // A surrogate.
  EXPECT_FALSE(IsValidUtf8("\xf4\x90\x80\x80"));  // Above U+10FFFF.
  EXPECT_FALSE(
      IsValidUtf8("stra\xdf"
                  "e"));  // Latin-1.
}

TEST(Utf8, RepairReplacesEachBadByteAndKeepsTheRest) {
  EXPECT_EQ(RepairUtf8("stra\xdf"
                       "e"),
            "stra\uFFFDe");
  EXPECT_EQ(RepairUtf8("\xff\xfe"), "\uFFFD\uFFFD");
  EXPECT_EQ(RepairUtf8("ß\xe7\x8a"), "ß\uFFFD\uFFFD");
  EXPECT_EQ(RepairUtf8("\xe7\x8aß"), "\uFFFD\uFFFDß");
}

TEST(Utf8, BlankTextHasNothingToRead) {
  for (const char* text : {"", " \t", "\u3000\u00a0", "\u2028\u200b\ufeff", "\x01\u0085"})
    EXPECT_TRUE(IsBlank(text)) << text;
  for (const char* text : {"a", " 犬 ", "\u3000.", "\u0301", "\U0001F600"})
    EXPECT_FALSE(IsBlank(text)) << text;
}

TEST(Utf8, PrintableTextHoldsNoControls) {
  EXPECT_EQ(Printable("Straße 犬"), "Straße 犬");
  EXPECT_EQ(Printable(std::string("a\x1b[2Jb\n\0\x7f\u009b\xff", 12)),
            "a\\x1b[2Jb\\x0a\\x00\\x7f\\x9b\uFFFD");
  EXPECT_EQ(Printable("a\tb\nc\rd", "\n\t"), "a\tb\nc\\x0dd");
}

TEST(Utf8, RepairedTextIsValid) {
  std::string text;
  for (int first = 0; first < 256; ++first) {
    for (const int second : {0x00, 0x41, 0x80, 0xbf, 0xc3, 0xed, 0xff}) {
      text += static_cast<char>(first);
      text += static_cast<char>(second);
    }
  }
  EXPECT_FALSE(IsValidUtf8(text));
  EXPECT_TRUE(IsValidUtf8(RepairUtf8(text)));
}

}  // namespace
}  // namespace seq2seq
