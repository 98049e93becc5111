#include "seq2seq/kernels/matrix.h"

#include <algorithm>
#include <list>
#include <mutex>
#include <tuple>
#include <unordered_map>
#include <utility>

#include <dnnl.hpp>

#include "seq2seq/kernels/bfloat16.h"
#include "seq2seq/kernels/block.h"
#include "seq2seq/kernels/int8.h"
#include "seq2seq/kernels/parallel.h"

namespace seq2seq {
namespace {

using dnnl::memory;

dnnl::engine& Engine() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

dnnl::stream& Stream() {
  thread_local dnnl::stream stream(Engine());
  return stream;
}

memory::data_type TypeOf(Precision precision) {
  switch (precision) {
    case Precision::kBf16:
      return memory::data_type::bf16;
    case Precision::kInt8:
      return memory::data_type::s8;
    case Precision::kFp32:
      break;
  }
  return memory::data_type::f32;
}

// What products are summed up in.
memory::data_type SumTypeOf(Precision precision) {
  return precision == Precision::kInt8 ? memory::data_type::s32 : memory::data_type::f32;
}

// Memory that is used again.
struct Room {
  // At least `bytes`, until the next call.
  void* Take(size_t bytes) {
    if (bytes > size) {
      memory = AllocateBlock(bytes);
      size = bytes;
    }
    return memory.get();
  }

  std::shared_ptr<void> memory;
  size_t size = 0;
};

// Rooms of this thread: for oneDNN, and for sums in whole numbers.
thread_local Room scratchpad;
thread_local Room whole_sums;

// The part of a product that decides how it is computed.
struct Shape {
  int64_t m, n, k;
  bool a_transposed, b_packed, accumulate, bias;
  Precision precision;
  int threads;

  auto Key() const {
    return std::tie(m, n, k, a_transposed, b_packed, accumulate, bias, precision, threads);
  }
  bool operator==(const Shape& other) const { return Key() == other.Key(); }
};

struct HashShape {
  size_t operator()(const Shape& shape) const {
    size_t hash = 0;
    for (const int64_t part :
         {shape.m, shape.n, shape.k,
          static_cast<int64_t>(shape.a_transposed) | static_cast<int64_t>(shape.b_packed) << 1 |
              static_cast<int64_t>(shape.accumulate) << 2 | static_cast<int64_t>(shape.bias) << 3 |
              static_cast<int64_t>(shape.precision) << 4 |
              static_cast<int64_t>(shape.threads) << 8}) {
      hash = (hash ^ static_cast<size_t>(part)) * 0x9E3779B97F4A7C15u;
      hash ^= hash >> 29;
    }
    return hash;
  }
};

dnnl::matmul::primitive_desc Describe(const memory::desc& a, const memory::desc& b,
                                      const memory::desc& bias, const memory::desc& c,
                                      const dnnl::primitive_attr& attributes) {
#if DNNL_VERSION_MAJOR >= 3
  return dnnl::matmul::primitive_desc(Engine(), a, b, bias, c, attributes);
#else
  return dnnl::matmul::primitive_desc(dnnl::matmul::desc(a, b, bias, c), attributes, Engine());
#endif
}

// The layout that oneDNN wants for a right side used many times. It does not depend on the number
// of rows on the left.
memory::desc PackedLayout(int64_t rows, int64_t columns, Precision precision) {
  constexpr int64_t kSomeRows = 64;
  return Describe({{kSomeRows, rows}, TypeOf(precision), memory::format_tag::ab},
                  {{rows, columns}, TypeOf(precision), memory::format_tag::any}, memory::desc(),
                  {{kSomeRows, columns}, SumTypeOf(precision), memory::format_tag::ab}, {})
      .weights_desc();
}

// A product of one shape, planned and compiled.
struct Product {
  explicit Product(const Shape& shape)
      : a({shape.m, shape.k}, TypeOf(shape.precision),
          shape.a_transposed ? memory::format_tag::ba : memory::format_tag::ab),
        b(shape.b_packed
              ? PackedLayout(shape.k, shape.n, shape.precision)
              : memory::desc({shape.k, shape.n}, TypeOf(shape.precision), memory::format_tag::ab)),
        c({shape.m, shape.n}, SumTypeOf(shape.precision), memory::format_tag::ab) {
    if (shape.bias) {
      bias = memory::desc({1, shape.n}, memory::data_type::f32, memory::format_tag::ab);
    }
    dnnl::primitive_attr attributes;
    // oneDNN's own scratchpads are shared by products that were planned on the same thread.
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    if (shape.accumulate) {
      dnnl::post_ops sum;
      sum.append_sum(1.0f);
      attributes.set_post_ops(sum);
    }
    const dnnl::matmul::primitive_desc description = Describe(a, b, bias, c, attributes);
    scratchpad = description.scratchpad_desc();
    primitive = dnnl::matmul(description);
  }

