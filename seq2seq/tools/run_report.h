// What a training run has left in its folder, as JSON for a page: curves, outputs, configuration.
#ifndef SEQ2SEQ_TOOLS_RUN_REPORT_H_
#define SEQ2SEQ_TOOLS_RUN_REPORT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include <nlohmann/json.hpp>

namespace seq2seq {

// The report of the run folder `path`, which may be in training:
//
//   name                   `path`
//   facts                  what is known of the last start, as "processor", "threads"; "seconds"
//   and
//                          "updates" of training, "parameters"
//   best                   {"metric", "update"} of the best checkpoint, or null
//   progress, validation   a column for each number of these events of log.jsonl, null where an
//                          event lacks it; also "tokens", target tokens so far, and "epoch"
//   norms                  of modules, by train.log_norms, or null: {"update": [], "modules": [],
//                          "gradient": [module][update], "weight", "saturated"}
//   samples                [{"update", "lines": [{"source", "reference", "output", "attention"}]}]
//   config                 {key: value} of config.yaml
//   parameters             [{"name", "shape", "count"}] of the last checkpoint
//   lower_is_better        metrics
//
// Lines of the log that are no events, as the last one while it is written, are passed over.
// NotFound, naming the path, if it is not a run folder; errors of reading config.yaml.
absl::StatusOr<nlohmann::ordered_json> ReadRunReport(const std::string& path);

// Reports of several runs, or that of one sweep, with a title and the time of day: what the page
// expects. `live` pages ask for the data again while they are open. InvalidArgument, naming the
// folder, for a sweep among several folders.
absl::StatusOr<nlohmann::ordered_json> ReadReports(const std::vector<std::string>& paths,
                                                   bool live);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_RUN_REPORT_H_
