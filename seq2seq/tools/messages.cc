#include "seq2seq/tools/messages.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include <CLI/CLI.hpp>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "seq2seq/base/log.h"
#include "seq2seq/base/task.h"
#include "seq2seq/base/utf8.h"
#include "seq2seq/weights/parameter_table.h"

namespace seq2seq {
namespace {

constexpr double kPatience = 2;  // Seconds before a task is shown.
constexpr auto kInterval = std::chrono::milliseconds(200);
constexpr char kClear[] = "\r\x1b[K";

// The bar of a task in a terminal of some columns, without newline:
// "decoding [##########..........] 50% 500 of 1,000 lines, 0:00:12 left".
std::string ProgressBarText(const TaskState& task, size_t columns) {
  constexpr size_t kBar = 20;
  std::string text = task.what;
  const std::string unit = task.unit.empty() ? "" : " " + task.unit;
  if (task.total > 0) {
    const double share =
        std::clamp(static_cast<double>(task.done) / static_cast<double>(task.total), 0.0, 1.0);
    const auto full = static_cast<size_t>(share * kBar);
    absl::StrAppend(&text, " [", std::string(full, '#'), std::string(kBar - full, '.'), "] ",
                    static_cast<int64_t>(100 * share), "%");
    if (!unit.empty())
      absl::StrAppend(&text, " ", Grouped(task.done), " of ", Grouped(task.total), unit);
    if (share > 0)
      absl::StrAppend(&text, ", ", ClockText(task.seconds / share - task.seconds), " left");
  } else {
    absl::StrAppend(&text, " ", ClockText(task.seconds));
    if (task.done > 0) absl::StrAppend(&text, ", ", Grouped(task.done), unit);
  }
  if (!task.note.empty()) absl::StrAppend(&text, " | ", task.note);
  text = Printable(text);
  // By bytes, of which there are at least as many as columns; a character is not split.
  if (text.size() >= columns) text = RepairUtf8(text.substr(0, columns > 0 ? columns - 1 : 0));
  return text;
}

// The last line of the terminal, which shows the current task. Its thread runs to the end of the
// program.
class ProgressBar {
 public:
  static ProgressBar& Get() {
    static ProgressBar& bar = *new ProgressBar;
    return bar;
  }

  void Start() {
    std::thread([this] {
      while (true) {
        std::this_thread::sleep_for(kInterval);
        const std::lock_guard<std::mutex> lock(mutex_);
        if (ended_) return;
        Draw();
      }
    }).detach();
  }

  // Calls `print`, which writes whole lines to the terminal, in the place of the bar.
  template <typename Function>
  void Print(const Function& print) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Clear();
    print();
  }

  void End() {
    const std::lock_guard<std::mutex> lock(mutex_);
    Clear();
    ended_ = true;
  }

 private:
  void Draw() {
    const std::optional<TaskState> task = TaskState::Current();
    if (!task || task->seconds < kPatience) return Clear();
    winsize size = {};
    const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    const std::string text = ProgressBarText(*task, known ? size.ws_col : 80);
    std::fprintf(stderr, "%s%s", kClear, text.c_str());
    std::fflush(stderr);
    shown_ = true;
  }

  void Clear() {
    if (!shown_) return;
    std::fputs(kClear, stderr);
    std::fflush(stderr);
    shown_ = false;
  }

  std::mutex mutex_;
  bool shown_ = false;
  bool ended_ = false;
};

// Log lines above the bar.
class TerminalSink : public spdlog::sinks::ansicolor_stderr_sink_mt {
 public:
  void log(const spdlog::details::log_msg& message) override {
    ProgressBar::Get().Print([&] { spdlog::sinks::ansicolor_stderr_sink_mt::log(message); });
  }
};

void BeQuiet() {
  spdlog::set_level(spdlog::level::warn);
  EndProgressBar();
}

void AddLogFile(const std::string& path) {
  std::shared_ptr<spdlog::sinks::basic_file_sink_mt> sink;
  try {
    sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
  } catch (const spdlog::spdlog_ex&) {
    throw CLI::ValidationError("--log: " + path + ": cannot open");
  }
  sink->set_pattern("%Y-%m-%d %H:%M:%S %v");
  spdlog::default_logger()->sinks().push_back(sink);
  spdlog::default_logger()->flush_on(spdlog::level::info);
}

void AddFlags(CLI::App& command) {
  const std::vector<CLI::App*> subcommands =
      command.get_subcommands([](CLI::App*) { return true; });
  for (CLI::App* subcommand : subcommands) AddFlags(*subcommand);
  // A command that is handed over whole has no flags of its own.
  if (!subcommands.empty() || command.get_prefix_command()) return;
  command.add_flag_callback("--quiet", BeQuiet, "Print warnings and errors only, and no progress")
      ->group("Messages");
  command
      .add_option_function<std::string>("--log", AddLogFile,
                                        "Append the messages to a file too, with their time")
      ->option_text("FILE")
      ->group("Messages");
}

}  // namespace

std::string ClockText(double seconds) {
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  return absl::StrFormat("%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
}

void SetUpMessages() {
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("seq2seq", std::make_shared<TerminalSink>()));
  spdlog::set_pattern("%^%v%$");
  SetLogSink([](LogLevel level, absl::string_view message) {
    const std::string text = Printable(message);
    if (level == LogLevel::kWarning) {
      spdlog::warn("warning: {}", text);
    } else {
      spdlog::info("{}", text);
    }
  });
  if (isatty(STDERR_FILENO)) OnFirstTask([] { ProgressBar::Get().Start(); });
}

void AddMessageFlags(CLI::App& program) { AddFlags(program); }

void EndProgressBar() { ProgressBar::Get().End(); }

}  // namespace seq2seq
