// Macro-averaged F1 of labels (Manning et al. 2008, "Introduction to Information Retrieval",
// section 13.6): the mean over the labels of the harmonic mean of precision and recall.
//
// Rare labels count as much as frequent ones, unlike in the accuracy, which a classifier that
// always gives the most frequent label may score well in.
#ifndef SEQ2SEQ_METRICS_F1_H_
#define SEQ2SEQ_METRICS_F1_H_

#include <memory>

#include "seq2seq/metrics/corpus_metric.h"

namespace seq2seq {

// A line is a label, apart from spaces around it. The mean is over the labels of the references; a
// hypothesis that is none of them counts against the recall of the right one alone. With several
// references a line is right if it equals one of them, and the first counts if not. Of a row, the
// counts are, for each label, whether the line was right, was so labelled, and should have been.
std::unique_ptr<const CorpusMetric> MakeF1(bool lowercase = false);

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_F1_H_
