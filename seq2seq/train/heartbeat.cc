#include "seq2seq/train/heartbeat.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>

namespace seq2seq {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr char kBoard[] = "board";
constexpr Seconds kInterval{0.5};
constexpr Seconds kWaitingInterval{0.02};  // While a process waits for the others.
constexpr Seconds kSilence{2.5};           // Of a process that has ended, when another asks.
constexpr Seconds kFarewell{5};

// What a process publishes.
struct Sign {
  std::string name;
  int64_t beats = 0;
  int64_t meetings = 0;
  int64_t entered = 0;  // Collective operations.
  bool left = false;
  std::string error;     // Why it ends; empty if it does not.
  bool relayed = false;  // Whether `error` is another process's.
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Sign, name, beats, meetings, entered, left, error, relayed)

std::vector<uint8_t> ToBytes(const nlohmann::json& json) {
  const std::string text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return {text.begin(), text.end()};
}

nlohmann::json FromBytes(const std::vector<uint8_t>& bytes) {
  return nlohmann::json::parse(bytes.begin(), bytes.end());
}

std::string Blame(const Sign& sign, absl::string_view what) {
  return absl::StrCat(sign.name, " ", what);
}

}  // namespace

struct Heartbeat::State {
  c10::intrusive_ptr<c10d::Store> store;
  int64_t rank = 0;
  Seconds timeout{0};

  std::mutex mutex;
  std::condition_variable changed;
  Sign mine;
  std::vector<Sign> all;                 // As last read.
  std::vector<Clock::time_point> since;  // When the beats of each last changed.
  Clock::time_point round;               // When the last exchange with the store ended.
  std::string broken;                    // Why the store cannot be used any more.
  int waiting = 0;
  bool hurry = false;  // Whether the next exchange is due at once.
  bool stopping = false;
  bool stopped = false;

  // Has the thread exchange often from now on; mutex is held.
  void Wait() {
    ++waiting;
    hurry = true;
    changed.notify_all();
  }

  // Publishes mine, and reads all. Throws if the store is lost.
  std::vector<Sign> Exchange(const Sign& sign) const {
    const auto size = static_cast<int64_t>(all.size());
    store->set(SignKey(rank), ToBytes(sign));
    if (rank != 0) return FromBytes(store->get(kBoard)).get<std::vector<Sign>>();
    std::vector<Sign> board;
    for (int64_t i = 0; i < size; ++i)
      board.push_back(FromBytes(store->get(SignKey(i))).get<Sign>());
    store->set(kBoard, ToBytes(board));
    return board;
  }

  void Run() {
    std::unique_lock<std::mutex> lock(mutex);
    for (bool last = false; !last;) {
      last = stopping;
      hurry = false;
      ++mine.beats;
      const Sign sign = mine;
      lock.unlock();
      std::vector<Sign> board;
      std::string problem;
      try {
        board = Exchange(sign);
      } catch (const std::exception& error) {
        problem = error.what();
      }
      lock.lock();
      if (!problem.empty()) {
        broken = problem;
        break;
      }
      round = Clock::now();
      for (size_t i = 0; i < all.size() && i < board.size(); ++i) {
        if (board[i].beats != all[i].beats) since[i] = round;
        all[i] = board[i];
      }
      changed.notify_all();
      if (!last)
        changed.wait_for(lock, waiting > 0 ? kWaitingInterval : kInterval,
                         [&] { return hurry || stopping; });
    }
    stopped = true;
    changed.notify_all();
  }

  // A process that failed, ended, or has been silent for longer than `silence`; mutex is held.
  std::optional<std::string> Culprit(Seconds silence) const {
    const Clock::time_point now = Clock::now();
    std::optional<std::string> relayed;
    for (size_t i = 0; i < all.size(); ++i) {
      if (static_cast<int64_t>(i) == rank || all[i].error.empty()) continue;
      if (!all[i].relayed) return absl::StrCat(all[i].name, ": ", all[i].error);
      relayed = all[i].error;
    }
    // Without the store nothing is known of the others.
    if (now - round > silence || !broken.empty())
      return Blame(all[0], rank == 0 ? "cannot use its own store" : "gives no sign of life");
    for (size_t i = 0; i < all.size(); ++i) {
      if (static_cast<int64_t>(i) == rank) continue;
      if (all[i].left) return Blame(all[i], "has ended");
      if (now - since[i] > silence) return Blame(all[i], "gives no sign of life");
    }
    return relayed;
  }
};

