#include "seq2seq/train/process_group.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <functional>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <torch/torch.h>

#include "seq2seq/base/describe_error.h"
#include "seq2seq/base/option_rules.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/train/heartbeat.h"

namespace seq2seq {
namespace {

using Milliseconds = std::chrono::milliseconds;

Milliseconds Timeout(const ProcessOptions& options) {
  return Milliseconds(static_cast<int64_t>(1000 * options.timeout));
}

std::string NameOf(const Rendezvous& place) {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  return absl::StrCat("rank ", place.rank, " (", host, ", process ", getpid(), ")");
}

absl::Status CheckPlace(const Rendezvous& place) {
  OptionRules rules;
  rules.Expect("the number of processes", place.size, place.size >= 1, "1 or more");
  rules.Expect("the rank", place.rank, place.rank >= 0 && place.rank < place.size,
               absl::StrCat("0 to ", place.size - 1));
  rules.Expect("the port of rank 0", place.port, place.port >= 1 && place.port <= 65535,
               "1 to 65535");
  return rules.status();
}

// A connection to the store; the store itself, if this process holds it and `hold`.
c10::intrusive_ptr<c10d::Store> OpenStore(const Rendezvous& place, Milliseconds timeout,
                                          bool hold) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<uint16_t>(place.port);
  options.isServer = hold;
  options.waitWorkers = false;
  options.timeout = timeout;
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 3)
  options.useLibUV = false;  // Debian's LibTorch has no libuv.
#endif
  auto tcp = c10::make_intrusive<c10d::TCPStore>(place.address, options);
  tcp->setTimeout(timeout);
  auto store = c10::make_intrusive<c10d::PrefixStore>("seq2seq/" + place.attempt, std::move(tcp));
  store->setTimeout(timeout);
  return store;
}

// Waits until all processes have signed in.
absl::Status AwaitAll(c10d::Store& store, const Rendezvous& place, double timeout) {
  constexpr char kAllHere[] = "all here";
  if (place.rank > 0) {
    store.wait({kAllHere}, Milliseconds(static_cast<int64_t>(1000 * (timeout + 5))));
    return absl::OkStatus();
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(timeout);
  while (true) {
    std::vector<std::string> missing;
    for (int64_t i = 0; i < place.size; ++i) {
      if (!store.check({Heartbeat::SignKey(i)})) missing.push_back(absl::StrCat(i));
    }
    if (missing.empty()) break;
    if (std::chrono::steady_clock::now() > deadline) {
      return absl::UnavailableError(
          absl::StrCat("of ", place.size, " processes, rank ", absl::StrJoin(missing, ", rank "),
                       " did not connect to ", place.address, ":", place.port, " within ", timeout,
                       " s (train.processes.timeout)"));
    }
    std::this_thread::sleep_for(Milliseconds(20));
  }
  store.set(kAllHere, std::vector<uint8_t>{1});
  return absl::OkStatus();
}

std::string AddressText(const sockaddr* address, socklen_t size) {
  char text[NI_MAXHOST] = "";
  getnameinfo(address, size, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
  return text;
}

bool IsLoopback(const std::string& address) {
  return absl::StartsWith(address, "127.") || address == "::1";
}

// The first address of version 4 of this machine that is not of loopback; empty if there is none.
std::string AnyAddress() {
  ifaddrs* found = nullptr;
  if (getifaddrs(&found) != 0) return "";
  std::string any;
  for (const ifaddrs* at = found; at != nullptr && any.empty(); at = at->ifa_next) {
    if (at->ifa_addr == nullptr || at->ifa_addr->sa_family != AF_INET) continue;
    if ((at->ifa_flags & IFF_UP) != 0 && (at->ifa_flags & IFF_LOOPBACK) == 0)
      any = AddressText(at->ifa_addr, sizeof(sockaddr_in));
  }
  freeifaddrs(found);
  return any;
}

// The address of this machine from which rank 0's is reached; empty if it cannot be told. The name
// of a machine, which c10d would take, often resolves to loopback, where no other machine finds it.
std::string OwnAddress(const Rendezvous& place) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(place.address.c_str(), std::to_string(place.port).c_str(), &hints, &found) != 0)
    return "";
  std::string own;
  for (const addrinfo* at = found; at != nullptr && own.empty(); at = at->ai_next) {
    const int file = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, 0);
    if (file < 0) continue;
    sockaddr_storage address = {};
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    // Sends nothing: it only chooses a route.
    if (connect(file, at->ai_addr, at->ai_addrlen) == 0 && getsockname(file, generic, &size) == 0)
      own = AddressText(generic, size);
    close(file);
  }
  freeaddrinfo(found);
  // On rank 0's own machine its name may mean loopback.
  const bool others = place.size > place.local_size;
  return others && IsLoopback(own) && !IsLoopback(place.address) ? AnyAddress() : own;
}

