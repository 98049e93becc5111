#include "seq2seq/data/feature_cache.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/fingerprint.h"
#include "seq2seq/base/log.h"
#include "seq2seq/base/random.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/data/stack.h"

namespace seq2seq {
namespace {

constexpr char kFeatureMagic[8] = {'s', '2', 's', 'f', 'e', 'a', 't', '1'};
constexpr int64_t kBatch = 16;
constexpr double kLargestHalf = 65'504;

absl::string_view Bytes(const torch::Tensor& tensor) {
  return {static_cast<const char*>(tensor.data_ptr()), tensor.nbytes()};
}

// Whether a file of `size` bytes holds exactly so many features. The numbers are untrusted and may
// overflow.
bool IsSize(size_t size, size_t header, int64_t entries, int64_t positions, int64_t channels) {
  int64_t bytes = sizeof(c10::Half);
  for (const int64_t factor : {positions, channels}) {
    if (factor < 1 || __builtin_mul_overflow(bytes, factor, &bytes)) return false;
  }
  if (entries < 1 || __builtin_add_overflow(bytes, 1, &bytes)) return false;
  if (__builtin_mul_overflow(bytes, entries, &bytes)) return false;
  return static_cast<size_t>(bytes) == size - header;
}

}  // namespace

const char* FeatureCache::features(int64_t entry) const {
  const int64_t size = header().positions * header().channels;
  return file_.data() + sizeof(Header) + static_cast<size_t>(entry * size) * sizeof(c10::Half);
}

bool FeatureCache::has(int64_t image) const {
  const char* present = features(header().entries) + image * views_;
  return std::count(present, present + views_, '\1') == views_;
}

absl::StatusOr<FeatureCache> FeatureCache::Open(const std::string& path, int64_t views) {
  SEQ2SEQ_ASSIGN_OR_RETURN(MappedFile file, MappedFile::Open(path));
  FeatureCache cache(std::move(file), views);
  const size_t size = cache.file_.size();
  if (size < sizeof(Header) ||
      std::memcmp(cache.header().magic, kFeatureMagic, sizeof kFeatureMagic) != 0 ||
      !IsSize(size, sizeof(Header), cache.header().entries, cache.header().positions,
              cache.header().channels)) {
    return absl::DataLossError(absl::StrCat(path, ": not a complete cache of features"));
  }
  return cache;
}

absl::StatusOr<FeatureCache> FeatureCache::Build(const std::string& path, ImageSet& images,
                                                 const Network& network,
                                                 const std::function<void(int64_t done)>& report) {
  Fingerprint fingerprint;
  fingerprint.AddValue(images.Identity());
  fingerprint.AddValue(network.fingerprint);
  if (network.views > 1) fingerprint.AddValue(network.views);
  const auto drop_absent = [&](const FeatureCache& cache) {
    for (int64_t image = 0; image < images.size(); ++image) {
      if (!cache.has(image)) images.Drop(image);
    }
  };
  absl::StatusOr<FeatureCache> cached = Open(path, network.views);
  if (cached.ok() && cached->header().fingerprint == fingerprint.value()) {
    drop_absent(*cached);
    return cached;
  }

  const torch::NoGradGuard no_grad;
  SEQ2SEQ_ASSIGN_OR_RETURN(AtomicFile out, AtomicFile::Create(path));
  Header header = {};
  std::memcpy(header.magic, kFeatureMagic, sizeof kFeatureMagic);
  header.fingerprint = fingerprint.value();
  header.entries = images.size() * network.views;
  const auto path_of = [&](int64_t entry) { return images.Path(entry / network.views); };
  std::string present(static_cast<size_t>(header.entries), '\0');
  int64_t unreadable = -1;  // The last such image, which needs no warning for each of its views.
  int64_t written = 0;      // Entries; those that cannot be read are written as zeros.
  const auto write_zeros = [&](int64_t end) -> absl::Status {
    const std::string zeros(
        static_cast<size_t>(header.positions * header.channels) * sizeof(c10::Half), '\0');
    for (; written < end; ++written) SEQ2SEQ_RETURN_IF_ERROR(out.Append(zeros));
    return absl::OkStatus();
  };
  for (int64_t begin = 0; begin < header.entries; begin += kBatch) {
    std::vector<int64_t> readable;
    std::vector<Array> inputs;
    const int64_t end = std::min(begin + kBatch, header.entries);
    for (int64_t entry = begin; entry < end; ++entry) {
      if (entry / network.views == unreadable) continue;
      const absl::StatusOr<Array> input = network.read(path_of(entry), entry % network.views);
      if (!input.ok()) {
        if (absl::IsUnimplemented(input.status())) return input.status();
        Log(LogLevel::kWarning, absl::StrCat(input.status().message(), "; left out"));
        unreadable = entry / network.views;
        continue;
      }
      if (!inputs.empty() && input->shape != inputs[0].shape) {
        return absl::InvalidArgumentError(
            absl::StrCat(path_of(entry), ": differs in size from the other images"));
      }
      readable.push_back(entry);
      inputs.push_back(*input);
    }
    if (readable.empty()) continue;
    const torch::Tensor features =
        network.compute(Stack(inputs)).to(torch::kCPU, torch::kFloat32).contiguous();
    const torch::Tensor halves = features.to(torch::kHalf);
    if (header.channels == 0) {
      header.positions = features.size(1);
      header.channels = features.size(2);
      SEQ2SEQ_RETURN_IF_ERROR(out.Append({reinterpret_cast<const char*>(&header), sizeof header}));
    }
    if (features.size(1) != header.positions || features.size(2) != header.channels) {
      return absl::InvalidArgumentError(absl::StrCat(
          path_of(readable[0]), ": its features differ in size from those of other images"));
    }
    for (size_t i = 0; i < readable.size(); ++i) {
      const double largest = features[static_cast<int64_t>(i)].abs().max().item<double>();
      if (!(largest <= kLargestHalf)) {
        Log(LogLevel::kWarning,
            absl::StrCat(path_of(readable[i]), ": has features up to ", largest,
                         ", beyond the limit of half precision, 65,504; left out"));
        continue;
      }
      SEQ2SEQ_RETURN_IF_ERROR(write_zeros(readable[i]));
      SEQ2SEQ_RETURN_IF_ERROR(out.Append(Bytes(halves[static_cast<int64_t>(i)])));
      ++written;
      present[static_cast<size_t>(readable[i])] = 1;
    }
    if (report) report(end);
  }
  const std::string whole(static_cast<size_t>(network.views), '\1');
  bool any = false;
  for (size_t first = 0; first < present.size(); first += whole.size())
    any = any || present.compare(first, whole.size(), whole) == 0;
  if (!any) {
    return absl::InvalidArgumentError("none of the images can be used");
  }
  SEQ2SEQ_RETURN_IF_ERROR(write_zeros(header.entries));
  SEQ2SEQ_RETURN_IF_ERROR(out.Append(present));
  SEQ2SEQ_RETURN_IF_ERROR(out.Commit());
  SEQ2SEQ_ASSIGN_OR_RETURN(FeatureCache cache, Open(path, network.views));
  drop_absent(cache);
  return cache;
}

torch::Tensor FeatureCache::Read(absl::Span<const int64_t> images,
                                 const std::optional<uint64_t>& seed) const {
  const int64_t positions = header().positions;
  const auto batch = static_cast<int64_t>(images.size());
  const torch::Tensor halves = torch::empty({batch, positions, channels()}, torch::kHalf);
  for (int64_t i = 0; i < batch; ++i) {
    const torch::Tensor one = halves[i];
    int64_t entry = images[static_cast<size_t>(i)] * views_;
    if (seed) {
      entry += static_cast<int64_t>(DeriveSeed({*seed, static_cast<uint64_t>(i)}) %
                                    static_cast<uint64_t>(views_));
    }
    std::memcpy(one.data_ptr(), features(entry), one.nbytes());
  }
  return halves.to(torch::kFloat32);
}

}  // namespace seq2seq
