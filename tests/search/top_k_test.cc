#include "seq2seq/search/top_k.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gtest/gtest.h"

#include "seq2seq/base/random.h"

namespace seq2seq {
namespace {

TEST(TopK, AgreesWithSorting) {
  for (const size_t size : {1, 5, 63, 64, 65, 130, 1000}) {
    for (const uint64_t values : {3, 1000000}) {  // Few values give many that are equal.
      std::vector<float> scores;
      std::vector<ScoredColumn> sorted;
      for (size_t i = 0; i < size; ++i) {
        const uint64_t number = DeriveSeed({size, values, i}) % values;
        scores.push_back(number % 7 == 0 ? -INFINITY : static_cast<float>(number) / 10 - 5);
        if (std::isfinite(scores[i])) sorted.push_back({scores[i], i});
      }
      std::sort(sorted.begin(), sorted.end());
      for (const size_t count : {0, 1, 2, 10, 1200}) {
        const std::vector<ScoredColumn> best = TopK(scores, count);
        ASSERT_EQ(best.size(), std::min<size_t>(count, sorted.size()));
        for (size_t i = 0; i < best.size(); ++i) {
          EXPECT_EQ(best[i].score, sorted[i].score);
          EXPECT_EQ(best[i].column, sorted[i].column);
        }
      }
    }
  }
}

}  // namespace
}  // namespace seq2seq
