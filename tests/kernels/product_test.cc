#include "seq2seq/kernels/product.h"

#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"

#include "seq2seq/kernels/bfloat16.h"
#include "seq2seq/kernels/instruction_set.h"
#include "seq2seq/kernels/parallel.h"
#include "tests/kernels/numbers.h"

namespace seq2seq {
namespace {

// A matrix with gaps between its rows, which nothing may write to.
struct Spaced {
  Spaced(int64_t rows, int64_t columns, uint64_t seed)
      : values(Numbers(rows * (columns + 3), seed)),
        view{values.data(), rows, columns, columns + 3} {}

  std::vector<float> values;
  Matrix view;
};

struct Shape {
  int64_t m, n, k;
};

const Shape kShapes[] = {{1, 1, 1},     {1, 7, 5},      {3, 1, 9},     {5, 33, 17},
                         {16, 64, 32},  {64, 96, 5},    {31, 8, 128},  {130, 5, 128},
                         {2, 128, 200}, {48, 100, 300}, {250, 40, 520}};

double Value(Precision precision, float value) {
  if (precision == Precision::kFp32) return static_cast<double>(value);
  uint16_t rounded;
  RoundToBfloat16({&value, 1, 1, 1}, &rounded, 1);
  const uint32_t bits = static_cast<uint32_t>(rounded) << 16;
  float widened;
  std::copy_n(reinterpret_cast<const char*>(&bits), 4, reinterpret_cast<char*>(&widened));
  return static_cast<double>(widened);
}

class Products : public testing::TestWithParam<std::tuple<Precision, int>> {
 protected:
  void SetUp() override {
    omp_set_num_threads(std::get<1>(GetParam()));
    if (!SupportsProducts(precision())) GTEST_SKIP() << "not on this machine";
  }
  Precision precision() const { return std::get<0>(GetParam()); }

  // c + a b, in double.
  std::vector<double> Expected(const Shape& shape, const Spaced& a, bool a_transposed,
                               const Spaced& b, bool b_transposed, const Spaced* c) const {
    std::vector<double> product;
    for (int64_t i = 0; i < shape.m; ++i) {
      for (int64_t j = 0; j < shape.n; ++j) {
        double sum = c == nullptr ? 0 : static_cast<double>(c->view.row(i)[j]);
        for (int64_t l = 0; l < shape.k; ++l) {
          const float left = a_transposed ? a.view.row(l)[i] : a.view.row(i)[l];
          const float right = b_transposed ? b.view.row(j)[l] : b.view.row(l)[j];
          sum += Value(precision(), left) * Value(precision(), right);
        }
        product.push_back(sum);
      }
    }
    return product;
  }

  static void ExpectNear(const Spaced& c, const Spaced& before,
                         const std::vector<double>& expected) {
    const int64_t n = c.view.columns;
    for (int64_t i = 0; i < c.view.rows; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        ASSERT_NEAR(c.view.row(i)[j], expected[static_cast<size_t>(i * n + j)], 1e-4)
            << c.view.rows << " x " << n << ", row " << i << ", column " << j;
      }
      for (int64_t j = n; j < c.view.stride; ++j) {
        ASSERT_EQ(c.view.row(i)[j], before.view.row(i)[j]) << "written to behind row " << i;
      }
    }
  }
};

TEST_P(Products, AgreeWithTheirSums) {
  for (const Shape& shape : kShapes) {
    const Spaced a(shape.m, shape.k, 1);
    const Spaced b(shape.k, shape.n, 2);
    const Spaced c(shape.m, shape.n, 3);
    const PackedMatrix packed = PackedMatrix::Pack(b.view, precision());
    const std::vector<double> product = Expected(shape, a, false, b, false, nullptr);

    Spaced result(shape.m, shape.n, 3);
    Multiply(a.view, packed, result.view);
    ExpectNear(result, c, product);

    const std::vector<float> bias = Numbers(shape.n, 4);
    std::vector<double> with_bias = product;
    for (size_t i = 0; i < with_bias.size(); ++i) {
      with_bias[i] += static_cast<double>(bias[i % bias.size()]);
    }
    Multiply(a.view, packed, result.view, bias.data());
    ExpectNear(result, c, with_bias);

    Spaced sum(shape.m, shape.n, 3);
    MultiplyAdd(a.view, packed, sum.view);
    ExpectNear(sum, c, Expected(shape, a, false, b, false, &c));
  }
}

TEST_P(Products, WithATransposedMatrixAgree) {
  for (const Shape& shape : kShapes) {
    const Spaced a(shape.m, shape.k, 1);
    const Spaced b(shape.n, shape.k, 2);
    const Spaced c(shape.m, shape.n, 3);
    Spaced result(shape.m, shape.n, 3);
    Multiply(a.view, PackedMatrix::PackTransposed(b.view, precision()), result.view);
    ExpectNear(result, c, Expected(shape, a, false, b, true, nullptr));
  }
}

TEST_P(Products, OfATransposedLeftSideAgree) {
  for (const Shape& shape : kShapes) {
    const Spaced a(shape.k, shape.m, 1);
    const Spaced b(shape.k, shape.n, 2);
    const Spaced c(shape.m, shape.n, 3);
    Spaced result(shape.m, shape.n, 3);
    MultiplyTransposed(Operand(a.view, precision()), Operand(b.view, precision()), result.view);
    ExpectNear(result, c, Expected(shape, a, true, b, false, nullptr));
    Spaced sum(shape.m, shape.n, 3);
    MultiplyTransposedAdd(Operand(a.view, precision()), Operand(b.view, precision()), sum.view);
    ExpectNear(sum, c, Expected(shape, a, true, b, false, &c));
  }
}

TEST_P(Products, WithinParallelTasksAgree) {
  const Shape shape = {6, 40, 30};
  const Spaced b(shape.k, shape.n, 2);
  const PackedMatrix packed = PackedMatrix::Pack(b.view, precision());
  constexpr int64_t kTasks = 8;
  std::vector<Spaced> a;
  std::vector<Spaced> results;
  for (uint64_t i = 0; i < kTasks; ++i) {
    a.emplace_back(shape.m, shape.k, 10 + i);
    results.emplace_back(shape.m, shape.n, 3);
  }
  for (int64_t i = 0; i < kTasks; ++i) {
    a[static_cast<size_t>(i)].view.data = a[static_cast<size_t>(i)].values.data();
    results[static_cast<size_t>(i)].view.data = results[static_cast<size_t>(i)].values.data();
  }
  ParallelFor(kTasks, [&](int64_t i) {
    EXPECT_EQ(ParallelThreads(), 1);
    Multiply(a[static_cast<size_t>(i)].view, packed, results[static_cast<size_t>(i)].view);
  });
  const Spaced c(shape.m, shape.n, 3);
  for (size_t i = 0; i < kTasks; ++i) {
    ExpectNear(results[i], c, Expected(shape, a[i], false, b, false, nullptr));
  }
}

// The translation of a sentence must not depend on the others of its batch.
TEST_P(Products, OfARowDoNotDependOnTheOthers) {
  const Shape shape = {150, 100, 600};
  const Spaced a(shape.m, shape.k, 1);
  const Spaced b(shape.k, shape.n, 2);
  const PackedMatrix packed = PackedMatrix::Pack(b.view, precision());
  Spaced together(shape.m, shape.n, 3);
  Multiply(a.view, packed, together.view);
  for (const int64_t rows : {1, 2, 3, 5, 7, 9, 64}) {
    Spaced alone(rows, shape.n, 3);
    Multiply(a.view.Rows(20, rows), packed, alone.view);
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < shape.n; ++j) {
        ASSERT_EQ(alone.view.row(i)[j], together.view.row(20 + i)[j])
            << rows << " rows, row " << i << ", column " << j;
      }
    }
  }
}

