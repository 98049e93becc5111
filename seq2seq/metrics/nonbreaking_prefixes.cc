#include "seq2seq/metrics/nonbreaking_prefixes.h"

#include <algorithm>
#include <initializer_list>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

#include "seq2seq/metrics/unicode.h"

namespace seq2seq {
namespace {

// The lists of Moses, less what can make no difference: prefixes with a period, which keep theirs
// anyway, and those with a space or a slash, which are several tokens.
constexpr absl::string_view kCapitals = "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z";
constexpr absl::string_view kSmallLetters = "a b c d e f g h i j k l m n o p q r s t u v w x y z";
constexpr absl::string_view kSmallLettersButA =
    kSmallLetters.substr(2);  // "Il y en a. Mais": a word.
constexpr absl::string_view kRomanNumerals =
    "I II III IV V VI VII VIII IX X XI XII XIII XIV XV XVI XVII XVIII XIX XX i ii iii iv v vi "
    "vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx";
constexpr absl::string_view kCzech =
    "Bc BcA CSc DiS Dr DrSc Ing JUDr MUDr MVDr MgA Mgr PaedDr PhDr PhMr PharmDr RNDr RSDr ThDr "
    "ThLic abl absol abt ad adj adv aj ak akt alch amer anat angl anglosas anon ap apod arab "
    "arch archit arg astr astrol atd atp att aut bd belg bibl biogr biol boh bot br bulh bás cca "
    "chcsl chem cit cizojaz col csl círk dat dep dial dl doc dol dop dopr dosl dór děj dět ed "
    "ekon epic etnonym eufem ev event f facs fam fasc fem fil film fol form fot fr franc fut fyz "
    "gen geogr geol geom germ gram hebr herald hist hl hod hor horn hovor hrsg hud hut ibid ie "
    "il imp impf ind indoevr inf instr interj iron it ión jap jhdt jv kanad katalán kl klas kniž "
    "koed kol komp konj konkr korej kr krit kuch kř lat les lid lit liturg log lok lék m mat maď "
    "meteor metr mj ml mld mod mp ms mysl n např neklas nepubl nesklon než no nom nprap nr náb "
    "námoř násl něm ob obch obr obyč odd odp ojed okr opr opt orig p part pas pejor pers pf phil "
    "pl plpf pokrač pol pomn popř port pozn prep prof práv pseud pt předl přel přeprac přivl "
    "příl r rcsl red refl reg repr resp revid rkp roz rozš roč rum rus s samohl samost sect sest "
    "seš sg sign sl slang slov souhl spec sport srov srv st stfr stol stsl střv subj subst "
    "superl sv sz tab tech telev teol tis tj trans typogr tzn tzv táz tř univ uspoř var vedl "
    "verb voj vok vol vs vulg vyd vyobr vztaž výtv vč vůb zahr zal zast zejm zeměd zkr zprac zvl "
    "zájm zř č čas čes čj čp čín ř řec šk špan švýc";
constexpr absl::string_view kGerman =
    "Adj Adm Adv Art Asst BSE Bart Bldg Brig Bros Buchst Ca Capt Chr Cmdr Co Col Comdr Con Corp "
    "Cpl DR Dkr Dr Ens Gen Gov Hon Hosp Insp Lt Ltd MM MR MRS MS Maj Messrs Mio Mlle Mme Mr Mrd "
    "Mrs Ms Msgr MwSt No Nos Nr Op Ord Pfc Ph Prof Pvt Rep Reps Res Rev Rt SA Sen Sens Sfc Sgt "
    "Sr St Std Supt Surg Zt bzgl bzw ca dergl dgl etc evtl ff ggf jun pp sen sog sogen spp usf "
    "usw vgl vs zzt";
constexpr absl::string_view kEnglish =
    "Adj Adm Adv Apr Asst Aug Bart Bldg Brig Bros Capt Cmdr Col Comdr Con Corp Cpl DR Dec Dr Drs "
    "Ens Feb Gen Gov Hon Hosp Hr Insp Jan Jul Jun Lt MM MR MRS MS Maj Mar Messrs Mlle Mme Mr Mrs "
    "Ms Msgr Nos Nov Nr Oct Op Ord Pfc Ph Prof Pvt Rep Reps Res Rev Rs Rt Sen Sens Sep Sfc Sgt "
    "Sr St Supt Surg rev v vs";
constexpr absl::string_view kEnglishBeforeNumbers = "No Art pp";
constexpr absl::string_view kFrench =
    "MM SS al ann apr art auj av boul ca cf chap contr dir env etc ex fasc fig fr fém hab ibid "
    "id inf lib masc ms pl pp sec sect sing sq sqq suiv sup suppl tél vb vol vs éd";

using Prefixes = absl::flat_hash_set<absl::string_view>;

Prefixes* Collect(std::initializer_list<absl::string_view> lists) {
  auto* prefixes = new Prefixes;
  for (const absl::string_view list : lists) {
    for (const absl::string_view prefix : absl::StrSplit(list, ' ')) prefixes->insert(prefix);
  }
  return prefixes;
}

const Prefixes& PrefixesOf(MosesLanguage language) {
  static const Prefixes* const kOfCzech = Collect({kCzech});
  static const Prefixes* const kOfGerman =
      Collect({kCapitals, kSmallLetters, kRomanNumerals, kGerman});
  static const Prefixes* const kOfEnglish = Collect({kCapitals, kEnglish});
  static const Prefixes* const kOfFrench = Collect({kCapitals, kSmallLettersButA, kFrench});
  switch (language) {
    case MosesLanguage::kCzech:
      return *kOfCzech;
    case MosesLanguage::kGerman:
      return *kOfGerman;
    case MosesLanguage::kEnglish:
      return *kOfEnglish;
    case MosesLanguage::kFrench:
      return *kOfFrench;
  }
  return *kOfEnglish;
}

// "1" to "99".
bool IsOrdinal(absl::string_view word) {
  return !word.empty() && word.size() <= 2 && word.front() != '0' &&
         std::all_of(word.begin(), word.end(), absl::ascii_isdigit);
}

}  // namespace

bool IsNonBreakingPrefix(std::u32string_view word, bool digit_follows, MosesLanguage language) {
  const std::string prefix = EncodeUtf8(word);
  if (PrefixesOf(language).contains(prefix)) return true;
  if (language == MosesLanguage::kGerman) return IsOrdinal(prefix);
  static const Prefixes* const kBeforeNumbers = Collect({kEnglishBeforeNumbers});
  return language == MosesLanguage::kEnglish && digit_follows && kBeforeNumbers->contains(prefix);
}

}  // namespace seq2seq
