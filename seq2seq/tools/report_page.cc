#include "seq2seq/tools/report_page.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace seq2seq {

// The files of report_page/, in a file that is made of them when the build is configured.
extern const absl::string_view kPageHtml;
extern const absl::string_view kPageCss;
extern const absl::string_view kRunsHtml;
extern const absl::string_view kRunsJs;
extern const absl::string_view kSweepHtml;
extern const absl::string_view kSweepJs;
extern const absl::string_view kElementsJs;

std::string ReportData(const nlohmann::ordered_json& data) {
  return data.dump(-1, ' ', /*ensure_ascii=*/false,
                   nlohmann::ordered_json::error_handler_t::replace);
}

std::string ReportPage(const nlohmann::ordered_json& data) {
  const bool sweep = data.contains("sweep");
  const std::string script = absl::StrCat(kElementsJs, "\n", sweep ? kSweepJs : kRunsJs);
  // No text of the data can end the script that holds it.
  const std::string json = absl::StrReplaceAll(ReportData(data), {{"<", "\\u003c"}});
  return absl::StrReplaceAll(kPageHtml, {{"{{style}}", kPageCss},
                                         {"{{body}}", sweep ? kSweepHtml : kRunsHtml},
                                         {"{{script}}", script},
                                         {"{{data}}", json}});
}

}  // namespace seq2seq
