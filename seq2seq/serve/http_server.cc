#include "seq2seq/serve/http_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "seq2seq/base/option_rules.h"
#include "seq2seq/serve/listener.h"

namespace seq2seq {
namespace {

using Clock = std::chrono::steady_clock;

// Interval between checks of the deadlines.
constexpr auto kTick = std::chrono::milliseconds(100);
// How long data that still arrives after a refusal is read and dropped: closing the connection at
// once would destroy the response, too.
constexpr auto kDrain = std::chrono::seconds(2);
// Ids of events other than those of connections.
constexpr uint64_t kListener = 0;
constexpr uint64_t kWake = 1;

Clock::duration Seconds(double seconds) {
  return std::chrono::microseconds(std::llround(seconds * 1e6));
}

}  // namespace

absl::Status Validate(const HttpOptions& options) {
  OptionRules rules;
  const auto expect_seconds = [&](const char* key, double value) {
    rules.Expect(key, value, value > 0 && value <= 86'400, "more than 0, at most 86,400");
  };
  const auto expect_bytes = [&](const char* key, int64_t value) {
    rules.Expect(key, value, value >= 1 && value <= int64_t{1} << 40, "1 or more");
  };
  rules.Expect("port", options.port, options.port >= 0 && options.port <= 65535, "0 to 65535");
  rules.Expect("connections", options.connections,
               options.connections >= 1 && options.connections <= 100'000, "1 to 100,000");
  rules.Expect("workers", options.workers, options.workers >= 1 && options.workers <= 1000,
               "1 to 1,000");
  expect_seconds("client_timeout", options.client_timeout);
  expect_bytes("max_head", options.max_head);
  expect_bytes("max_headers", options.max_headers);
  expect_bytes("max_body", options.max_body);
  expect_bytes("max_held", options.max_held);
  expect_seconds("grace", options.grace);
  return rules.status();
}

class HttpServer::Loop {
 public:
  Loop(const HttpOptions& options, HttpService& service)
      : options_(options),
        limits_{options.max_head, options.max_headers, options.max_body},
        service_(service),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

  ~Loop() {
    for (const auto& [id, connection] : connections_) close(connection.socket);
    for (const int file : {wake_, epoll_}) {
      if (file >= 0) close(file);
    }
  }

  absl::Status Bind();
  absl::Status Run();

  void Stop() {
    stopping_ = true;
    Wake();
  }

  int port() const { return listener_.port(); }
  bool stopping() const { return stopping_; }

 private:
  enum class Phase {
    kReading,   // Of a request, or idle.
    kWaiting,   // For a worker's answer.
    kWriting,   // Of an answer.
    kDraining,  // See kDrain.
    kClosed,    // Erased at the end of the iteration.
  };

  struct Connection {
    explicit Connection(int socket, const HttpLimits& limits) : socket(socket), reader(limits) {}

    int socket;
    HttpRequestReader reader;
    Phase phase = Phase::kReading;
    Clock::time_point since;     // When the phase began, or the first byte of the request arrived.
    Clock::time_point deadline;  // When the phase has to end.
    uint32_t watched = 0;        // Events registered with epoll.
    std::string input;           // Bytes received and not yet parsed.
    std::string output;
    size_t written = 0;  // Of the output.
    bool keep_alive = true;
    bool continued = false;                        // Whether 100 Continue was sent.
    size_t held = 0;                               // Bytes counted in held_.
    std::shared_ptr<std::atomic<bool>> cancelled;  // Of the pending request.
  };

  struct Work {
    uint64_t id = 0;
    HttpRequest request;
    Clock::time_point begin;
    std::shared_ptr<std::atomic<bool>> cancelled;
  };

  void Wake() {
    const uint64_t one = 1;
    // Fails only if a wake-up is pending already.
    [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof one);
  }

  void Watch(int operation, uint64_t id, int socket, uint32_t events) {
    epoll_event event = {};
    event.events = events;
    event.data.u64 = id;
    epoll_ctl(epoll_, operation, socket, &event);
  }

  // Called by the thread of the event loop. Each may close the connection.
  void Accept();
  void Pause() {  // Until the next tick.
    full_ = true;
    Watch(EPOLL_CTL_MOD, kListener, listener_.socket(), 0);
  }
  void OnEvent(uint64_t id, Connection& connection, uint32_t events);
  void OnTick();
  void OnStop();
  void Receive(uint64_t id, Connection& connection);
  // Parses received bytes and sends pending ones, as far as possible without blocking.
  void Proceed(uint64_t id, Connection& connection);
  void Send(Connection& connection);
  void Dispatch(uint64_t id, Connection& connection);
  void TakeAnswers();
  void Respond(Connection& connection, const HttpResponse& response, bool head_only);
  void Refuse(Connection& connection, int code, std::string why);
  void Begin(Connection& connection, Phase phase, Clock::duration most);
  void CountHeld(Connection& connection);
  void Close(Connection& connection);
  // Closes the connection that has been idle, sending or receiving for the longest time, and for
  // `least` at least; false if there is none, as when all wait for responses.
  bool CloseOldest(Clock::duration least);
  bool Finished() const;

  // The loop of a worker thread.
  void WorkOff();

  const HttpOptions options_;
  const HttpLimits limits_;
  HttpService& service_;
  const int epoll_;
  const int wake_;
  Listener listener_;
  std::atomic<bool> stopping_ = false;

  std::unordered_map<uint64_t, Connection> connections_;  // By id, which is never reused.
  int64_t open_ = 0;                                      // Connections that are not closed.
  bool full_ = false;                                     // Whether accepting is paused.
  uint64_t next_id_ = kWake + 1;
  size_t held_ = 0;  // Bytes of requests and responses.
  bool ending_ = false;
  Clock::time_point end_;  // When pending requests are given up.

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> work_;
  std::vector<std::pair<uint64_t, HttpResponse>> answers_;  // With the ids of their connections.
  bool workers_end_ = false;
};

absl::Status HttpServer::Loop::Bind() {
  if (epoll_ < 0 || wake_ < 0) return absl::ErrnoToStatus(errno, "cannot create the event loop");
  return listener_.Open(options_.host, options_.port);
}

absl::Status HttpServer::Loop::Run() {
  std::vector<std::thread> workers;
  try {
    for (int64_t i = 0; i < options_.workers; ++i) workers.emplace_back([this] { WorkOff(); });
  } catch (const std::system_error& error) {  // Fewer than requested suffice, none does not.
    if (workers.empty())
      return absl::UnavailableError(absl::StrCat("cannot start a thread: ", error.what()));
  }
  Watch(EPOLL_CTL_ADD, kListener, listener_.socket(), EPOLLIN);
  Watch(EPOLL_CTL_ADD, kWake, wake_, EPOLLIN);
  Clock::time_point next_tick = Clock::now();
  std::array<epoll_event, 64> events;
  while (!ending_ || !Finished()) {
    const int wait = connections_.empty() && !full_ ? -1 : static_cast<int>(kTick.count());
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                                 stopping_ && !ending_ ? 0 : wait);
    for (int i = 0; i < count; ++i) {
      const uint64_t id = events[static_cast<size_t>(i)].data.u64;
      if (id == kListener) {
        Accept();
      } else if (id == kWake) {
        uint64_t ignored;
        [[maybe_unused]] const ssize_t size = read(wake_, &ignored, sizeof ignored);
        TakeAnswers();
      } else if (const auto found = connections_.find(id); found != connections_.end()) {
        OnEvent(id, found->second, events[static_cast<size_t>(i)].events);
      }
    }
    if (stopping_ && !ending_) OnStop();
    if (Clock::now() >= next_tick) {
      OnTick();
      next_tick = Clock::now() + kTick;
    }
    std::erase_if(connections_,
                  [](const auto& item) { return item.second.phase == Phase::kClosed; });
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    workers_end_ = true;
  }
  changed_.notify_all();
  for (std::thread& worker : workers) worker.join();
  return absl::OkStatus();
}

void HttpServer::Loop::Accept() {
  while (true) {
    // A client that has just connected has not been slow yet. If there is no other, new ones wait
    // in the backlog.
    if (open_ >= options_.connections && !CloseOldest(kTick)) return Pause();
    const int socket = accept4(listener_.socket(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) {
      if (errno == ECONNABORTED || errno == EINTR) continue;
      if (errno == EAGAIN) return;
      if (CloseOldest(kTick)) continue;
      return Pause();  // Out of file descriptors or memory.
    }
    const int yes = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    const uint64_t id = next_id_++;
    Connection& connection = connections_.try_emplace(id, socket, limits_).first->second;
    ++open_;
    Begin(connection, Phase::kReading, Seconds(options_.client_timeout));
    connection.watched = EPOLLIN;
    Watch(EPOLL_CTL_ADD, id, socket, connection.watched);
  }
}

void HttpServer::Loop::OnEvent(uint64_t id, Connection& connection, uint32_t events) {
  switch (connection.phase) {
    case Phase::kReading:
    case Phase::kDraining:
      Receive(id, connection);
      break;
    case Phase::kWaiting:
      if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) Close(connection);
      break;
    case Phase::kWriting:
      Proceed(id, connection);
      break;
    case Phase::kClosed:
      break;
  }
}

void HttpServer::Loop::OnTick() {
  if (full_) {
    full_ = false;
    if (!ending_) Watch(EPOLL_CTL_MOD, kListener, listener_.socket(), EPOLLIN);
  }
  const Clock::time_point now = Clock::now();
  const bool give_up = ending_ && now >= end_;
  for (auto& [id, connection] : connections_) {
    if (give_up && connection.cancelled) *connection.cancelled = true;
    if (connection.deadline > now && !give_up) continue;
    switch (connection.phase) {
      case Phase::kReading:
        if (connection.reader.begun() && !give_up) {
          Refuse(connection, 408,
                 absl::StrCat("the request took longer than ", options_.client_timeout, " s"));
          Proceed(id, connection);
        } else {
          Close(connection);
        }
        break;
      case Phase::kWriting:
      case Phase::kDraining:
        if (connection.deadline <= now) Close(connection);
        break;
      case Phase::kWaiting:
      case Phase::kClosed:
        break;
    }
  }
}

void HttpServer::Loop::OnStop() {
  ending_ = true;
  // Leaves clients of requests given up then some time to receive the response.
  end_ = Clock::now() + Seconds(options_.grace * 0.75);
  Accept();
  listener_.Close();
  for (auto& [id, connection] : connections_) {
    if (connection.phase != Phase::kReading) continue;
    Receive(id, connection);  // A request already received is pending.
    if (connection.phase == Phase::kReading && !connection.reader.begun()) Close(connection);
  }
}

void HttpServer::Loop::Receive(uint64_t id, Connection& connection) {
  std::array<char, 16'384> buffer;
  const ssize_t size = recv(connection.socket, buffer.data(), buffer.size(), 0);
  if (size > 0) {
    if (connection.phase == Phase::kDraining) return;
    connection.input.append(buffer.data(), static_cast<size_t>(size));
    Proceed(id, connection);
  } else if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
    Close(connection);
  }
}

void HttpServer::Loop::Proceed(uint64_t id, Connection& connection) {
  while (true) {
    if (connection.phase == Phase::kWriting) Send(connection);
    if (connection.phase != Phase::kReading || connection.input.empty()) break;
    HttpRequestReader& reader = connection.reader;
    if (!reader.begun()) Begin(connection, Phase::kReading, Seconds(options_.client_timeout));
    connection.input.erase(0, reader.Read(connection.input));
    if (reader.error() != 0) {
      Refuse(connection, reader.error(), reader.message());
    } else if (reader.done()) {
      Dispatch(id, connection);
    } else if (reader.waits_to_send() && !connection.continued) {
      constexpr absl::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      connection.continued = true;
      if (send(connection.socket, kContinue.data(), kContinue.size(), MSG_NOSIGNAL) < 0)
        Close(connection);
    }
  }
  CountHeld(connection);
  if (connection.phase == Phase::kClosed) return;
  const uint32_t wanted = connection.phase == Phase::kWriting   ? EPOLLOUT
                          : connection.phase == Phase::kWaiting ? EPOLLRDHUP
                                                                : EPOLLIN;
  if (connection.watched == wanted) return;
  connection.watched = wanted;
  Watch(EPOLL_CTL_MOD, id, connection.socket, wanted);
}

void HttpServer::Loop::Send(Connection& connection) {
  constexpr size_t kMost = 1 << 18;  // So that a fast receiver does not delay others.
  const size_t left = connection.output.size() - connection.written;
  const ssize_t sent = send(connection.socket, connection.output.data() + connection.written,
                            std::min(left, kMost), MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno != EAGAIN && errno != EINTR) Close(connection);
    return;
  }
  connection.written += static_cast<size_t>(sent);
  if (connection.written < connection.output.size()) return;
  connection.output = std::string();
  if (connection.keep_alive) {
    Begin(connection, Phase::kReading, Seconds(options_.client_timeout));
  } else {
    shutdown(connection.socket, SHUT_WR);
    Begin(connection, Phase::kDraining, kDrain);
  }
}

