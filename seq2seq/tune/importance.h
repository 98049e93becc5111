// Importance of the parameters of a sweep.
#ifndef SEQ2SEQ_TUNE_IMPORTANCE_H_
#define SEQ2SEQ_TUNE_IMPORTANCE_H_

#include <vector>

#include "absl/types/span.h"

#include "seq2seq/tune/search_space.h"

namespace seq2seq {

// For each parameter, the share of the variance of `scores`, one for each of `points`, that it
// alone predicts, 0 to 1: each score is compared with the mean of the others, weighted by how near
// their values of the parameter are (Nadaraya-Watson regression with normal kernels of a tenth of
// the range; of categories, equal ones), which is R^2 of leaving one out. Parameters that have an
// effect only together, or were not varied, get 0. Quadratic in the number of points.
std::vector<double> Importance(const SearchSpace& space, absl::Span<const Point> points,
                               absl::Span<const double> scores);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TUNE_IMPORTANCE_H_
