/* C interface to the translator, also for every language that can call C.
 *
 *   const char* models[] = {"runs/multi30k"};
 *   seq2seq_translator* translator = seq2seq_create(models, 1, "precision=bf16");
 *   if (translator == NULL) puts(seq2seq_last_error());
 *   const char* lines[] = {"A dog runs.", "A cat sleeps."};
 *   char* texts[2];
 *   if (seq2seq_translate(translator, lines, 2, "beam=5", texts)) {
 *     puts(texts[0]);
 *     seq2seq_free_texts(texts, 2);
 *   }
 *   seq2seq_free(translator);
 *
 * Texts are null-terminated UTF-8. Options are key=value words separated by spaces; NULL and "" are
 * none. Nothing is thrown, and nothing is printed.
 */
#ifndef SEQ2SEQ_C_API_SEQ2SEQ_C_H_
#define SEQ2SEQ_C_API_SEQ2SEQ_C_H_

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct seq2seq_translator seq2seq_translator;

/* Loads `count` run folders, or checkpoints of them; several are an ensemble.
 * `options`: precision=auto, fp32, bf16 or int8, by default that of the stored weights;
 * shortlist=false ignores the lexical shortlist of the first model; language_model=RUN adds shallow
 * fusion, weighted by the search option language_model_weight; allow_scripts=true runs a
 * TorchScript image network, which is code of the model's author; threads=N applies to the whole
 * process, 0 being one per core. NULL if that fails. The caller frees it with seq2seq_free. */
seq2seq_translator* seq2seq_create(const char* const* models, size_t count, const char* options);

/* What is slower than or different from `options`, a line each, such as a precision that a model
 * does not support. NULL past the last; `index` counts from 0. Valid as long as the translator. */
const char* seq2seq_note(const seq2seq_translator* translator, size_t index);

/* Translates `count` lines and puts the best translation of each into `texts`, which has room for
 * as many; the caller frees them with seq2seq_free_texts. `options` are those of search, as listed
 * by `seq2seq decode --help`, with _ for -: beam=5 max_length=50. Returns 1, or 0 if that fails;
 * then `texts` is unchanged. Threads may share a translator. */
int seq2seq_translate(const seq2seq_translator* translator, const char* const* lines, size_t count,
                      const char* options, char** texts);

void seq2seq_free_texts(char** texts, size_t count);

/* NULL is allowed. */
void seq2seq_free(seq2seq_translator* translator);

/* The error message of this thread's last call; "" if it succeeded. Valid until its next call. */
const char* seq2seq_last_error(void);

#ifdef __cplusplus
}
#endif

#endif /* SEQ2SEQ_C_API_SEQ2SEQ_C_H_ */