void HttpServer::Loop::Dispatch(uint64_t id, Connection& connection) {
  CountHeld(connection);
  if (connection.phase == Phase::kClosed) return;
  HttpRequest request = std::move(connection.reader.request());
  connection.reader = HttpRequestReader(limits_);
  connection.continued = false;
  connection.keep_alive = request.keep_alive;
  if (const std::optional<HttpResponse> response = service_.AnswerAtOnce(request)) {
    Respond(connection, *response, request.method == "HEAD");
    return;
  }
  connection.cancelled = std::make_shared<std::atomic<bool>>(false);
  Begin(connection, Phase::kWaiting, std::chrono::hours(24));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    work_.push_back({id, std::move(request), connection.since, connection.cancelled});
  }
  changed_.notify_one();
}

void HttpServer::Loop::TakeAnswers() {
  std::vector<std::pair<uint64_t, HttpResponse>> answers;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    answers.swap(answers_);
  }
  for (const auto& [id, response] : answers) {
    const auto found = connections_.find(id);
    if (found == connections_.end() || found->second.phase != Phase::kWaiting) continue;
    Respond(found->second, response, /*head_only=*/false);
    Proceed(id, found->second);
  }
}

void HttpServer::Loop::Respond(Connection& connection, const HttpResponse& response,
                               bool head_only) {
  connection.keep_alive = connection.keep_alive && !ending_;
  connection.output = ResponseText(response, head_only, connection.keep_alive);
  connection.written = 0;
  connection.cancelled = nullptr;
  Begin(connection, Phase::kWriting, Seconds(options_.client_timeout));
}

