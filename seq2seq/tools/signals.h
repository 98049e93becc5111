// Requests to stop: SIGINT and SIGTERM.
#ifndef SEQ2SEQ_TOOLS_SIGNALS_H_
#define SEQ2SEQ_TOOLS_SIGNALS_H_

namespace seq2seq {

// From now on the first SIGINT or SIGTERM is a request to stop, and a second one ends the program.
void CatchStopSignals();

// Whether a stop has been requested. Any thread may ask.
bool StopRequested();

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_SIGNALS_H_
