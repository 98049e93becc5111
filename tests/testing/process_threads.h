// Groups of processes in one process: each rank is a thread.
#ifndef TESTS_TESTING_PROCESS_THREADS_H_
#define TESTS_TESTING_PROCESS_THREADS_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/train/process_group.h"

namespace seq2seq {

inline int64_t FreePort() {
  const int file = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(file, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(file, reinterpret_cast<sockaddr*>(&address), &size), 0);
  close(file);
  return ntohs(address.sin_port);
}

// Runs `body` in `size` threads, each with its group, and waits for all.
inline void RunRanks(int64_t size, const std::function<void(ProcessGroup&)>& body,
                     const ProcessOptions& options = {}) {
  const int64_t port = FreePort();
  std::vector<std::thread> threads;
  for (int64_t rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      torch::set_num_threads(1);
      const auto group = ProcessGroup::Connect(
          {.rank = rank, .size = size, .local_rank = rank, .local_size = size, .port = port},
          options);
      ASSERT_TRUE(group.ok()) << group.status();
      body(**group);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace seq2seq

#endif  // TESTS_TESTING_PROCESS_THREADS_H_