void HttpServer::Loop::Refuse(Connection& connection, int code, std::string why) {
  connection.keep_alive = false;
  connection.reader = HttpRequestReader(limits_);  // `why` is a copy of its message.
  connection.input = std::string();
  Respond(connection, service_.Refuse(code, why), /*head_only=*/false);
}

void HttpServer::Loop::Begin(Connection& connection, Phase phase, Clock::duration most) {
  connection.phase = phase;
  connection.since = Clock::now();
  connection.deadline = connection.since + most;
}

void HttpServer::Loop::CountHeld(Connection& connection) {
  // A request held by a worker stays counted.
  if (connection.phase == Phase::kWaiting || connection.phase == Phase::kClosed) return;
  const size_t held = connection.reader.size() + connection.input.size() + connection.output.size();
  held_ += held - connection.held;
  connection.held = held;
  while (held_ > static_cast<size_t>(options_.max_held) && CloseOldest(Clock::duration(0))) {
  }
}

void HttpServer::Loop::Close(Connection& connection) {
  if (connection.cancelled) *connection.cancelled = true;
  close(connection.socket);  // Which removes it from epoll.
  held_ -= connection.held;
  --open_;
  connection.phase = Phase::kClosed;
}

bool HttpServer::Loop::CloseOldest(Clock::duration least) {
  const Clock::time_point latest = Clock::now() - least;
  Connection* oldest = nullptr;
  for (auto& [id, connection] : connections_) {
    if (connection.phase == Phase::kWaiting || connection.phase == Phase::kClosed) continue;
    if (connection.since <= latest && (oldest == nullptr || connection.since < oldest->since))
      oldest = &connection;
  }
  if (oldest != nullptr) Close(*oldest);
  return oldest != nullptr;
}

