// Hash that is the same in every program and run.
#ifndef SEQ2SEQ_BASE_FINGERPRINT_H_
#define SEQ2SEQ_BASE_FINGERPRINT_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace seq2seq {

// 64-bit FNV-1a. Programs and runs share caches, so they need equal hashes, which std::hash does
// not guarantee.
class Fingerprint {
 public:
  void Add(absl::string_view bytes) {
    for (const char byte : bytes)
      value_ = (value_ ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }

  // The bytes of a number, or of a struct without padding.
  template <typename T>
  void AddValue(const T& value) {
    Add({reinterpret_cast<const char*>(&value), sizeof value});
  }

  uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 0xcbf29ce484222325;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_FINGERPRINT_H_
