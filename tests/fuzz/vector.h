// std::vector without constexpr, included before all else.
//
// Clang 14 looks into a constexpr function where it is first used, and so stops at LibTorch 1.13,
// which has vectors of a class that is yet to come (ATen/core/List.h).
#ifndef TESTS_FUZZ_VECTOR_H_
#define TESTS_FUZZ_VECTOR_H_

#include <string>

#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR
#define __fill_a1 __fill_bits  // <string> declares it as constexpr. What std::fill does with bits.
#include <vector>
#undef __fill_a1
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR constexpr

#endif  // TESTS_FUZZ_VECTOR_H_
