#include "seq2seq/data/corpus.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "seq2seq/base/fingerprint.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/task.h"
#include "seq2seq/data/pair_encoder.h"
#include "seq2seq/data/pair_reader.h"

namespace seq2seq {

struct Corpus::Header {
  char magic[8];
  uint64_t fingerprint;  // Of everything that the ids depend on.
  uint64_t content;      // Of the ids themselves.
  uint64_t pairs;
  uint64_t index_offset;  // Bytes from the start of the file to the first Entry.
  CorpusCounts counts;
};

struct Corpus::Entry {
  uint64_t offset;  // Ids from the start of the ids to the source; the target follows it.
  uint32_t source_length;
  uint32_t target_length;
};

namespace {

constexpr char kMagic[8] = {'s', '2', 's', 'c', 'o', 'r', 'p', '3'};

template <typename T>
absl::string_view Bytes(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

absl::string_view BytesOfIds(absl::Span<const int32_t> ids) {
  return {reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(int32_t)};
}

absl::StatusOr<uint64_t> FingerprintOf(const std::vector<std::string>& files, uint64_t source,
                                       const Tokenizer& target, const FilterOptions& filter) {
  Fingerprint fingerprint;
  for (const std::string& path : files) {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot open"));
    }
    fingerprint.Add(path);
    fingerprint.AddValue(info.st_size);
    fingerprint.AddValue(info.st_mtim.tv_sec);
    fingerprint.AddValue(info.st_mtim.tv_nsec);
  }
  fingerprint.AddValue(source);
  fingerprint.Add(target.model());
  fingerprint.AddValue(filter.max_length);
  fingerprint.AddValue(filter.max_ratio);
  return fingerprint.value();
}

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// Collects bytes in a temporary, unlinked file beside `path`, until the header before them is
// known.
class Spool {
 public:
  explicit Spool(std::string path) : path_(std::move(path)) {}

  absl::Status Append(absl::string_view bytes) {
    if (bytes.empty()) return absl::OkStatus();
    if (file_ == nullptr) {
      file_.reset(std::fopen(path_.c_str(), "w+be"));
      if (file_ == nullptr)
        return absl::ErrnoToStatus(errno, absl::StrCat(path_, ": cannot create"));
      std::remove(path_.c_str());
    }
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) == bytes.size())
      return absl::OkStatus();
    return absl::ErrnoToStatus(errno, absl::StrCat(path_, ": cannot write"));
  }

  absl::Status CopyTo(AtomicFile& out) {
    if (file_ == nullptr) return absl::OkStatus();
    if (std::fseek(file_.get(), 0, SEEK_SET) != 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat(path_, ": cannot write"));
    }
    char buffer[1 << 16];
    while (const size_t count = std::fread(buffer, 1, sizeof buffer, file_.get())) {
      SEQ2SEQ_RETURN_IF_ERROR(out.Append({buffer, count}));
    }
    return std::ferror(file_.get()) == 0
               ? absl::OkStatus()
               : absl::DataLossError(absl::StrCat(path_, ": cannot read"));
  }

 private:
  std::string path_;
  std::unique_ptr<std::FILE, FileCloser> file_;
};

}  // namespace

CorpusCounts& CorpusCounts::operator+=(const CorpusCounts& other) {
  pairs += other.pairs;
  empty += other.empty;
  invalid += other.invalid;
  too_long += other.too_long;
  bad_ratio += other.bad_ratio;
  no_image += other.no_image;
  return *this;
}

std::string CorpusCounts::Text(const FilterOptions& filter) const {
  std::vector<std::string> reasons;
  if (empty > 0) reasons.push_back(absl::StrCat(empty, " empty"));
  if (invalid > 0) reasons.push_back(absl::StrCat(invalid, " not UTF-8"));
  if (too_long > 0)
    reasons.push_back(absl::StrCat(too_long, " longer than ", filter.max_length, " subwords"));
  if (no_image > 0) reasons.push_back(absl::StrCat(no_image, " without a readable image"));
  if (bad_ratio > 0)
    reasons.push_back(
        absl::StrCat(bad_ratio, " with a length ratio above ", filter.max_ratio, ":1"));
  return absl::StrCat(pairs, " lines read, ", kept(), " kept",
                      reasons.empty() ? "" : "; dropped: ", absl::StrJoin(reasons, ", "));
}

