// What a sweep has left in its folder, as JSON for a page: trials, importance, best so far.
#ifndef SEQ2SEQ_TOOLS_SWEEP_REPORT_H_
#define SEQ2SEQ_TOOLS_SWEEP_REPORT_H_

#include <string>

#include "absl/status/statusor.h"
#include <nlohmann/json.hpp>

namespace seq2seq {

// Whether `path` is the folder of a sweep.
bool IsSweepFolder(const std::string& path);

// The report of a sweep, which may be in progress:
//
//   name, method, metric, seconds, budget
//   parameters   [{"key", "distribution", "min", "max"}], or "values" in the place of both
//   rungs        updates; empty without early termination
//   trials       [{"number", "state", "error", "parameters": {key: value}, "value", "update",
//                "seconds", "values": [[update, value, seconds of the sweep]]}]; state is running,
//                stopped, waiting, finished or failed; value and update are those of the log, also
//                of a trial in training
//   importance   [{"key", "share"}], of what all trials have reached, the first rung; descending
//   best         {"number", "value", "yaml", "command"}, or null
//
// Errors of reading the sweep and its trials.
absl::StatusOr<nlohmann::ordered_json> ReadSweepReport(const std::string& path);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_SWEEP_REPORT_H_
