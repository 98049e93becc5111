#include "seq2seq/inference/transformer_options.h"

#include <string>

#include "absl/strings/str_cat.h"

#include "seq2seq/base/option_rules.h"

namespace seq2seq {

absl::Status Validate(const TransformerOptions& options, int64_t hidden, absl::string_view prefix) {
  OptionRules rules;
  const auto key = [&](const char* name) { return absl::StrCat(prefix, ".transformer.", name); };
  const bool divides = options.heads >= 1 && hidden % options.heads == 0;
  rules.Expect(key("heads"), options.heads, divides,
               absl::StrCat("a divisor of ", prefix, ".hidden, ", hidden));
  const bool even = divides && hidden / options.heads % 2 == 0;
  rules.Expect(key("heads"), options.heads, even || options.positions != PositionKind::kRotary,
               absl::StrCat("heads of an even size, of ", prefix, ".hidden ", hidden,
                            ", for rotary positions"));
  rules.Expect(absl::StrCat(prefix, ".hidden"), hidden,
               hidden % 2 == 0 || options.positions != PositionKind::kSinusoidal,
               "an even number for sinusoidal positions");
  rules.ExpectSize(key("feed_forward"), options.feed_forward);
  rules.ExpectSize(key("max_positions"), options.max_positions);
  rules.ExpectShare(key("attention_dropout"), options.attention_dropout);
  rules.ExpectShare(key("activation_dropout"), options.activation_dropout);
  return rules.status();
}

}  // namespace seq2seq
