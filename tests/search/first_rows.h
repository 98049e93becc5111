// The rows of the first time step of a search.
#ifndef TESTS_SEARCH_FIRST_ROWS_H_
#define TESTS_SEARCH_FIRST_ROWS_H_

#include <cstdint>
#include <vector>

#include "seq2seq/kernels/extension.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

// One for each of `batch` sentences.
inline std::vector<Extension> FirstRows(int64_t batch) {
  std::vector<Extension> rows;
  for (int64_t s = 0; s < batch; ++s) rows.push_back({s, s, kBosId});
  return rows;
}

}  // namespace seq2seq

#endif  // TESTS_SEARCH_FIRST_ROWS_H_