absl::StatusOr<Corpus> Corpus::Build(const std::vector<std::string>& files,
                                     const SourceEncoder& source, const Tokenizer& target,
                                     const FilterOptions& options, const std::string& path,
                                     int threads) {
  FilterOptions filter = options;
  if (!source.has_ratio) filter.max_ratio = 0;
  SEQ2SEQ_ASSIGN_OR_RETURN(
      PairReader reader,
      PairReader::Open(files, /*has_sources=*/source.encode != nullptr, filter.max_line_bytes));
  SEQ2SEQ_ASSIGN_OR_RETURN(const uint64_t fingerprint,
                           FingerprintOf(files, source.identity, target, filter));
  absl::StatusOr<Corpus> cached = Open(path);
  if (cached.ok() && cached->header().fingerprint == fingerprint) return cached;

  Header header = {};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.fingerprint = fingerprint;
  CorpusCounts& counts = header.counts;
  // The header precedes ids and index in the file, but is known last: both are spooled.
  Spool ids(TemporaryName(path + ".ids"));
  Spool index(TemporaryName(path + ".index"));
  Fingerprint content;
  uint64_t offset = 0;
  Task task(absl::StrCat("reading ", absl::StrJoin(files, ", ")), "lines");
  const auto write = [&](const EncodedPairs& pairs) -> absl::Status {
    counts += pairs.counts;
    task.Set(counts.pairs);
    const int32_t* next = pairs.ids.data();
    for (const auto& [source_length, target_length] : pairs.lengths) {
      const Entry entry = {offset, source_length, target_length};
      const size_t length = size_t{source_length} + target_length;
      content.Add(Bytes(entry));
      content.Add(BytesOfIds({next, length}));
      SEQ2SEQ_RETURN_IF_ERROR(index.Append(Bytes(entry)));
      offset += length;
      next += length;
    }
    return ids.Append(BytesOfIds(pairs.ids));
  };
  SEQ2SEQ_RETURN_IF_ERROR(PairEncoder(reader, source, target, filter).Run(threads, write));
  if (counts.kept() == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(absl::StrJoin(files, ", "), ": no pair is left; ", counts.Text(filter)));
  }
  header.content = content.value();
  header.pairs = static_cast<uint64_t>(counts.kept());
  // Entries hold 64-bit numbers and must be aligned.
  const size_t padding = offset % 2 * sizeof(int32_t);
  header.index_offset = sizeof header + offset * sizeof(int32_t) + padding;

  SEQ2SEQ_ASSIGN_OR_RETURN(AtomicFile out, AtomicFile::Create(path));
  SEQ2SEQ_RETURN_IF_ERROR(out.Append(Bytes(header)));
  SEQ2SEQ_RETURN_IF_ERROR(ids.CopyTo(out));
  SEQ2SEQ_RETURN_IF_ERROR(out.Append(std::string(padding, '\0')));
  SEQ2SEQ_RETURN_IF_ERROR(index.CopyTo(out));
  SEQ2SEQ_RETURN_IF_ERROR(out.Commit());
  return Open(path);
}

absl::StatusOr<Corpus> Corpus::Open(const std::string& path) {
  SEQ2SEQ_ASSIGN_OR_RETURN(MappedFile file, MappedFile::Open(path));
  Corpus corpus(std::move(file));
  const auto damaged = [&] {
    return absl::DataLossError(absl::StrCat(path, ": not a complete corpus cache"));
  };
  const size_t size = corpus.file_.size();
  if (size < sizeof(Header) || std::memcmp(corpus.header().magic, kMagic, sizeof kMagic) != 0)
    return damaged();
  const uint64_t index_offset = corpus.header().index_offset;
  if (index_offset < sizeof(Header) || index_offset > size || index_offset % alignof(Entry) != 0 ||
      corpus.header().pairs != (size - index_offset) / sizeof(Entry) ||
      (size - index_offset) % sizeof(Entry) != 0) {
    return damaged();
  }
  const uint64_t ids = (index_offset - sizeof(Header)) / sizeof(int32_t);
  for (int64_t i = 0; i < corpus.size(); ++i) {
    const Entry& pair = corpus.entry(i);
    const uint64_t length = uint64_t{pair.source_length} + pair.target_length;
    if (pair.offset > ids || length > ids - pair.offset) return damaged();
  }
  return corpus;
}

const Corpus::Header& Corpus::header() const {
  return *reinterpret_cast<const Header*>(file_.data());
}

const Corpus::Entry& Corpus::entry(int64_t index) const {
  return reinterpret_cast<const Entry*>(file_.data() + header().index_offset)[index];
}

int64_t Corpus::size() const { return static_cast<int64_t>(header().pairs); }

Example Corpus::operator[](int64_t index) const {
  const Entry& pair = entry(index);
  const auto* ids = reinterpret_cast<const int32_t*>(file_.data() + sizeof(Header)) + pair.offset;
  return {{ids, pair.source_length}, {ids + pair.source_length, pair.target_length}};
}

int64_t Corpus::source_length(int64_t index) const { return entry(index).source_length; }
int64_t Corpus::target_length(int64_t index) const { return entry(index).target_length; }
uint64_t Corpus::content() const { return header().content; }
const CorpusCounts& Corpus::counts() const { return header().counts; }

}  // namespace seq2seq