std::shared_ptr<gloo::transport::Device> MakeDevice(const Rendezvous& place,
                                                    const std::string& interface) {
  if (!interface.empty()) return c10d::ProcessGroupGloo::createDeviceForInterface(interface);
  const std::string own = OwnAddress(place);
  return own.empty() ? c10d::ProcessGroupGloo::createDefaultDevice()
                     : c10d::ProcessGroupGloo::createDeviceForHostname(own);
}

// The bytes of contiguous values, in a type that Gloo transports.
torch::Tensor Bytes(const torch::Tensor& values) { return values.flatten().view(torch::kChar); }

// The first values of a buffer, which grows to hold them.
torch::Tensor FirstValues(torch::Tensor& buffer, int64_t count) {
  if (!buffer.defined() || buffer.numel() < count) buffer = torch::empty({count}, torch::kBFloat16);
  return buffer.narrow(0, 0, count);
}

}  // namespace

struct ProcessGroup::Connection {
  c10::intrusive_ptr<c10d::Store> store;  // First: rank 0's holds what all others use.
  std::unique_ptr<Heartbeat> heartbeat;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo;
  torch::Tensor
      halves[2];  // Buffers of SumAsBfloat16, kept: fresh memory costs as much as the sum.
};

absl::StatusOr<std::unique_ptr<ProcessGroup>> ProcessGroup::Connect(const Rendezvous& place,
                                                                    const ProcessOptions& options) {
  SEQ2SEQ_RETURN_IF_ERROR(CheckPlace(place));
  SEQ2SEQ_RETURN_IF_ERROR(Validate(options));
  const std::string name = NameOf(place);
  const Milliseconds timeout = Timeout(options);
  auto connection = std::make_unique<Connection>();
  try {
    const auto gloo = c10d::ProcessGroupGloo::Options::create(timeout);
    gloo->devices = {MakeDevice(place, options.interface)};
    connection->store = OpenStore(place, timeout, place.rank == 0 && !place.launcher_listens);
    Heartbeat::SignIn(*connection->store, place.rank, name);
    SEQ2SEQ_RETURN_IF_ERROR(AwaitAll(*connection->store, place, options.timeout));
    connection->heartbeat =
        std::make_unique<Heartbeat>(OpenStore(place, timeout, /*hold=*/false), place.rank,
                                    place.size, name, std::chrono::duration<double>(timeout));
    connection->gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(
        c10::make_intrusive<c10d::PrefixStore>("gloo", connection->store),
        static_cast<int>(place.rank), static_cast<int>(place.size), gloo);
    return std::unique_ptr<ProcessGroup>(new ProcessGroup(place, std::move(connection)));
  } catch (const std::exception& error) {
    std::string why(ToStatus(error, "c10d").message());
    if (connection->heartbeat) why = connection->heartbeat->Explain(why);
    return absl::UnavailableError(absl::StrCat(name, ": cannot join the ", place.size,
                                               " processes at ", place.address, ":", place.port,
                                               ": ", why));
  }
}

ProcessGroup::ProcessGroup(const Rendezvous& place, std::unique_ptr<Connection> connection)
    : place_(place), connection_(std::move(connection)) {}

ProcessGroup::~ProcessGroup() {
  connection_->gloo.reset();  // Others that wait for this process learn at once that it is gone.
  connection_->heartbeat.reset();
}

