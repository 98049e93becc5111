// The end of a server at SIGTERM or SIGINT.
#ifndef SEQ2SEQ_TOOLS_ENDING_H_
#define SEQ2SEQ_TOOLS_ENDING_H_

#include <csignal>
#include <functional>
#include <mutex>

namespace seq2seq {

// Stops a server at SIGTERM or SIGINT: at once while it loads, when there are no clients; later it
// finishes requests in progress, for at most `grace` seconds. A second signal stops it at once. One
// for the program, which lives until its end.
class Ending {
 public:
  // To be constructed before other threads start: they inherit the blocked signals, which a thread
  // of this class handles.
  explicit Ending(double grace);

  // From now on a signal calls `stop` first; null for none.
  void Watch(std::function<void()> stop);

  // From now on the program ends by itself, and signals are ignored.
  void Finish();

 private:
  void Wait();

  const double grace_;
  sigset_t signals_;
  std::mutex mutex_;
  std::function<void()> stop_;
  bool finished_ = false;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_ENDING_H_
