#include "seq2seq/train/process_group.h"

#include <chrono>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "tests/testing/process_threads.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Values of a rank, with some that bf16 rounds.
torch::Tensor Values(int64_t rank, int64_t count) {
  return torch::arange(count, torch::kFloat32) * 0.37f + static_cast<float>(rank);
}

TEST(ProcessGroup, SumsInEveryProcess) {
  for (const int64_t size : {2, 3, 4}) {
    RunRanks(size, [&](ProcessGroup& group) {
      torch::Tensor values = Values(group.rank(), 1001);
      group.Sum(values);
      torch::Tensor expected = torch::zeros_like(values);
      for (int64_t rank = 0; rank < size; ++rank) expected += Values(rank, 1001);
      EXPECT_TRUE(torch::allclose(values, expected, 1e-6));
      EXPECT_NEAR(group.sent_bytes(), 2.0 * (size - 1) / size * 4004, 1e-9);
    });
  }
}

TEST(ProcessGroup, SumAsBfloat16IsTheRoundedSumOfRoundedValues) {
  for (const int64_t size : {2, 3}) {
    for (const int64_t count : {1, 7, 1000}) {
      RunRanks(size, [&](ProcessGroup& group) {
        torch::Tensor values = Values(group.rank(), count);
        group.SumAsBfloat16(values);
        torch::Tensor exact = torch::zeros_like(values);
        for (int64_t rank = 0; rank < size; ++rank)
          exact += Values(rank, count).to(torch::kBFloat16).to(torch::kFloat32);
        EXPECT_TRUE(values.equal(exact.to(torch::kBFloat16).to(torch::kFloat32))) << count;
      });
    }
  }
}

TEST(ProcessGroup, BroadcastsAndGathers) {
  RunRanks(3, [](ProcessGroup& group) {
    torch::Tensor values = Values(group.rank(), 6).view({2, 3});
    const torch::Tensor all = group.Gather(values);
    ASSERT_EQ(all.sizes(), (std::vector<int64_t>{3, 2, 3}));
    for (int64_t rank = 0; rank < 3; ++rank)
      EXPECT_TRUE(all[rank].equal(Values(rank, 6).view({2, 3})));
    group.Broadcast(values);
    EXPECT_TRUE(values.equal(Values(0, 6).view({2, 3})));
    EXPECT_THAT(group.Gather(std::string(static_cast<size_t>(group.rank()), 'x')),
                ElementsAre("", "x", "xx"));
    EXPECT_THAT(group.Gather(std::string()), ElementsAre("", "", ""));
  });
}

TEST(ProcessGroup, MeetWaitsForTheLast) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point arrival;
  RunRanks(3, [&](ProcessGroup& group) {
    for (int round = 0; round < 3; ++round) {
      if (group.rank() == 1) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        arrival = Clock::now();
      }
      ASSERT_TRUE(group.Meet().ok());
      EXPECT_GE(Clock::now(), arrival);
      ASSERT_TRUE(group.Meet().ok());
    }
  });
}

TEST(ProcessGroup, FailureOfOneReachesAllWithItsReason) {
  RunRanks(3, [](ProcessGroup& group) {
    if (group.rank() == 1) return group.Fail(absl::InternalError("out of paper"));
    const absl::Status status = group.Meet();
    EXPECT_THAT(std::string(status.message()), HasSubstr("out of paper"));
    EXPECT_THAT(std::string(status.message()), HasSubstr("rank 1 ("));
  });
}

TEST(ProcessGroup, OneThatHasEndedIsNamed) {
  RunRanks(2, [](ProcessGroup& group) {
    if (group.rank() == 1) return;
    torch::Tensor values = torch::ones({10});
    try {
      group.Sum(values);
      ADD_FAILURE() << "a sum of one";
    } catch (const std::exception& error) {
      EXPECT_THAT(error.what(), HasSubstr("rank 1 ("));
    }
  });
}

TEST(ProcessGroup, OneThatDoesNotTakePartIsNamedAfterTheTimeout) {
  const ProcessOptions options = {.timeout = 2};
  RunRanks(
      2,
      [](ProcessGroup& group) {
        if (group.rank() == 1) {
          std::this_thread::sleep_for(std::chrono::seconds(9));
          return;
        }
        torch::Tensor values = torch::ones({10});
        const auto start = std::chrono::steady_clock::now();
        try {
          group.Sum(values);
          ADD_FAILURE() << "a sum of one";
        } catch (const std::exception& error) {
          EXPECT_THAT(error.what(), HasSubstr("rank 1 ("));
          EXPECT_THAT(error.what(), HasSubstr("does not take part"));
        }
        EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
      },
      options);
}

TEST(ProcessGroup, ThoseThatDoNotComeAreNamed) {
  const auto group =
      ProcessGroup::Connect({.rank = 0, .size = 3, .port = FreePort()}, {.timeout = 1});
  EXPECT_TRUE(absl::IsUnavailable(group.status())) << group.status();
  EXPECT_THAT(std::string(group.status().message()), HasSubstr("rank 1, rank 2 did not connect"));
}

TEST(ProcessGroup, ImpossiblePlacesAreRefused) {
  for (const Rendezvous& place :
       {Rendezvous{.rank = 2, .size = 2}, Rendezvous{.rank = -1, .size = 2},
        Rendezvous{.rank = 0, .size = 0}, Rendezvous{.rank = 0, .size = 2, .port = 0}}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ProcessGroup::Connect(place, {}).status()));
  }
}

TEST(ProcessGroup, UnknownInterfaceIsNamed) {
  RunRanks(1, [](ProcessGroup&) {});
  const auto group = ProcessGroup::Connect({.rank = 0, .size = 1, .port = FreePort()},
                                           {.timeout = 5, .interface = "nosuch0"});
  EXPECT_THAT(std::string(group.status().message()), HasSubstr("nosuch0"));
}

}  // namespace
}  // namespace seq2seq
