/* C interface to translation and scoring, also for every language that can call C.
 *
 *   const char* models[] = {"runs/multi30k"};
 *   seq2seq_translator* translator = seq2seq_create(models, 1, "precision=bf16 threads=2");
 *   if (translator == NULL) puts(seq2seq_last_error());
 *
 *   const char* lines[] = {"A dog runs.", "A cat sleeps."};
 *   char* texts[2];
 *   if (seq2seq_translate(translator, lines, 2, "beam=5", texts)) {
 *     puts(texts[0]);
 *     seq2seq_free_texts(texts, 2);
 *   }
 *
 *   seq2seq_request request = {.size = sizeof request, .text = "A dog runs.", .prefix = "Ein"};
 *   seq2seq_results* results = seq2seq_search(translator, &request, 1, "beam=5 n_best=3");
 *   if (results == NULL) puts(seq2seq_last_error());
 *   const seq2seq_candidate* candidate;
 *   for (size_t rank = 0; (candidate = seq2seq_get(results, 0, rank)) != NULL; ++rank)
 *     printf("%g %s\n", candidate->score, candidate->text);
 *   seq2seq_free_results(results);
 *   seq2seq_free(translator);
 *
 * Texts are null-terminated UTF-8. Options are key=value words, separated by line breaks if there
 * is one, else by spaces; values are written as in YAML; NULL and "" are none. Functions that can
 * fail return NULL or 0, and seq2seq_last_error says why. Nothing is thrown or printed. Threads may
 * share a translator and results; what these give is valid until they are freed.
 */
#ifndef SEQ2SEQ_C_API_SEQ2SEQ_C_H_
#define SEQ2SEQ_C_API_SEQ2SEQ_C_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct seq2seq_translator seq2seq_translator;
typedef struct seq2seq_results seq2seq_results;

/* The error message of this thread's last call of a function that can fail; "" if it succeeded.
 * Valid until its next call. */
const char* seq2seq_last_error(void);

/* Loads `count` run folders, or checkpoints of them; several are an ensemble. NULL if that fails,
 * also for a network that needs LibTorch, which is named. `options`:
 *   precision=auto, fp32, bf16 or int8; by default that of the stored weights
 *   threads=N             for the whole process; 0, the default, is one per core
 *   ensemble=TEXT         what is averaged over models, as in `seq2seq decode --ensemble`
 *   shortlist=false       ignores the lexical shortlist of the first model
 *   language_model=RUN    adds shallow fusion, weighted by the search option language_model_weight
 *   allow_scripts=true    runs a TorchScript image network, which is code of the model's author
 *   max_pixels=N          largest image
 *   batch_size, batch_tokens, batch_scores, batch_bytes, max_line_length
 *                         bounds of a batch, see `seq2seq decode --help`; batch_bytes are
 *                         those that it is estimated to take, 0 for no bound
 *   max_beam, max_n_best, max_subwords, max_wishes, max_constraints
 *                         limits on each request, see `seq2seq serve --help`
 *
 * The caller frees it with seq2seq_free. */
seq2seq_translator* seq2seq_create(const char* const* models, size_t count, const char* options);

/* NULL is allowed. No thread may use it any more. */
void seq2seq_free(seq2seq_translator* translator);

/* What is slower than or different from the options, a line each, such as a precision that a model
 * does not support. NULL past the last; `index` counts from 0. */
const char* seq2seq_note(const seq2seq_translator* translator, size_t index);

/* Translates `count` lines and puts the best translation of each into `texts`, which has room for
 * as many; the caller frees them with seq2seq_free_texts. `options` are those of search, as listed
 * by `seq2seq decode --help`, with _ for -: beam=5 max_length=50; others are those that the first
 * model was validated with. Returns 1, or 0 if that fails; then `texts` is unchanged. */
int seq2seq_translate(const seq2seq_translator* translator, const char* const* lines, size_t count,
                      const char* options, char** texts);

void seq2seq_free_texts(char** texts, size_t count);

/* A line to translate, with requirements on its translation. Zero is the default of each field.
 * Further fields may follow in later versions, which `size` tells apart. */
typedef struct seq2seq_request {
  size_t size;                    /* sizeof(seq2seq_request) as the caller knows it. */
  const char* text;               /* Or the path of an image, or the beginning of a text. */
  const char* prefix;             /* Forced prefix, in whole words; NULL is none. */
  const char* const* constraints; /* Lexical constraints: words or phrases that it contains. */
  size_t constraint_count;
  double timeout; /* Seconds until the request is given up, also during search; 0 is no limit. */

  /* Called by the thread that called seq2seq_search, with `data` and the beginning of the best
   * translation whenever more of it is certain, and in the end with all of it: each text begins
   * with the one before. Not called for an empty translation; NULL is allowed. `text` is valid
   * during the call. Returns 1 to go on, 0 to cancel the request. It must not free the translator,
   * nor throw. */
  int (*on_text)(void* data, const char* text);
  void* data;
} seq2seq_request;

/* Translates `count` requests in batches of similar length, with the search options `options`:
 * those of seq2seq_translate, among them n_best=5, attention=true, forbidden=[word,another]. Each
 * succeeds or fails alone, see seq2seq_error. NULL if all fail: for wrong options, NULL as a text,
 * or a wrong `size`. The caller frees the results with seq2seq_free_results. */
seq2seq_results* seq2seq_search(const seq2seq_translator* translator,
                                const seq2seq_request* requests, size_t count, const char* options);

/* Scores given translations by forced decoding: results with one candidate each. `sources` and
 * `targets` are parallel; `sources` is NULL for a language model. `options` are those of search:
 * the normalisation of scores, attention, language_model_weight. NULL if one of them fails. */
seq2seq_results* seq2seq_score(const seq2seq_translator* translator, const char* const* sources,
                               const char* const* targets, size_t count, const char* options);

/* NULL is allowed. */
void seq2seq_free_results(seq2seq_results* results);

/* A translation. An empty source has an empty one, without token scores. */
typedef struct seq2seq_candidate {
  size_t size; /* sizeof(seq2seq_candidate) as the library knows it; fields may be appended. */
  const char* text;
  double score;           /* By which the candidates of a request are ranked. */
  double log_probability; /* In nats. */
  size_t subword_count;
  const char* const* subwords; /* [subword_count] */
  const int32_t* tokens;       /* [subword_count], their ids. */
  size_t score_count;          /* subword_count + 1, the last for the end of sentence. */
  const double* token_scores;  /* [score_count], log-probabilities. */
  /* Attention weights, row by row, each summing to 1: [score_count, source_count]. NULL, and
   * source_count 0, unless the option attention=true asked for them. */
  const float* attention;
  size_t source_count;
  const char* const* source_subwords; /* [source_count]; NULL for an image. */
} seq2seq_candidate;

/* Candidate `rank`, from 0, of the n-best list of request `index`, best first; NULL past the last,
 * and for a request that failed. */
const seq2seq_candidate* seq2seq_get(const seq2seq_results* results, size_t index, size_t rank);

/* Why request `index` failed: a wrong prefix or constraint, its timeout, its cancellation. NULL if
 * it did not. */
const char* seq2seq_error(const seq2seq_results* results, size_t index);

#ifdef __cplusplus
}
#endif

#endif /* SEQ2SEQ_C_API_SEQ2SEQ_C_H_ */
