// Translation as a C struct.
#ifndef SEQ2SEQ_C_API_C_CANDIDATE_H_
#define SEQ2SEQ_C_API_C_CANDIDATE_H_

#include <vector>

#include "seq2seq/c_api/seq2seq_c.h"
#include "seq2seq/search/candidate.h"

namespace seq2seq {

// Owns what the fields of a seq2seq_candidate point to. Stays where it is.
class CCandidate {
 public:
  explicit CCandidate(Candidate candidate);
  CCandidate(const CCandidate&) = delete;
  CCandidate& operator=(const CCandidate&) = delete;

  // Valid as long as this.
  const seq2seq_candidate& fields() const { return fields_; }

 private:
  const Candidate candidate_;
  std::vector<const char*> subwords_;
  std::vector<const char*> source_;
  std::vector<float> attention_;  // [subword + 1, source]
  seq2seq_candidate fields_ = {};
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_C_API_C_CANDIDATE_H_
