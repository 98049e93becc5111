// Heartbeats: signs of life of the processes of a group, through a store that all reach.
#ifndef SEQ2SEQ_TRAIN_HEARTBEAT_H_
#define SEQ2SEQ_TRAIN_HEARTBEAT_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace seq2seq {

// A thread that publishes that this process lives, what it has come to and how it failed, and reads
// the same of the others, twice a second. It alone uses its connection to the store, since any use
// blocks while the store's process hangs. The other functions may be called by any thread.
class Heartbeat {
 public:
  // Publishes `name`, of this process, once: the others' names need it.
  static void SignIn(c10d::Store& store, int64_t rank, const std::string& name);
  static std::string SignKey(int64_t rank);

  // All processes must have signed in.
  Heartbeat(c10::intrusive_ptr<c10d::Store> store, int64_t rank, int64_t size, std::string name,
            std::chrono::duration<double> timeout);

  // Publishes that this process leaves. Rank 0, whose process may hold the store, waits up to five
  // seconds for the others to leave.
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  // Waits until all processes have called it as often.
  absl::Status Meet();

  // Counts a collective operation that this process enters.
  void Enter();

  // Publishes that this process ends, and why.
  void Fail(const std::string& why);

  // Why a collective operation failed with `symptom`: names the process that failed, ended, hangs,
  // or has not entered it. Takes some seconds at most.
  std::string Explain(const std::string& symptom);

 private:
  struct State;

  const std::shared_ptr<State> state_;  // The thread's too, which may hang in the store for good.
  std::thread thread_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_HEARTBEAT_H_
