#include "seq2seq/metrics/stemmer.h"

#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include <libstemmer.h>

namespace seq2seq {
namespace {

std::vector<absl::string_view> Languages() {
  std::vector<absl::string_view> names;
  for (const char** name = sb_stemmer_list(); *name != nullptr; ++name) names.emplace_back(*name);
  return names;
}

}  // namespace

void Stemmer::Deleter::operator()(sb_stemmer* snowball) const { sb_stemmer_delete(snowball); }

absl::StatusOr<Stemmer> Stemmer::Create(const std::string& language) {
  sb_stemmer* snowball = sb_stemmer_new(language.c_str(), "UTF_8");
  if (snowball == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(
        "no stemmer for '", language, "'; expected one of ", absl::StrJoin(Languages(), ", ")));
  }
  return Stemmer(snowball);
}

std::string Stemmer::Stem(absl::string_view word) const {
  // Snowball's lengths are int; no word is as long.
  if (word.size() > std::numeric_limits<int>::max() / 2) return std::string(word);
  const auto* stem = reinterpret_cast<const char*>(
      sb_stemmer_stem(snowball_.get(), reinterpret_cast<const sb_symbol*>(word.data()),
                      static_cast<int>(word.size())));
  if (stem == nullptr) return std::string(word);  // Out of memory.
  return std::string(stem, static_cast<size_t>(sb_stemmer_length(snowball_.get())));
}

}  // namespace seq2seq
