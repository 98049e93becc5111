// Progress of long work, such as reading a corpus, for programs that show it.
#ifndef SEQ2SEQ_BASE_TASK_H_
#define SEQ2SEQ_BASE_TASK_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

namespace seq2seq {

// Work in progress, for the lifetime of the object.
//
//   Task task("reading train.de", "lines");
//   while (…) task.Add(1);
//
// Thread-safe; Add is an atomic addition.
class Task {
 public:
  // `what` says what is done; its amount is counted in `unit`, up to `total`, if that is known.
  Task(std::string what, std::string unit, int64_t total = 0);
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task();

  void Add(int64_t amount) { done_ += amount; }
  void Set(int64_t done) { done_ = done; }

  // A few words about where it is, such as a score.
  void SetNote(std::string note);

 private:
  friend struct TaskState;

  const std::string what_;
  const std::string unit_;
  const int64_t total_;
  const std::chrono::steady_clock::time_point start_;
  std::atomic<int64_t> done_ = 0;
  mutable std::mutex mutex_;
  std::string note_;
};

// A task at some moment.
struct TaskState {
  std::string what;
  std::string unit;
  std::string note;
  int64_t done = 0;
  int64_t total = 0;   // 0 if unknown.
  double seconds = 0;  // Since it began.

  // The task that began last, of those in progress.
  static std::optional<TaskState> Current();
};

// Calls `start` when the first task begins, for a program to watch TaskState::Current from then on.
// Without it, tasks cost nothing but themselves. Call it before other threads use the library.
void OnFirstTask(std::function<void()> start);

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_TASK_H_
