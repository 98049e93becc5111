// The expected tokens are those of the Perl scripts.
#include "seq2seq/metrics/moses_tokenizer.h"

#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include <gtest/gtest.h>

#include "seq2seq/metrics/nonbreaking_prefixes.h"
#include "seq2seq/metrics/segments.h"

namespace seq2seq {
namespace {

std::string Tokens(const std::string& line, MosesLanguage language,
                   Tokenization tokenization = Tokenization::kMoses, bool lowercase = false) {
  return absl::StrJoin(Tokenize(line, tokenization, lowercase, language), " ");
}

std::string Czech(const std::string& line) { return Tokens(line, MosesLanguage::kCzech); }
std::string German(const std::string& line) { return Tokens(line, MosesLanguage::kGerman); }
std::string English(const std::string& line) { return Tokens(line, MosesLanguage::kEnglish); }
std::string French(const std::string& line) { return Tokens(line, MosesLanguage::kFrench); }

std::string Normalized(const std::string& line, MosesLanguage language) {
  return Tokens(line, language, Tokenization::kMosesNorm);
}

TEST(MosesTokenizer, SymbolsStandAlone) {
  EXPECT_EQ(English("He said: \"Wait (a moment)!\""), "He said : \" Wait ( a moment ) ! \"");
  EXPECT_EQ(English("Tom & Ann sell <b>100%</b> [new] a|b goods @ $5/kg."),
            "Tom & Ann sell < b > 100 % < / b > [ new ] a | b goods @ $ 5 / kg .");
  EXPECT_EQ(German("Sie heißt „Anna“ – so, so…"), "Sie heißt „ Anna “ – so , so …");
}

TEST(MosesTokenizer, HyphensAndGraveAccentsStay) {
  EXPECT_EQ(English("a well-known twenty-one-year-old `quote` -- -"),
            "a well-known twenty-one-year-old `quote` -- -");
}

TEST(MosesTokenizer, LettersAndDigitsAreThoseOfUnicode) {
  EXPECT_EQ(English("½ m² €5"), "½ m ² € 5");  // No letter and no decimal digit.
  EXPECT_EQ(English("e\u0301te\u0301 Ⅲ ٣"), "e \u0301 te \u0301 Ⅲ ٣");
}

TEST(MosesTokenizer, SpacesAndControlCharacters) {
  EXPECT_EQ(English(" tab\there\u00A0and \u3000 wide \x01\x1C control"),
            "tab here and wide control");
  EXPECT_EQ(English("a\x1C"
                    "b\x01"
                    "c"),
            "abc");
  EXPECT_EQ(English(""), "");
  EXPECT_EQ(English(" \t\u2003"), "");
}

TEST(MosesTokenizer, CommasStayBetweenNumbersOnly) {
  EXPECT_EQ(English("3,000.5 km, 5,a and b,6, 1990,"), "3,000.5 km , 5 , a and b , 6 , 1990 ,");
  // Matches do not overlap: of two commas the first one uses the second up.
  EXPECT_EQ(English("one,two,three,,four,,5"), "one , two , three , , four , ,5");
  EXPECT_EQ(German("Er kostet 3,50 Euro (2,5 Mio. Euro im Jahr)."),
            "Er kostet 3,50 Euro ( 2,5 Mio. Euro im Jahr ) .");
}

TEST(MosesTokenizer, EnglishApostrophesBelongToWhatFollows) {
  EXPECT_EQ(English("It isn't the dogs' bone, but Ann's."),
            "It isn 't the dogs ' bone , but Ann 's .");
  EXPECT_EQ(English("The 90's and 5'10 and o'clock."), "The 90 's and 5 ' 10 and o 'clock .");
  EXPECT_EQ(English("'Hello' he said, rock 'n' roll"), "'Hello ' he said , rock ' n ' roll");
  EXPECT_EQ(English("She left 'at once.'"), "She left ' at once . '");
}

TEST(MosesTokenizer, FrenchApostrophesBelongToWhatPrecedes) {
  EXPECT_EQ(French("L'homme d'aujourd'hui n'a qu'une idée."),
            "L' homme d' aujourd' hui n' a qu' une idée .");
  EXPECT_EQ(French("Les années 1990's, c'est l'\"été\", jusqu' ici"),
            "Les années 1990 ' s , c' est l ' \" été \" , jusqu ' ici");
  EXPECT_EQ(French("Il dit 'oui.'"), "Il dit ' oui . '");
}

TEST(MosesTokenizer, OtherApostrophesStandAlone) {
  EXPECT_EQ(German("Wie geht's? Hans' Hund, der 'Alte', ist's."),
            "Wie geht ' s ? Hans ' Hund , der ' Alte ' , ist ' s .");
  EXPECT_EQ(Czech("Řekl: 'Ano', d'Artagnan."), "Řekl : ' Ano ' , d ' Artagnan .");
}

TEST(MosesTokenizer, SeveralPeriodsAreOneToken) {
  EXPECT_EQ(English("Wait... no.. yes ....end"), "Wait ... no .. yes .... end");
  EXPECT_EQ(English("Never...'"), "Never ... '");
}

TEST(MosesTokenizer, APeriodStaysWithinAWordThatContainsOne) {
  EXPECT_EQ(English("The U.S. army left the U.S."), "The U.S. army left the U.S .");
  EXPECT_EQ(English("At 5 p.m. Monday Version 1.2. Next"), "At 5 p.m. Monday Version 1.2 . Next");
  EXPECT_EQ(English("."), ".");
}

TEST(MosesTokenizer, APeriodStaysBeforeLowerCase) {
  EXPECT_EQ(English("He paid approx. two pounds. Then he left."),
            "He paid approx. two pounds . Then he left .");
  EXPECT_EQ(German("Etwa 300. österreichische Ausgabe. Übrigens"),
            "Etwa 300. österreichische Ausgabe . Übrigens");
}

TEST(MosesTokenizer, APeriodStaysBehindNonBreakingPrefixes) {
  EXPECT_EQ(English("Dr. Smith met Mr. Jones on Main St. Then they left."),
            "Dr. Smith met Mr. Jones on Main St. Then they left .");
  EXPECT_EQ(English("See No. 5 and pp. 7 but No. Never, e.g. Here."),
            "See No. 5 and pp. 7 but No . Never , e.g. Here .");
  EXPECT_EQ(German("Dr. Weiß fährt am 3. Mai nach Bad Ischl, ca. 12. Ankunft."),
            "Dr. Weiß fährt am 3. Mai nach Bad Ischl , ca. 12. Ankunft .");
  EXPECT_EQ(German("Heinrich VIII. Tudor und A. Huber wohnen in Nr. 100. Das stimmt."),
            "Heinrich VIII. Tudor und A. Huber wohnen in Nr. 100 . Das stimmt .");
  EXPECT_EQ(French("M. Dupont arrive av. Foch. Il y en a. Mais où?"),
            "M. Dupont arrive av. Foch . Il y en a . Mais où ?");
  EXPECT_EQ(Czech("Ing. Novák a J. Dvořák žijí na ul. Dlouhé, tj. Praha."),
            "Ing. Novák a J . Dvořák žijí na ul . Dlouhé , tj. Praha .");
  EXPECT_EQ(Czech("Přišel např. Karel. Je to tzv. Zlatá ulička č. 22. Konec."),
            "Přišel např. Karel . Je to tzv. Zlatá ulička č. 22 . Konec .");
  EXPECT_EQ(German("Ein Satz endet mit ca."), "Ein Satz endet mit ca .");
}

TEST(MosesTokenizer, LowerCaseComesLast) {
  EXPECT_EQ(Tokens("Das ÄRGERT. Über Dr. Ö.", MosesLanguage::kGerman, Tokenization::kMoses,
                   /*lowercase=*/true),
            "das ärgert . über dr. ö .");
}

TEST(MosesTokenizer, BytesThatAreNotUtf8StandAlone) { EXPECT_EQ(English("a\xFF."), "a \xFF ."); }

TEST(NonBreakingPrefixes, EnglishHasSomeBeforeDigitsOnly) {
  const auto english = [](std::u32string_view word, bool digit_follows) {
    return IsNonBreakingPrefix(word, digit_follows, MosesLanguage::kEnglish);
  };
  EXPECT_TRUE(english(U"Dr", false));
  EXPECT_TRUE(english(U"v", false));
  EXPECT_FALSE(english(U"dr", false));
  EXPECT_TRUE(english(U"Art", true));
  EXPECT_FALSE(english(U"Art", false));
  EXPECT_FALSE(english(U"3", true));
}

TEST(NonBreakingPrefixes, GermanOrdinalsEndAt99) {
  const auto german = [](std::u32string_view word) {
    return IsNonBreakingPrefix(word, false, MosesLanguage::kGerman);
  };
  for (const char32_t* const ordinal : {U"1", U"10", U"99", U"xx"}) EXPECT_TRUE(german(ordinal));
  for (const char32_t* const word : {U"0", U"01", U"100", U"1a", U"XXI", U""}) {
    EXPECT_FALSE(german(word));
  }
}

TEST(NormalizePunctuation, QuotationMarksAndDashes) {
  EXPECT_EQ(Normalized("He said “yes”, and ‘no’. It’s «true» — or``so''.", MosesLanguage::kEnglish),
            "He said \" yes , \" and \" no . \" It 's \" true \" - or \" so \" .");
  EXPECT_EQ(Normalized("Er sagt: „Komm.“ Sie sagt: „Nein,“ und geht – 10\u00A0000 Schritte.",
                       MosesLanguage::kGerman),
            "Er sagt : \" Komm \" . Sie sagt : \" Nein \" , und geht - 10,000 Schritte .");
  EXPECT_EQ(Normalized("Das ist „unser Haus.“", MosesLanguage::kGerman),
            "Das ist \" unser Haus \" .");
  EXPECT_EQ(Normalized("\"eins.\" \"zwei..\" .\"<b> .\" <i>", MosesLanguage::kGerman),
            "\" eins \" . \" zwei \" .. . \" < b > \" . < i >");
  EXPECT_EQ(Normalized("„Ano,“ řekl ‚on‘. 1\u00A0000 %", MosesLanguage::kCzech),
            "\" Ano , \" řekl \" on \" . 1,000 %");
  // The script looks for letters of ASCII around an apostrophe.
  EXPECT_EQ(Normalized("l’été, d’abord", MosesLanguage::kFrench), "l \" été , d' abord");
}

TEST(NormalizePunctuation, Spaces) {
  EXPECT_EQ(
      Normalized("( a ) , b(c)d ; 5 % : 10\u00A0000\u00A0000 \u00A0!", MosesLanguage::kEnglish),
      "( a ) , b ( c ) d ; 5 % : 10.000.000 !");
  EXPECT_EQ(Normalized("nº\u00A05 at 20\u00A0ºC, 5\u00A0cm… ‚´x´´‘", MosesLanguage::kEnglish),
            "nº 5 at 20 ºC , 5 cm ... \" ' x \" \"");
  EXPECT_EQ(Normalized("Il dit\u00A0: «\u00A0Viens.\u00A0» Ah\u00A0! vraiment\u00A0? oui\u00A0;",
                       MosesLanguage::kFrench),
            "Il dit : \" Viens \" . Ah ! vraiment ? oui ;");
}

}  // namespace
}  // namespace seq2seq