  memory::desc a, b, c, bias, scratchpad;
  dnnl::matmul primitive;
};

// The products used lately. Shapes repeat from update to update, and each costs a fraction of a
// millisecond to compile and some 50 KB to keep.
class ProductCache {
 public:
  std::shared_ptr<const Product> Get(const Shape& shape) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = places_.find(shape);
    if (found != places_.end()) {
      recent_.splice(recent_.begin(), recent_, found->second);
      return found->second->second;
    }
    if (places_.size() == kCapacity) {
      places_.erase(recent_.back().first);
      recent_.pop_back();
    }
    recent_.emplace_front(shape, std::make_shared<const Product>(shape));
    places_.emplace(shape, recent_.begin());
    return recent_.front().second;
  }

 private:
  static constexpr size_t kCapacity = 1024;
  using Entry = std::pair<Shape, std::shared_ptr<const Product>>;

  std::mutex mutex_;
  std::list<Entry> recent_;
  std::unordered_map<Shape, std::list<Entry>::iterator, HashShape> places_;
};

void Run(const Shape& shape, const void* a, const void* b, const float* bias, void* c) {
  static ProductCache* cache = new ProductCache();  // Never destroyed: threads may outlive main.
  const std::shared_ptr<const Product> product = cache->Get(shape);
  const auto bind = [](const memory::desc& desc, const void* data) {
    return memory(desc, Engine(), const_cast<void*>(data));
  };
  std::unordered_map<int, memory> arguments = {{DNNL_ARG_SRC, bind(product->a, a)},
                                               {DNNL_ARG_WEIGHTS, bind(product->b, b)},
                                               {DNNL_ARG_DST, bind(product->c, c)}};
  if (bias != nullptr) arguments.emplace(DNNL_ARG_BIAS, bind(product->bias, bias));
  arguments.emplace(DNNL_ARG_SCRATCHPAD,
                    bind(product->scratchpad, scratchpad.Take(product->scratchpad.get_size())));
  product->primitive.execute(Stream(), arguments);
  Stream().wait();
}

// Runs a product into `c`, through a matrix without gaps where `c` has some.
void RunInto(const Shape& shape, const Operand& a, const void* b, const float* bias, Matrix c) {
  if (c.stride == c.columns) return Run(shape, a.data(), b, bias, c.data);
  const Buffer whole(c.rows, c.columns);
  Shape fresh = shape;
  fresh.accumulate = false;
  Run(fresh, a.data(), b, bias, whole.view().data);
  if (shape.accumulate) {
    Add(whole.view(), c);
  } else {
    Copy(whole.view(), c);
  }
}

void MultiplyInt8(const Operand& a, const PackedMatrix& b, Matrix c, const float* bias,
                  bool accumulate) {
  auto* sums = static_cast<int32_t*>(
      whole_sums.Take(static_cast<size_t>(c.rows * c.columns) * sizeof(int32_t)));
  Run({.m = c.rows,
       .n = c.columns,
       .k = a.columns(),
       .a_transposed = false,
       .b_packed = true,
       .accumulate = false,
       .bias = false,
       .precision = Precision::kInt8,
       .threads = ParallelThreads()},
      a.data(), b.data(), nullptr, sums);
  ScaleProducts(sums, a.scales(), b.scales(), bias, accumulate, c);
}

void Multiply(const Operand& a, const PackedMatrix& b, Matrix c, const float* bias,
              bool accumulate) {
  if (c.rows == 0) return;
  if (b.precision() == Precision::kInt8) return MultiplyInt8(a, b, c, bias, accumulate);
  RunInto({.m = c.rows,
           .n = c.columns,
           .k = a.columns(),
           .a_transposed = false,
           .b_packed = true,
           .accumulate = accumulate,
           .bias = bias != nullptr,
           .precision = b.precision(),
           .threads = ParallelThreads()},
          a, b.data(), bias, c);
}

void MultiplyTransposed(const Operand& a, const Operand& b, Matrix c, bool accumulate) {
  RunInto({.m = c.rows,
           .n = c.columns,
           .k = a.rows(),
           .a_transposed = true,
           .b_packed = false,
           .accumulate = accumulate,
           .bias = false,
           .precision = a.precision(),
           .threads = ParallelThreads()},
          a, b.data(), nullptr, c);
}

// Lays out values at any distances as products read them: `to` is the memory of a packed matrix.
void LayOut(const void* values, memory::data_type type, const memory::dims& strides,
            const PackedMatrix& to) {
  const memory from({{to.rows(), to.columns()}, type, strides}, Engine(),
                    const_cast<void*>(values));
  const memory packed(PackedLayout(to.rows(), to.columns(), to.precision()), Engine(),
                      const_cast<void*>(to.data()));
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::reorder::primitive_desc plan(from, packed, attributes);
  const memory room(plan.scratchpad_desc(), Engine(),
                    scratchpad.Take(plan.scratchpad_desc().get_size()));
  dnnl::reorder(plan).execute(
      Stream(), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, packed}, {DNNL_ARG_SCRATCHPAD, room}});
  Stream().wait();
}

}  // namespace

