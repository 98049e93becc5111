// Listening TCP socket.
#ifndef SEQ2SEQ_SERVE_LISTENER_H_
#define SEQ2SEQ_SERVE_LISTENER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace seq2seq {

// Holds a port from Open until Close or destruction.
class Listener {
 public:
  Listener() = default;
  ~Listener() { Close(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Binds `port` of `host`, or any free one for 0. Unavailable, naming both, if that fails.
  absl::Status Open(const std::string& host, int64_t port);

  void Close();

  // -1 unless it is open. Never blocks.
  int socket() const { return socket_; }

  // The bound port.
  int port() const { return port_; }

 private:
  int socket_ = -1;
  int port_ = 0;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SERVE_LISTENER_H_