// Computes a product on each instruction set of the processor.
std::vector<std::vector<float>> OnEveryInstructionSet(Precision precision) {
  const Shape shape = {13, 90, 700};
  const Spaced a(shape.m, shape.k, 1);
  const Spaced b(shape.n, shape.k, 2);
  const std::vector<float> bias = Numbers(shape.n, 4);
  const InstructionSet most = CurrentInstructionSet();
  std::vector<std::vector<float>> results;
  for (int set = 0; set <= static_cast<int>(most); ++set) {
    LimitInstructionSet(static_cast<InstructionSet>(set));
    Spaced c(shape.m, shape.n, 3);
    Multiply(a.view, PackedMatrix::PackTransposed(b.view, precision), c.view, bias.data());
    results.push_back(c.values);
  }
  LimitInstructionSet(most);
  return results;
}

TEST(Int8Products, AreTheSameOnEveryInstructionSet) {
  const auto results = OnEveryInstructionSet(Precision::kInt8);
  for (const auto& result : results) EXPECT_EQ(result, results[0]);
}

TEST(Fp32Products, DoNotDependOnTheWidthOfVectors) {
  const auto results = OnEveryInstructionSet(Precision::kFp32);
  for (size_t set = 0; set < results.size(); ++set) {
    if (set >= static_cast<size_t>(InstructionSet::kAvx2)) {  // Which has FMA, as all after it.
      EXPECT_EQ(results[set], results[static_cast<size_t>(InstructionSet::kAvx2)]);
    }
    for (size_t i = 0; i < results[0].size(); ++i) {
      ASSERT_NEAR(results[set][i], results[0][i], 1e-4) << set << ", " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Products,
                         testing::Combine(testing::Values(Precision::kFp32, Precision::kBf16),
                                          testing::Values(1, 2)));

TEST(RoundToBfloat16, RoundsToTheNearestAndTiesToEven) {
  const float values[] = {1.0f, 1.00390625f, 1.01171875f, -2.5f, 0.0f, 3.0e38f, 1.005f};
  const uint16_t expected[] = {0x3F80, 0x3F80, 0x3F82, 0xC020, 0x0000, 0x7F62, 0x3F81};
  uint16_t rounded[7];
  RoundToBfloat16({values, 1, 7, 7}, rounded, 7);
  for (int i = 0; i < 7; ++i) EXPECT_EQ(rounded[i], expected[i]) << values[i];
}

TEST(Buffer, IsAlignedAndCleared) {
  const Buffer buffer(3, 5);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.view().data) % 64, 0u);
  Clear(buffer.view());
  for (int64_t i = 0; i < 15; ++i) EXPECT_EQ(buffer.view().data[i], 0.0f);
}

}  // namespace
}  // namespace seq2seq
