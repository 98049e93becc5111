// The processor of this machine.
#ifndef SEQ2SEQ_BASE_PROCESSOR_H_
#define SEQ2SEQ_BASE_PROCESSOR_H_

#include <string>

namespace seq2seq {

// Its name, as the system gives it: "AMD EPYC 9654". "unknown processor" where it gives none.
std::string ProcessorName();

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_PROCESSOR_H_
