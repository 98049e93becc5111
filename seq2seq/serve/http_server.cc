#include "seq2seq/serve/http_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"

#include "seq2seq/base/status_macros.h"
#include "seq2seq/serve/http_connection.h"
#include "seq2seq/serve/http_workers.h"
#include "seq2seq/serve/listener.h"

namespace seq2seq {
namespace {

using Clock = HttpConnection::Clock;
using Phase = HttpConnection::Phase;

// Interval between checks of the deadlines.
constexpr auto kTick = std::chrono::milliseconds(100);
// Ids of events other than those of connections.
constexpr uint64_t kListener = 0;
constexpr uint64_t kWake = 1;

Clock::duration Seconds(double seconds) {
  return std::chrono::microseconds(std::llround(seconds * 1e6));
}

// The events to wait for.
uint32_t EventsOf(Phase phase) {
  switch (phase) {
    case Phase::kReading:
    case Phase::kDraining:
      return EPOLLIN;
    case Phase::kWaiting:
      return EPOLLRDHUP;
    case Phase::kWriting:
      return EPOLLOUT;
    case Phase::kClosed:
      return 0;
  }
  return 0;
}

}  // namespace

class HttpServer::Loop {
 public:
  Loop(const HttpOptions& options, HttpService& service)
      : options_(options),
        limits_{options.max_head, options.max_headers, options.max_body},
        service_(service),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
        workers_(service, [this] { Wake(); }) {}

  ~Loop() {
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
  struct Client {
    Client(int socket, const HttpLimits& limits, Clock::duration timeout)
        : connection(socket, limits, timeout) {}

    HttpConnection connection;  // Erased at the end of the iteration once it is closed.
    uint32_t watched = 0;       // Events registered with epoll.
    size_t held = 0;            // Bytes counted in held_.
    // Of the pending request, else null: what its Work shares.
    std::shared_ptr<std::atomic<bool>> cancelled;
    std::shared_ptr<std::atomic<bool>> ready;
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
  void OnEvent(uint64_t id, uint32_t events);
  void Accept();
  void Pause() {  // Until the next tick.
    full_ = true;
    Watch(EPOLL_CTL_MOD, kListener, listener_.socket(), 0);
  }
  void OnEventOf(uint64_t id, Client& client, uint32_t events);
  void OnTick();
  void OnStop();
  void Receive(uint64_t id, Client& client);
  // Parses received bytes and sends pending ones, as far as possible without blocking.
  void Proceed(uint64_t id, Client& client);
  // Answers a complete request, or hands it to a worker.
  void Dispatch(uint64_t id, Client& client);
  void TakeAnswers();
  void Respond(Client& client, const HttpResponse& response, bool head_only);
  void Refuse(Client& client, int code, const std::string& why);
  void CountHeld(Client& client);
  void Close(Client& client);
  // Closes the connection that has been idle, sending or receiving for the longest time, and for
  // `least` at least; false if there is none, as when all wait for responses.
  bool CloseOldest(Clock::duration least);
  bool Finished() const;

  const HttpOptions options_;
  const HttpLimits limits_;
  HttpService& service_;
  const int epoll_;
  const int wake_;
  HttpWorkers workers_;
  Listener listener_;
  std::atomic<bool> stopping_ = false;

  std::unordered_map<uint64_t, Client> clients_;  // By id, which is never reused.
  int64_t open_ = 0;                              // Connections that are not closed.
  bool full_ = false;                             // Whether accepting is paused.
  uint64_t next_id_ = kWake + 1;
  size_t held_ = 0;  // Bytes of requests and responses.
  bool ending_ = false;
  Clock::time_point end_;  // When pending requests are given up.
};

absl::Status HttpServer::Loop::Bind() {
  if (epoll_ < 0 || wake_ < 0) return absl::ErrnoToStatus(errno, "cannot create the event loop");
  return listener_.Open(options_.host, options_.port);
}

absl::Status HttpServer::Loop::Run() {
  SEQ2SEQ_RETURN_IF_ERROR(workers_.Start(options_.workers));
  Watch(EPOLL_CTL_ADD, kListener, listener_.socket(), EPOLLIN);
  Watch(EPOLL_CTL_ADD, kWake, wake_, EPOLLIN);
  Clock::time_point next_tick = Clock::now();
  std::array<epoll_event, 64> events;
  while (!ending_ || !Finished()) {
    const int wait = clients_.empty() && !full_ ? -1 : static_cast<int>(kTick.count());
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                                 stopping_ && !ending_ ? 0 : wait);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      OnEvent(event.data.u64, event.events);
    }
    if (stopping_ && !ending_) OnStop();
    if (Clock::now() >= next_tick) {
      OnTick();
      next_tick = Clock::now() + kTick;
    }
    std::erase_if(clients_, [](const auto& item) {
      return item.second.connection.phase() == Phase::kClosed;
    });
  }
  workers_.End();
  return absl::OkStatus();
}

void HttpServer::Loop::OnEvent(uint64_t id, uint32_t events) {
  if (id == kListener) {
    Accept();
  } else if (id == kWake) {
    uint64_t ignored;
    [[maybe_unused]] const ssize_t size = read(wake_, &ignored, sizeof ignored);
    TakeAnswers();
  } else if (const auto found = clients_.find(id); found != clients_.end()) {
    OnEventOf(id, found->second, events);
  }
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
    Client& client =
        clients_.try_emplace(id, socket, limits_, Seconds(options_.client_timeout)).first->second;
    ++open_;
    client.watched = EventsOf(client.connection.phase());
    Watch(EPOLL_CTL_ADD, id, socket, client.watched);
  }
}

