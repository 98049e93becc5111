// The heap of the process: which freed memory it keeps.
#ifndef SEQ2SEQ_BASE_HEAP_H_
#define SEQ2SEQ_BASE_HEAP_H_

namespace seq2seq {

// Memory that returns to the system and is taken again costs a page fault for every 4 KB, which in
// virtual machines may take longer than what is computed in it. These settings are of the whole
// process, so programs choose them at their start, and the library never does. Without glibc they
// do nothing.

// For training: the heap keeps up to 32 MB, instead of shrinking and growing in every update.
// Arrays of 4 MB and more return to the system, so that they do not fragment it.
void SetUpHeap();

// Keeps all freed memory from now on, for image networks that LibTorch computes: each of their
// layers allocates a large array.
void KeepFreedMemory();

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_HEAP_H_
