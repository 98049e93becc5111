#include <stdio.h>
#include <string.h>

#include "seq2seq/c_api/seq2seq_c.h"

/* Prints why a call failed that had to, or nothing if it did not. */
static int fails(int succeeded, const char* word) {
  if (succeeded || strstr(seq2seq_last_error(), word) == NULL) {
    fprintf(stderr, "no error that names %s: '%s'\n", word, seq2seq_last_error());
    return 0;
  }
  return 1;
}

int main(int argc, char** argv) {
  seq2seq_translator* translator;
  const char* lines[2];
  const char* wrong[1] = {NULL};
  const char* none[1] = {"no/such/run"};
  const char* models[1];
  char* texts[2] = {NULL, NULL};
  if (argc < 3) return 1;
  models[0] = argv[1];
  if (!fails(seq2seq_create(none, 1, NULL) != NULL, "no/such/run")) return 1;
  if (!fails(seq2seq_create(NULL, 0, NULL) != NULL, "at least one model")) return 1;
  if (!fails(seq2seq_create(models, 1, "precison=fp32") != NULL, "precison")) return 1;
  translator = seq2seq_create(models, 1, "threads=1");
  if (translator == NULL) {
    fprintf(stderr, "%s\n", seq2seq_last_error());
    return 1;
  }
  if (seq2seq_note(translator, 0) != NULL) return 1;
  lines[0] = argv[2];
  lines[1] = "";
  if (!fails(seq2seq_translate(translator, lines, 2, "beam=0", texts), "beam")) return 1;
  if (!fails(seq2seq_translate(translator, wrong, 1, "", texts), "lines[0]")) return 1;
  if (texts[0] != NULL) return 1;
  if (!seq2seq_translate(translator, lines, 2, "beam=5 n_best=1", texts)) {
    fprintf(stderr, "%s\n", seq2seq_last_error());
    return 1;
  }
  if (strlen(seq2seq_last_error()) != 0 || strlen(texts[1]) != 0) return 1;
  printf("%s\n", texts[0]);
  seq2seq_free_texts(texts, 2);
  seq2seq_free(translator);
  seq2seq_free(NULL);
  return 0;
}
