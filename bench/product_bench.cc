// Benchmark of matrix products in the shapes of training and decoding, compared with oneDNN and
// OpenBLAS.
#include <dlfcn.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include <CLI/CLI.hpp>

#include "bench/processor.h"
#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/options.h"
#include "seq2seq/kernels/instruction_set.h"
#include "seq2seq/kernels/product.h"

#if SEQ2SEQ_WITH_DNNL
#include <dnnl.hpp>
#endif

namespace seq2seq {
namespace {

struct Shape {
  int64_t rows, inner, columns;
  double operations() const { return 2.0 * static_cast<double>(rows * inner * columns); }
};

// Few rows are those of a beam, 32 and 64 those of a recurrence, more those of whole batches.
std::vector<Shape> Shapes() {
  std::vector<Shape> shapes;
  for (const auto& [inner, columns] : {std::pair<int64_t, int64_t>{256, 1024},
                                       {512, 2048},
                                       {1024, 512},
                                       {1024, 2048},
                                       {512, 8000}}) {
    for (const int64_t rows : {1, 5, 32, 64, 320, 1024}) shapes.push_back({rows, inner, columns});
  }
  return shapes;
}

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Buffer Filled(int64_t rows, int64_t columns) {
  Buffer buffer(rows, columns);
  for (int64_t i = 0; i < rows * columns; ++i) {
    buffer.view().data[i] = static_cast<float>(i * 7919 % 255 - 127) / 127;
  }
  return buffer;
}

// Few rows are those of decoding one sentence, where a time step returns to a weight after all
// others have been read: they use copies of the right side in turn that exceed the last cache.
int64_t Copies(const Shape& shape) {
  constexpr int64_t kWeightBytes = 48 << 20;
  if (shape.rows > 5) return 1;
  return std::clamp<int64_t>(kWeightBytes / (shape.inner * shape.columns * 4), 1, 48);
}

using Call = std::function<void(int64_t copy)>;

Call Ours(const Shape& shape, Precision precision) {
  const Buffer b = Filled(shape.inner, shape.columns);
  std::vector<PackedMatrix> packed;
  for (int64_t i = 0; i < Copies(shape); ++i)
    packed.push_back(PackedMatrix::Pack(b.view(), precision));
  return [a = Filled(shape.rows, shape.inner), packed, c = Buffer(shape.rows, shape.columns)](
             int64_t copy) { Multiply(a.view(), packed[static_cast<size_t>(copy)], c.view()); };
}

std::optional<Call> OpenBlas(const Shape& shape, Precision precision) {
  using Sgemm = void (*)(const char*, const char*, const int*, const int*, const int*, const float*,
                         const float*, const int*, const float*, const int*, const float*, float*,
                         const int*);
  static void* library = dlopen("libopenblas.so.0", RTLD_NOW);
  static const auto sgemm =
      library == nullptr ? nullptr : reinterpret_cast<Sgemm>(dlsym(library, "sgemm_"));
  if (sgemm == nullptr || precision != Precision::kFp32) return std::nullopt;
  std::vector<Buffer> b;
  for (int64_t i = 0; i < Copies(shape); ++i) b.push_back(Filled(shape.inner, shape.columns));
  return [shape, b, a = Filled(shape.rows, shape.inner),
          c = Buffer(shape.rows, shape.columns)](int64_t copy) {
    // Column-major, as in BLAS: c' = b' a'.
    const int m = static_cast<int>(shape.columns), n = static_cast<int>(shape.rows),
              k = static_cast<int>(shape.inner);
    const float one = 1, zero = 0;
    sgemm("N", "N", &m, &n, &k, &one, b[static_cast<size_t>(copy)].view().data, &m, a.view().data,
          &k, &zero, c.view().data, &m);
  };
}

#if SEQ2SEQ_WITH_DNNL
std::optional<Call> OneDnn(const Shape& shape, Precision precision) {
  using dnnl::memory;
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  static dnnl::stream stream(engine);
  const auto type = precision == Precision::kFp32   ? memory::data_type::f32
                    : precision == Precision::kBf16 ? memory::data_type::bf16
                                                    : memory::data_type::s8;
  const auto sums = precision == Precision::kInt8 ? memory::data_type::s32 : memory::data_type::f32;
  const memory::desc a({shape.rows, shape.inner}, type, memory::format_tag::ab);
  const memory::desc any({shape.inner, shape.columns}, type, memory::format_tag::any);
  const memory::desc c({shape.rows, shape.columns}, sums, memory::format_tag::ab);
  try {
#if DNNL_VERSION_MAJOR >= 3
    const dnnl::matmul::primitive_desc plan(engine, a, any, c);
#else
    const dnnl::matmul::primitive_desc plan(dnnl::matmul::desc(a, any, c), engine);
#endif
    std::vector<memory> b;
    for (int64_t i = 0; i < Copies(shape); ++i) {
      const Buffer values = Filled(shape.inner, shape.columns);
      memory from({{shape.inner, shape.columns}, memory::data_type::f32, memory::format_tag::ab},
                  engine, values.view().data);
      b.emplace_back(plan.weights_desc(), engine);
      dnnl::reorder(from, b.back()).execute(stream, from, b.back());
    }
    stream.wait();
    return [primitive = dnnl::matmul(plan), b, left = memory(a, engine),
            to = memory(c, engine)](int64_t copy) {
      primitive.execute(stream, {{DNNL_ARG_SRC, left},
                                 {DNNL_ARG_WEIGHTS, b[static_cast<size_t>(copy)]},
                                 {DNNL_ARG_DST, to}});
      stream.wait();
    };
  } catch (const dnnl::error&) {
    return std::nullopt;  // Not supported on this processor.
  }
}
#else
std::optional<Call> OneDnn(const Shape&, Precision) { return std::nullopt; }
#endif

// The best of several rounds, in which the libraries take turns, as the machine may be shared.
std::vector<double> Rates(const Shape& shape, const std::vector<std::optional<Call>>& calls,
                          int rounds) {
  const int64_t copies = Copies(shape);
  const int64_t times = std::max<int64_t>(copies, static_cast<int64_t>(4e8 / shape.operations()));
  std::vector<double> rates(calls.size(), 0);
  for (int round = 0; round < rounds + 1; ++round) {
    for (size_t i = 0; i < calls.size(); ++i) {
      if (!calls[i]) continue;
      const double start = Now();
      for (int64_t time = 0; time < times; ++time) (*calls[i])(time % copies);
      const double rate = 1e-9 * shape.operations() * static_cast<double>(times) / (Now() - start);
      if (round > 0) rates[i] = std::max(rates[i], rate);
    }
  }
  return rates;
}

// Memory read bandwidth in GB/s, with all threads.
double ReadRate() {
  const Buffer memory = Filled(64, 1 << 20);
  double best = 0;
  for (int round = 0; round < 7; ++round) {
    const double start = Now();
    double sum = 0;
#pragma omp parallel for reduction(+ : sum)
    for (int64_t row = 0; row < 64; ++row) {
      float part[64] = {};
      const float* values = memory.view().row(row);
      for (int64_t i = 0; i < (1 << 20); i += 64) {
        for (int64_t j = 0; j < 64; ++j) part[j] += values[i + j];
      }
      for (const float value : part) sum += static_cast<double>(value);
    }
    const double seconds = Now() - start;
    if (sum != 0.5) best = std::max(best, 64.0 * 4 * (1 << 20) * 1e-9 / seconds);
  }
  return best;
}

std::string Text(double rate) { return rate == 0 ? "" : absl::StrFormat("%.0f", rate); }

void Run(const std::vector<std::string>& precisions, int rounds) {
  absl::PrintF("%s; memory is read at %.1f GB/s\n\n", DescribeProcessor(), ReadRate());
  absl::PrintF("GFLOP/s, the best of %d rounds\n\n", rounds);
  absl::PrintF(
      "| precision | inner x columns | rows | ours | oneDNN | OpenBLAS | ours / the better |\n");
  absl::PrintF("|---|---|---|---|---|---|---|\n");
  for (const std::string& name : precisions) {
    const auto precision = EnumFromText<Precision>(name).value_or(Precision::kFp32);
    if (!SupportsProducts(precision)) {
      absl::PrintF("| %s | not on this processor | | | | | |\n", name);
      continue;
    }
    for (const Shape& shape : Shapes()) {
      const std::vector<double> rates = Rates(
          shape, {Ours(shape, precision), OneDnn(shape, precision), OpenBlas(shape, precision)},
          rounds);
      const double other = std::max(rates[1], rates[2]);
      absl::PrintF("| %s | %d x %d | %d | %s | %s | %s | %s |\n", name, shape.inner, shape.columns,
                   shape.rows, Text(rates[0]), Text(rates[1]), Text(rates[2]),
                   other == 0 ? "" : absl::StrFormat("%.2f", rates[0] / other));
    }
  }
}

}  // namespace
}  // namespace seq2seq

int main(int argc, char** argv) {
  std::vector<std::string> precisions = {"fp32", "bf16", "int8"};
  int threads = 0;
  int rounds = 7;
  CLI::App app("Measures matrix products against those of other libraries.", "product_bench");
  app.add_option("--precision", precisions, "Of fp32, bf16 and int8")->delimiter(',');
  app.add_option("--threads", threads, "Number of threads; 0 is OpenMP's default");
  app.add_option("--rounds", rounds, "Number of rounds, of which the best counts")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (threads > 0) omp_set_num_threads(threads);
  if (!seq2seq::LimitToEnvironment()) return 1;
  seq2seq::Run(precisions, rounds);
  return 0;
}
