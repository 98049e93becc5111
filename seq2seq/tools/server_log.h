// Log of a server: lines on stderr that cannot stop it, however many there are.
#ifndef SEQ2SEQ_TOOLS_SERVER_LOG_H_
#define SEQ2SEQ_TOOLS_SERVER_LOG_H_

namespace seq2seq {

// From now on a log message is dropped, instead of waited for, while nobody reads the pipe that
// stderr may be; and so are warnings, which requests cause, beyond ten a second. The next message
// reports how many were dropped.
void LogAsServer();

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_SERVER_LOG_H_
