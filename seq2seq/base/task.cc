#include "seq2seq/base/task.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace seq2seq {
namespace {

// The tasks in progress, in the order in which they began.
struct Registry {
  std::mutex mutex;
  std::vector<const Task*> tasks;
  std::function<void()> start;

  static Registry& Get() {
    static Registry& registry = *new Registry;  // Tasks may end after static objects.
    return registry;
  }
};

}  // namespace

Task::Task(std::string what, std::string unit, int64_t total)
    : what_(std::move(what)),
      unit_(std::move(unit)),
      total_(total),
      start_(std::chrono::steady_clock::now()) {
  Registry& registry = Registry::Get();
  const std::lock_guard<std::mutex> lock(registry.mutex);
  registry.tasks.push_back(this);
  if (registry.start) std::exchange(registry.start, nullptr)();
}

Task::~Task() {
  Registry& registry = Registry::Get();
  const std::lock_guard<std::mutex> lock(registry.mutex);
  registry.tasks.erase(std::find(registry.tasks.begin(), registry.tasks.end(), this));
}

void Task::SetNote(std::string note) {
  const std::lock_guard<std::mutex> lock(mutex_);
  note_ = std::move(note);
}

std::optional<TaskState> TaskState::Current() {
  Registry& registry = Registry::Get();
  const std::lock_guard<std::mutex> lock(registry.mutex);
  if (registry.tasks.empty()) return std::nullopt;
  const Task& task = *registry.tasks.back();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - task.start_;
  const std::lock_guard<std::mutex> note(task.mutex_);
  return TaskState{task.what_, task.unit_, task.note_, task.done_, task.total_, passed.count()};
}

void OnFirstTask(std::function<void()> start) {
  Registry& registry = Registry::Get();
  const std::lock_guard<std::mutex> lock(registry.mutex);
  registry.start = std::move(start);
}

}  // namespace seq2seq
