#include "seq2seq/base/decompressor.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

namespace seq2seq {
namespace {

constexpr absl::string_view kGzipMagic("\x1f\x8b", 2);
constexpr absl::string_view kZstdMagic("\x28\xb5\x2f\xfd", 4);
constexpr absl::string_view kSkippableMagic("\x2a\x4d\x18", 3);  // After a byte from 0x50 to 0x5f.
constexpr absl::string_view kXzMagic("\xfd\x37zXZ\0", 6);

absl::Status UnexpectedEnd(absl::string_view format) {
  return absl::DataLossError(absl::StrCat("unexpected end of ", format, " data"));
}

absl::Status NeedsMoreMemory(absl::string_view format) {
  return absl::ResourceExhaustedError(absl::StrCat("decompressing this ", format,
                                                   " data needs more than ", kMaxDecoderBytes >> 20,
                                                   " MiB of memory"));
}

class GzipDecompressor : public Decompressor {
 public:
  GzipDecompressor() { ready_ = inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK; }
  ~GzipDecompressor() override { inflateEnd(&stream_); }

  bool ready() const { return ready_; }

  absl::StatusOr<size_t> Decompress(absl::string_view& in, bool ended,
                                    absl::Span<char> out) override {
    if (between_members_ && !BeginMember(in)) return 0;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    const int code = inflate(&stream_, Z_NO_FLUSH);
    in.remove_prefix(in.size() - stream_.avail_in);
    const size_t written = out.size() - stream_.avail_out;
    if (code == Z_STREAM_END) {
      between_members_ = true;
    } else if (code != Z_OK && code != Z_BUF_ERROR) {  // The latter is no progress.
      return absl::DataLossError(stream_.msg != nullptr ? stream_.msg : zError(code));
    } else if (written == 0 && in.empty() && ended) {
      return UnexpectedEnd("gzip");
    }
    return written;
  }

 private:
  // Whether another member begins; as gzip does, drops what else follows, often zeros.
  bool BeginMember(absl::string_view& in) {
    if (in.empty()) return false;
    is_garbage_ = is_garbage_ || in.front() != kGzipMagic.front();
    if (is_garbage_) {
      in.remove_prefix(in.size());
      return false;
    }
    between_members_ = false;
    return inflateReset(&stream_) == Z_OK;
  }

  z_stream stream_ = {};
  bool ready_;
  bool between_members_ = false;
  bool is_garbage_ = false;  // What follows the last member.
};

class ZstdDecompressor : public Decompressor {
 public:
  ZstdDecompressor() : stream_(ZSTD_createDStream()) {
    // The largest power of two below the limit; input and output buffers come on top.
    if (stream_ != nullptr) ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kMaxWindowLog);
  }
  ~ZstdDecompressor() override { ZSTD_freeDStream(stream_); }

  bool ready() const { return stream_ != nullptr; }

  absl::StatusOr<size_t> Decompress(absl::string_view& in, bool ended,
                                    absl::Span<char> out) override {
    ZSTD_inBuffer from = {in.data(), in.size(), 0};
    ZSTD_outBuffer to = {out.data(), out.size(), 0};
    // At the end of a frame, a call without input would begin another.
    if (!in.empty() || !frame_complete_) {
      const size_t code = ZSTD_decompressStream(stream_, &to, &from);
      if (ZSTD_isError(code)) {
        return ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge
                   ? NeedsMoreMemory("zstd")
                   : absl::DataLossError(ZSTD_getErrorName(code));
      }
      frame_complete_ = code == 0;
    }
    in.remove_prefix(from.pos);
    if (to.pos == 0 && in.empty() && ended && !frame_complete_) return UnexpectedEnd("zstd");
    return to.pos;
  }

 private:
  static constexpr int kMaxWindowLog = 27;
  static_assert(size_t{1} << kMaxWindowLog < kMaxDecoderBytes &&
                size_t{2} << kMaxWindowLog > kMaxDecoderBytes);

  ZSTD_DStream* const stream_;
  bool frame_complete_ = false;
};

class XzDecompressor : public Decompressor {
 public:
  XzDecompressor() {
    ready_ = lzma_stream_decoder(&stream_, kMaxDecoderBytes, LZMA_CONCATENATED) == LZMA_OK;
  }
  ~XzDecompressor() override { lzma_end(&stream_); }

  bool ready() const { return ready_; }

  absl::StatusOr<size_t> Decompress(absl::string_view& in, bool ended,
                                    absl::Span<char> out) override {
    if (complete_) return 0;
    stream_.next_in = reinterpret_cast<const uint8_t*>(in.data());
    stream_.avail_in = in.size();
    stream_.next_out = reinterpret_cast<uint8_t*>(out.data());
    stream_.avail_out = out.size();
    const lzma_ret code = lzma_code(&stream_, ended ? LZMA_FINISH : LZMA_RUN);
    in.remove_prefix(in.size() - stream_.avail_in);
    const size_t written = out.size() - stream_.avail_out;
    if (code == LZMA_STREAM_END) {
      complete_ = true;
    } else if (code == LZMA_MEMLIMIT_ERROR) {
      return NeedsMoreMemory("xz");
    } else if (code == LZMA_MEM_ERROR) {
      return absl::ResourceExhaustedError("out of memory");
    } else if (code != LZMA_OK && code != LZMA_BUF_ERROR) {  // The latter is no progress.
      return absl::DataLossError("corrupt xz data");
    } else if (written == 0 && in.empty() && ended) {
      return UnexpectedEnd("xz");
    }
    return written;
  }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool ready_;
  bool complete_ = false;
};

template <typename Format>
absl::StatusOr<std::unique_ptr<Decompressor>> Make() {
  auto decompressor = std::make_unique<Format>();
  if (!decompressor->ready()) return absl::ResourceExhaustedError("out of memory");
  return decompressor;
}

}  // namespace

Compression CompressionOf(absl::string_view beginning) {
  if (absl::StartsWith(beginning, kGzipMagic)) return Compression::kGzip;
  if (absl::StartsWith(beginning, kXzMagic)) return Compression::kXz;
  // Files of pzstd and others begin with a frame to skip.
  const bool is_skippable = !beginning.empty() && (beginning[0] & 0xf0) == 0x50 &&
                            absl::StartsWith(beginning.substr(1), kSkippableMagic);
  if (is_skippable || absl::StartsWith(beginning, kZstdMagic)) return Compression::kZstd;
  return Compression::kNone;
}

absl::StatusOr<std::unique_ptr<Decompressor>> MakeDecompressor(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return nullptr;
    case Compression::kGzip:
      return Make<GzipDecompressor>();
    case Compression::kZstd:
      return Make<ZstdDecompressor>();
    case Compression::kXz:
      return Make<XzDecompressor>();
  }
  return nullptr;  // Not one of them.
}

}  // namespace seq2seq
