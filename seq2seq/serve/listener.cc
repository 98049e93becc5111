#include "seq2seq/serve/listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace seq2seq {
namespace {

// A socket that listens on `address`; -1 and errno on failure.
int Listen(const addrinfo& address) {
  const int made =
      socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol);
  if (made < 0) return -1;
  const int yes = 1;
  setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(made, address.ai_addr, address.ai_addrlen) == 0 && listen(made, SOMAXCONN) == 0)
    return made;
  const int error = errno;
  close(made);
  errno = error;
  return -1;
}

int PortOf(int socket) {
  sockaddr_storage bound = {};
  socklen_t size = sizeof bound;
  getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size);
  return ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                                           : reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
}

}  // namespace

absl::Status Listener::Open(const std::string& host, int64_t port) {
  Close();
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), absl::StrCat(port).c_str(), &hints, &found);
  std::string why = error == 0 ? "" : gai_strerror(error);
  for (const addrinfo* address = found; address != nullptr && socket_ < 0;
       address = address->ai_next) {
    socket_ = Listen(*address);
    if (socket_ < 0) why = std::strerror(errno);
  }
  if (found != nullptr) freeaddrinfo(found);
  if (socket_ < 0) {
    return absl::UnavailableError(absl::StrCat(host, ":", port, ": cannot listen: ", why));
  }
  port_ = PortOf(socket_);
  return absl::OkStatus();
}

void Listener::Close() {
  if (socket_ >= 0) close(socket_);
  socket_ = -1;
}

}  // namespace seq2seq