std::string Heartbeat::SignKey(int64_t rank) { return absl::StrCat("sign/", rank); }

void Heartbeat::SignIn(c10d::Store& store, int64_t rank, const std::string& name) {
  Sign sign;
  sign.name = name;
  store.set(SignKey(rank), ToBytes(sign));
}

Heartbeat::Heartbeat(c10::intrusive_ptr<c10d::Store> store, int64_t rank, int64_t size,
                     std::string name, std::chrono::duration<double> timeout)
    : state_(std::make_shared<State>()) {
  state_->store = std::move(store);
  state_->rank = rank;
  state_->timeout = timeout;
  state_->mine.name = std::move(name);
  state_->all.resize(static_cast<size_t>(size));
  for (int64_t i = 0; i < size; ++i)
    state_->all[static_cast<size_t>(i)].name = absl::StrCat("rank ", i);
  state_->round = Clock::now();
  state_->since.assign(static_cast<size_t>(size), state_->round);
  thread_ = std::thread([state = state_] { state->Run(); });
}

Heartbeat::~Heartbeat() {
  State& state = *state_;
  std::unique_lock<std::mutex> lock(state.mutex);
  const Clock::time_point deadline =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(kFarewell);
  state.mine.left = true;
  state.Wait();
  if (state.rank == 0) {
    state.changed.wait_until(lock, deadline, [&] {
      return state.stopped ||
             std::all_of(state.all.begin() + 1, state.all.end(),
                         [&](const Sign& sign) { return sign.left || !sign.error.empty(); });
    });
  }
  state.stopping = true;
  state.changed.notify_all();
  state.changed.wait_until(lock, deadline, [&] { return state.stopped; });
  const bool stopped = state.stopped;
  lock.unlock();
  if (stopped) {
    thread_.join();
  } else {
    thread_.detach();  // It hangs in the store, of a process that hangs.
  }
}

absl::Status Heartbeat::Meet() {
  State& state = *state_;
  std::unique_lock<std::mutex> lock(state.mutex);
  ++state.mine.meetings;
  state.Wait();
  absl::Status status;
  const auto arrived = [&](const Sign& sign) { return sign.meetings >= state.mine.meetings; };
  while (!std::all_of(state.all.begin(), state.all.end(), arrived)) {
    if (const auto culprit = state.Culprit(state.timeout)) {
      status = absl::UnavailableError(*culprit);
      break;
    }
    state.changed.wait_for(lock, Seconds(0.1));
  }
  --state.waiting;
  return status;
}

void Heartbeat::Enter() {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  ++state_->mine.entered;
}

void Heartbeat::Fail(const std::string& why) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  if (!state_->mine.error.empty()) return;
  state_->mine.error = why;
  state_->Wait();
}

std::string Heartbeat::Explain(const std::string& symptom) {
  State& state = *state_;
  std::unique_lock<std::mutex> lock(state.mutex);
  state.Wait();
  const Clock::time_point deadline =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(2 * kSilence);
  std::optional<std::string> culprit;
  while (!(culprit = state.Culprit(kSilence)) && Clock::now() < deadline)
    state.changed.wait_for(lock, Seconds(0.1));
  --state.waiting;
  if (!culprit) {
    const auto late =
        std::min_element(state.all.begin(), state.all.end(),
                         [](const Sign& a, const Sign& b) { return a.entered < b.entered; });
    culprit = late->entered < state.mine.entered
                  ? Blame(*late, "lives, but does not take part")
                  : absl::StrCat("the connection was lost: ", symptom);
  }
  if (state.mine.error.empty()) {
    state.mine.error = *culprit;
    state.mine.relayed = true;
    state.Wait();
  }
  return *culprit;
}

}  // namespace seq2seq