bool HttpServer::Loop::Finished() const {
  return std::all_of(connections_.begin(), connections_.end(), [](const auto& item) {
    return item.second.phase == Phase::kDraining || item.second.phase == Phase::kClosed;
  });
}

void HttpServer::Loop::WorkOff() {
  while (true) {
    Work work;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return workers_end_ || !work_.empty(); });
      if (work_.empty()) return;
      work = std::move(work_.front());
      work_.pop_front();
    }
    HttpResponse response;
    try {
      response = service_.Answer(work.request, work.begin, work.cancelled);
    } catch (const std::exception& error) {  // Such as std::bad_alloc.
      response = service_.Refuse(500, error.what());
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      answers_.emplace_back(work.id, std::move(response));
    }
    Wake();
  }
}

HttpServer::HttpServer(const HttpOptions& options, HttpService& service)
    : loop_(std::make_unique<Loop>(options, service)) {}

HttpServer::~HttpServer() = default;

absl::Status HttpServer::Bind() { return loop_->Bind(); }

int HttpServer::port() const { return loop_->port(); }

absl::Status HttpServer::Run() { return loop_->Run(); }

void HttpServer::Stop() { loop_->Stop(); }

bool HttpServer::stopping() const { return loop_->stopping(); }

}  // namespace seq2seq