Buffer::Buffer(int64_t rows, int64_t columns)
    : data_(std::static_pointer_cast<float>(
          AllocateBlock(static_cast<size_t>(rows * columns) * sizeof(float)))),
      rows_(rows),
      columns_(columns) {}

Operand::Operand(ConstMatrix matrix, Precision precision)
    : data_(matrix.data), rows_(matrix.rows), columns_(matrix.columns), precision_(precision) {
  const auto size = static_cast<size_t>(matrix.rows * matrix.columns);
  if (precision == Precision::kBf16) {
    copy_ = AllocateBlock(size * sizeof(uint16_t));
    RoundToBfloat16(matrix, static_cast<uint16_t*>(copy_.get()));
    data_ = copy_.get();
  } else if (precision == Precision::kInt8) {
    copy_ = AllocateBlock(size);
    scales_ = std::make_shared<float[]>(static_cast<size_t>(matrix.rows));
    RoundToInt8(matrix, static_cast<int8_t*>(copy_.get()), scales_.get());
    data_ = copy_.get();
  } else if (matrix.stride != matrix.columns) {
    copy_ = AllocateBlock(size * sizeof(float));
    Copy(matrix, {static_cast<float*>(copy_.get()), rows_, columns_, columns_});
    data_ = copy_.get();
  }
}

void Clear(Matrix matrix) {
  for (int64_t row = 0; row < matrix.rows; ++row)
    std::fill_n(matrix.row(row), matrix.columns, 0.0f);
}

void Copy(ConstMatrix from, Matrix to) {
  for (int64_t row = 0; row < to.rows; ++row) std::copy_n(from.row(row), to.columns, to.row(row));
}

void Add(ConstMatrix from, Matrix to) {
  for (int64_t row = 0; row < to.rows; ++row) {
    const float* __restrict source = from.row(row);
    float* __restrict sum = to.row(row);
    for (int64_t i = 0; i < to.columns; ++i) sum[i] += source[i];
  }
}

PackedMatrix PackedMatrix::Pack(ConstMatrix values, Precision precision) {
  if (precision != Precision::kInt8) {
    PackedMatrix packed(values.rows, values.columns, precision);
    LayOut(values.data, memory::data_type::f32, {values.stride, 1}, packed);
    return packed;
  }
  const Buffer transposed(values.columns, values.rows);
  for (int64_t row = 0; row < values.rows; ++row) {
    for (int64_t i = 0; i < values.columns; ++i) transposed.view().row(i)[row] = values.row(row)[i];
  }
  return PackTransposed(transposed.view(), precision);
}

PackedMatrix PackedMatrix::PackTransposed(ConstMatrix values, Precision precision) {
  PackedMatrix packed(values.columns, values.rows, precision);
  if (precision != Precision::kInt8) {
    LayOut(values.data, memory::data_type::f32, {1, values.stride}, packed);
    return packed;
  }
  const std::shared_ptr<void> rounded =
      AllocateBlock(static_cast<size_t>(values.rows * values.columns));
  packed.scales_ = std::make_shared<float[]>(static_cast<size_t>(values.rows));
  RoundToInt8(values, static_cast<int8_t*>(rounded.get()), packed.scales_.get());
  LayOut(rounded.get(), memory::data_type::s8, {1, values.columns}, packed);
  return packed;
}

PackedMatrix::PackedMatrix(int64_t rows, int64_t columns, Precision precision)
    : rows_(rows),
      columns_(columns),
      precision_(precision),
      data_(AllocateBlock(PackedLayout(rows, columns, precision).get_size())) {}

bool SupportsProducts(Precision precision) {
  try {
    PackedLayout(64, 64, precision);
    return true;
  } catch (const dnnl::error&) {
    return false;
  }
}

void Multiply(const Operand& a, const PackedMatrix& b, Matrix c, const float* bias) {
  Multiply(a, b, c, bias, /*accumulate=*/false);
}

void Multiply(ConstMatrix a, const PackedMatrix& b, Matrix c, const float* bias) {
  Multiply(Operand(a, b.precision()), b, c, bias, /*accumulate=*/false);
}

void MultiplyAdd(const Operand& a, const PackedMatrix& b, Matrix c) {
  Multiply(a, b, c, nullptr, /*accumulate=*/true);
}

void MultiplyAdd(ConstMatrix a, const PackedMatrix& b, Matrix c) {
  Multiply(Operand(a, b.precision()), b, c, nullptr, /*accumulate=*/true);
}

void MultiplyTransposed(const Operand& a, const Operand& b, Matrix c) {
  MultiplyTransposed(a, b, c, /*accumulate=*/false);
}

void MultiplyTransposedAdd(const Operand& a, const Operand& b, Matrix c) {
  MultiplyTransposed(a, b, c, /*accumulate=*/true);
}

}  // namespace seq2seq
