// Compute devices by name.
#ifndef SEQ2SEQ_OPS_DEVICE_H_
#define SEQ2SEQ_OPS_DEVICE_H_

#include <string>

#include "absl/status/statusor.h"
#include <c10/core/Device.h>

namespace seq2seq {

// The device of the name cpu, cuda, cuda:1, …; auto is cuda where available, else cpu.
// InvalidArgument, with the name, for another name or a device that LibTorch does not find.
absl::StatusOr<c10::Device> ParseDevice(const std::string& name);

}  // namespace seq2seq

#endif  // SEQ2SEQ_OPS_DEVICE_H_