void HttpServer::Loop::OnEventOf(uint64_t id, Client& client, uint32_t events) {
  switch (client.connection.phase()) {
    case Phase::kReading:
    case Phase::kDraining:
      Receive(id, client);
      break;
    case Phase::kWaiting:
      if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) Close(client);
      break;
    case Phase::kWriting:
      Proceed(id, client);
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
  for (auto& [id, client] : clients_) {
    HttpConnection& connection = client.connection;
    if (give_up && client.cancelled) *client.cancelled = true;
    if (connection.deadline() > now && !give_up) continue;
    switch (connection.phase()) {
      case Phase::kReading:
        if (connection.has_begun() && !give_up) {
          Refuse(client, 408,
                 absl::StrCat("the request took longer than ", options_.client_timeout, " s"));
          Proceed(id, client);
        } else {
          Close(client);
        }
        break;
      case Phase::kWriting:
      case Phase::kDraining:
        if (connection.deadline() <= now) Close(client);
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
  for (auto& [id, client] : clients_) {
    const HttpConnection& connection = client.connection;
    if (connection.phase() != Phase::kReading) continue;
    Receive(id, client);  // A request already received is pending.
    if (connection.phase() == Phase::kReading && !connection.has_begun()) Close(client);
  }
}

void HttpServer::Loop::Receive(uint64_t id, Client& client) {
  if (!client.connection.Receive()) return Close(client);
  Proceed(id, client);
}

void HttpServer::Loop::Proceed(uint64_t id, Client& client) {
  HttpConnection& connection = client.connection;
  while (true) {
    if (connection.phase() == Phase::kWriting) {
      if (!connection.Send()) Close(client);
      if (connection.phase() == Phase::kWaiting) *client.ready = true;  // For the next part.
    }
    if (connection.phase() != Phase::kReading || !connection.has_input()) break;
    if (!connection.Parse()) {
      Close(client);
    } else if (connection.error() != 0) {
      Refuse(client, connection.error(), std::string(connection.error_message()));
    } else if (connection.has_request()) {
      Dispatch(id, client);
    }
  }
  CountHeld(client);
  const uint32_t wanted = EventsOf(connection.phase());
  if (connection.phase() == Phase::kClosed || client.watched == wanted) return;
  client.watched = wanted;
  Watch(EPOLL_CTL_MOD, id, connection.socket(), wanted);
}

void HttpServer::Loop::Dispatch(uint64_t id, Client& client) {
  CountHeld(client);
  HttpConnection& connection = client.connection;
  if (connection.phase() == Phase::kClosed) return;
  HttpRequest request = connection.TakeRequest();
  if (const std::optional<HttpResponse> response = service_.AnswerAtOnce(request)) {
    Respond(client, *response, request.method == "HEAD");
    return;
  }
  client.cancelled = std::make_shared<std::atomic<bool>>(false);
  client.ready = std::make_shared<std::atomic<bool>>(true);
  workers_.Add({id, std::move(request), connection.since(), client.cancelled, client.ready});
}

void HttpServer::Loop::TakeAnswers() {
  for (const auto& [id, response] : workers_.TakeAnswers()) {
    const auto found = clients_.find(id);
    if (found == clients_.end() || found->second.connection.phase() == Phase::kClosed) continue;
    Respond(found->second, response, /*head_only=*/false);
    Proceed(id, found->second);
  }
}

void HttpServer::Loop::Respond(Client& client, const HttpResponse& response, bool head_only) {
  client.connection.Respond(response, head_only, /*keep_alive=*/!ending_);
  if (!response.more) client.cancelled = client.ready = nullptr;
}

void HttpServer::Loop::Refuse(Client& client, int code, const std::string& why) {
  client.connection.DropRequest();
  Respond(client, service_.Refuse(code, why), /*head_only=*/false);
}

void HttpServer::Loop::CountHeld(Client& client) {
  const HttpConnection& connection = client.connection;
  // A request held by a worker stays counted.
  if (connection.phase() == Phase::kWaiting || connection.phase() == Phase::kClosed) return;
  const size_t size =
      client.cancelled ? std::max(client.held, connection.size()) : connection.size();
  held_ += size - client.held;
  client.held = size;
  while (held_ > static_cast<size_t>(options_.max_held) && CloseOldest(Clock::duration(0))) {
  }
}

void HttpServer::Loop::Close(Client& client) {
  if (client.cancelled) *client.cancelled = true;
  client.connection.Close();  // Which removes it from epoll.
  held_ -= client.held;
  --open_;
}

bool HttpServer::Loop::CloseOldest(Clock::duration least) {
  const Clock::time_point latest = Clock::now() - least;
  Client* oldest = nullptr;
  for (auto& [id, client] : clients_) {
    const HttpConnection& connection = client.connection;
    if (connection.phase() == Phase::kWaiting || connection.phase() == Phase::kClosed) continue;
    const bool is_older = oldest == nullptr || connection.since() < oldest->connection.since();
    if (connection.since() <= latest && is_older) oldest = &client;
  }
  if (oldest != nullptr) Close(*oldest);
  return oldest != nullptr;
}

bool HttpServer::Loop::Finished() const {
  return std::all_of(clients_.begin(), clients_.end(), [](const auto& item) {
    const Phase phase = item.second.connection.phase();
    return phase == Phase::kDraining || phase == Phase::kClosed;
  });
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