template <typename Operation>
void ProcessGroup::Run(const Operation& operation) {
  connection_->heartbeat->Enter();
  std::string symptom;
  try {
    operation(*connection_->gloo)->wait();
    return;
  } catch (const std::exception& error) {
    symptom = error.what();
  }
  TORCH_CHECK(false, connection_->heartbeat->Explain(symptom));
}

void ProcessGroup::Sum(torch::Tensor values) {
  const auto others = static_cast<double>(size() - 1);
  sent_bytes_ += 2 * others / static_cast<double>(size()) * static_cast<double>(values.nbytes());
  std::vector<torch::Tensor> tensors = {values};
  Run([&](c10d::ProcessGroupGloo& gloo) { return gloo.allreduce(tensors); });
}

void ProcessGroup::SumAsBfloat16(torch::Tensor values) {
  // Each process sums one part of all processes' values in fp32, and sends the sum to all.
  const torch::NoGradGuard no_grad;
  const int64_t count = values.numel(), part = (count + size() - 1) / size();
  const torch::Tensor mine =
      FirstValues(connection_->halves[0], size() * part).view({size(), part});
  const torch::Tensor theirs =
      FirstValues(connection_->halves[1], size() * part).view({size(), part});
  const torch::Tensor flat = mine.view({-1});
  flat.narrow(0, 0, count).copy_(values.view({-1}));
  flat.narrow(0, count, size() * part - count).zero_();
  sent_bytes_ += 2 * static_cast<double>(size() - 1) * static_cast<double>(2 * part);
  torch::Tensor out = Bytes(theirs), in = Bytes(mine);
  std::vector<int64_t> equal;
  Run([&](c10d::ProcessGroupGloo& gloo) { return gloo.alltoall_base(out, in, equal, equal); });
  torch::Tensor sum = mine[rank()];
  torch::sum_out(sum, theirs, 0);  // Adds up in fp32.
  GatherInto(sum, mine);
  values.copy_(flat.narrow(0, 0, count).view(values.sizes()));
}

void ProcessGroup::GatherInto(const torch::Tensor& values, const torch::Tensor& all) {
  std::vector<torch::Tensor> in = {Bytes(values)};
  std::vector<std::vector<torch::Tensor>> out(1);
  for (int64_t i = 0; i < size(); ++i) out[0].push_back(Bytes(all[i]));
  Run([&](c10d::ProcessGroupGloo& gloo) { return gloo.allgather(out, in); });
}

void ProcessGroup::Broadcast(torch::Tensor values) {
  if (rank() == 0) sent_bytes_ += static_cast<double>(values.nbytes());
  std::vector<torch::Tensor> tensors = {values};
  Run([&](c10d::ProcessGroupGloo& gloo) { return gloo.broadcast(tensors); });
}

torch::Tensor ProcessGroup::Gather(const torch::Tensor& values) {
  sent_bytes_ += static_cast<double>(size() - 1) * static_cast<double>(values.nbytes());
  std::vector<int64_t> shape = values.sizes().vec();
  shape.insert(shape.begin(), size());
  torch::Tensor all = torch::empty(shape, values.options());
  GatherInto(values.contiguous(), all);
  return all;
}

std::vector<std::string> ProcessGroup::Gather(const std::string& text) {
  const auto bytes = [](const std::string& from, int64_t size) {
    torch::Tensor tensor = torch::zeros({size}, torch::kChar);
    std::memcpy(tensor.data_ptr(), from.data(), from.size());
    return tensor;
  };
  const torch::Tensor sizes =
      Gather(torch::full({1}, static_cast<int64_t>(text.size()), torch::kInt64));
  const auto longest = sizes.max().item<int64_t>();
  std::vector<std::string> texts(static_cast<size_t>(size()));
  if (longest == 0) return texts;
  const torch::Tensor all = Gather(bytes(text, longest));
  for (int64_t i = 0; i < size(); ++i) {
    texts[static_cast<size_t>(i)].assign(static_cast<const char*>(all[i].data_ptr()),
                                         static_cast<size_t>(sizes[i].item<int64_t>()));
  }
  return texts;
}

absl::Status ProcessGroup::Meet() { return connection_->heartbeat->Meet(); }

void ProcessGroup::Fail(const absl::Status& error) {
  connection_->heartbeat->Fail(std::string(error.message()));
}

}  // namespace seq2seq
