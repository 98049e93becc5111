// The pages of training runs and of a sweep, from the files in report_page/.
#ifndef SEQ2SEQ_TOOLS_REPORT_PAGE_H_
#define SEQ2SEQ_TOOLS_REPORT_PAGE_H_

#include <string>

#include <nlohmann/json.hpp>

namespace seq2seq {

// A self-contained HTML page that shows `data`, of ReadReports or, with a "sweep", of a sweep.
std::string ReportPage(const nlohmann::ordered_json& data);

// `data` as the page reads it again while it is open.
std::string ReportData(const nlohmann::ordered_json& data);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_REPORT_PAGE_H_
