// Replicas: the copies of a model's tensors in the processes that train it together.
#ifndef SEQ2SEQ_TRAIN_REPLICAS_H_
#define SEQ2SEQ_TRAIN_REPLICAS_H_

#include "seq2seq/model/parameters.h"
#include "seq2seq/train/process_group.h"

namespace seq2seq {

// Copies the values of rank 0 into the tensors of all processes. They may be on any device.
void CopyReplicas(const TensorMap& tensors, ProcessGroup& group);

// Sets the tensors of all processes to their mean over the processes.
void AverageReplicas(const TensorMap& tensors, ProcessGroup& group);

// Whether the tensors have the same bits in all processes, by a hash. Costs a pass over them.
bool AreReplicasEqual(const TensorMap& tensors, ProcessGroup& group);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_REPLICAS_H_
