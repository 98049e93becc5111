#include "seq2seq/tools/report_page.h"

#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace seq2seq {

// The files of report_page/, in a file that is made of them when the build is configured.
extern const absl::string_view kPageHtml;
extern const absl::string_view kPageCss;
extern const absl::string_view kPageJs;

std::string ReportData(const nlohmann::ordered_json& data) {
  return data.dump(-1, ' ', /*ensure_ascii=*/false,
                   nlohmann::ordered_json::error_handler_t::replace);
}

std::string ReportPage(const nlohmann::ordered_json& data) {
  // No text of the data can end the script that holds it.
  const std::string json = absl::StrReplaceAll(ReportData(data), {{"<", "\\u003c"}});
  return absl::StrReplaceAll(
      kPageHtml, {{"{{style}}", kPageCss}, {"{{script}}", kPageJs}, {"{{data}}", json}});
}

}  // namespace seq2seq
