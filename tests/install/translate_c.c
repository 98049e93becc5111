#include <stdio.h>
#include <string.h>

#include "seq2seq/c_api/seq2seq_c.h"

/* Ends the test with the line of what does not hold. */
#define EXPECT(holds)                                                          \
  if (!(holds)) {                                                              \
    fprintf(stderr, "%d: %s; '%s'\n", __LINE__, #holds, seq2seq_last_error()); \
    return 0;                                                                  \
  }

/* Whether the last call has failed with an error that contains `word`. */
static int failed(int succeeded, const char* word) {
  return !succeeded && strstr(seq2seq_last_error(), word) != NULL;
}

/* What on_text has received. */
struct heard {
  char text[1000];
  int calls;
  int most; /* Calls until it cancels the request. */
};

static int hear(void* data, const char* text) {
  struct heard* heard = data;
  if (strncmp(text, heard->text, strlen(heard->text)) != 0) heard->calls = 1000; /* No prefix. */
  snprintf(heard->text, sizeof heard->text, "%s", text);
  return ++heard->calls < heard->most;
}

static int test_create(const char* const* models) {
  const char* none[1] = {"no/such/run"};
  EXPECT(failed(seq2seq_create(none, 1, NULL) != NULL, "no/such/run"));
  EXPECT(failed(seq2seq_create(NULL, 0, NULL) != NULL, "at least one model"));
  EXPECT(failed(seq2seq_create(NULL, 1, NULL) != NULL, "models: NULL"));
  EXPECT(failed(seq2seq_create(models, 1, "precison=fp32") != NULL, "precison"));
  EXPECT(failed(seq2seq_create(models, 1, "precision=fp31") != NULL, "fp31"));
  EXPECT(failed(seq2seq_create(models, 1, "threads=-1") != NULL, "threads"));
  EXPECT(failed(seq2seq_create(models, 1, "shortlist=maybe") != NULL, "maybe"));
  EXPECT(failed(seq2seq_create(models, 1, "batch_size=0") != NULL, "batch_size"));
  EXPECT(failed(seq2seq_create(models, 1, "max_beam=0") != NULL, "max_beam"));
  EXPECT(failed(seq2seq_create(models, 1, "threads=1\nlanguage_model=no such") != NULL, "no such"));
  return 1;
}

static int test_translate(const seq2seq_translator* translator, const char* line) {
  const char* lines[2];
  const char* wrong[1] = {NULL};
  char* texts[2] = {NULL, NULL};
  lines[0] = line;
  lines[1] = "";
  EXPECT(failed(seq2seq_translate(translator, lines, 2, "beam=0", texts), "beam"));
  EXPECT(failed(seq2seq_translate(translator, lines, 2, "beam=9", texts), "max_beam"));
  EXPECT(failed(seq2seq_translate(translator, wrong, 1, "", texts), "lines[0]"));
  EXPECT(failed(seq2seq_translate(NULL, lines, 2, "", texts), "translator"));
  EXPECT(failed(seq2seq_translate(translator, lines, 2, "", NULL), "texts"));
  EXPECT(texts[0] == NULL);
  EXPECT(seq2seq_translate(translator, lines, 2, "beam=5 n_best=1", texts));
  EXPECT(strlen(seq2seq_last_error()) == 0 && strlen(texts[1]) == 0);
  printf("%s\n", texts[0]);
  seq2seq_free_texts(texts, 2);
  return 1;
}

static int test_candidates(const seq2seq_translator* translator, const char* line) {
  const char* constraints[1] = {"BIRD"};
  const char* lines[1];
  const char* targets[1];
  seq2seq_request requests[2];
  seq2seq_results* results;
  seq2seq_results* scored;
  const seq2seq_candidate* best;
  double sum = 0;
  size_t i;
  memset(requests, 0, sizeof requests);
  for (i = 0; i < 2; ++i) {
    requests[i].size = sizeof requests[i];
    requests[i].text = line;
  }
  requests[1].prefix = "MY";
  requests[1].constraints = constraints;
  requests[1].constraint_count = 1;
  results = seq2seq_search(translator, requests, 2, "beam=4 n_best=3 attention=true");
  EXPECT(results != NULL);
  for (i = 0; i < 3; ++i) {
    EXPECT(seq2seq_get(results, 0, i) != NULL);
    EXPECT(i == 0 || seq2seq_get(results, 0, i - 1)->score >= seq2seq_get(results, 0, i)->score);
    EXPECT(strncmp(seq2seq_get(results, 1, i)->text, "MY ", 3) == 0);
    EXPECT(strstr(seq2seq_get(results, 1, i)->text, "BIRD") != NULL);
  }
  EXPECT(seq2seq_get(results, 0, 3) == NULL && seq2seq_get(results, 2, 0) == NULL);
  EXPECT(seq2seq_error(results, 0) == NULL && seq2seq_error(results, 2) == NULL);

  best = seq2seq_get(results, 0, 0);
  EXPECT(best->size == sizeof *best && best->score_count == best->subword_count + 1);
  for (i = 0; i < best->score_count; ++i) sum += best->token_scores[i];
  EXPECT(sum > best->log_probability - 1e-6 && sum < best->log_probability + 1e-6);
  EXPECT(best->subword_count > 0 && best->tokens[0] > 0 && strlen(best->subwords[0]) > 0);
  EXPECT(strcmp(best->source_subwords[best->source_count - 1], "</s>") == 0);
  for (sum = 0, i = 0; i < best->source_count; ++i)
    sum += best->attention[(best->score_count - 1) * best->source_count + i];
  EXPECT(sum > 0.999 && sum < 1.001);

  lines[0] = line;
  targets[0] = best->text;
  EXPECT(failed(seq2seq_score(translator, NULL, targets, 1, "") != NULL, "pair up"));
  EXPECT(failed(seq2seq_score(translator, lines, NULL, 1, "") != NULL, "targets: NULL"));
  scored = seq2seq_score(translator, lines, targets, 1, "");
  EXPECT(scored != NULL && seq2seq_get(scored, 0, 0)->attention == NULL);
  sum = seq2seq_get(scored, 0, 0)->log_probability - best->log_probability;
  EXPECT(sum > -1e-3 && sum < 1e-3);
  seq2seq_free_results(scored);
  seq2seq_free_results(results);
  return 1;
}

static int test_streaming(const seq2seq_translator* translator, const char* line) {
  struct heard heard[2];
  seq2seq_request requests[2];
  seq2seq_results* results;
  size_t i;
  memset(requests, 0, sizeof requests);
  memset(heard, 0, sizeof heard);
  for (i = 0; i < 2; ++i) {
    requests[i].size = sizeof requests[i];
    requests[i].text = line;
    requests[i].on_text = hear;
    requests[i].data = &heard[i];
  }
  heard[0].most = 1000;
  heard[1].most = 1;
  results = seq2seq_search(translator, requests, 2, "beam=1");
  EXPECT(results != NULL);
  EXPECT(heard[0].calls > 1 && heard[0].calls < 1000);
  EXPECT(strcmp(heard[0].text, seq2seq_get(results, 0, 0)->text) == 0);
  EXPECT(heard[1].calls == 1 && seq2seq_get(results, 1, 0) == NULL);
  EXPECT(strstr(seq2seq_error(results, 1), "cancelled") != NULL);
  seq2seq_free_results(results);

  requests[0].timeout = 1e-9; /* Of which the other request knows nothing. */
  heard[1].most = 1000;
  results = seq2seq_search(translator, requests, 2, "beam=4");
  EXPECT(results != NULL);
  EXPECT(strstr(seq2seq_error(results, 0), "too long") != NULL && !seq2seq_error(results, 1));
  seq2seq_free_results(results);
  return 1;
}

static int test_wrong_requests(const seq2seq_translator* translator, const char* line) {
  seq2seq_request requests[2];
  seq2seq_results* results;
  memset(requests, 0, sizeof requests);
  requests[0].size = requests[1].size = sizeof requests[0];
  requests[0].text = line;
  EXPECT(failed(seq2seq_search(translator, requests, 2, "") != NULL, "requests[1].text: NULL"));
  requests[1] = requests[0];
  EXPECT(failed(seq2seq_search(NULL, requests, 2, "") != NULL, "translator"));
  EXPECT(failed(seq2seq_search(translator, NULL, 2, "") != NULL, "requests: NULL"));
  EXPECT(failed(seq2seq_search(translator, requests, 2, "baem=2") != NULL, "baem"));
  EXPECT(failed(seq2seq_search(translator, requests, 2, "beam=0") != NULL, "beam"));
  requests[1].timeout = -1;
  EXPECT(failed(seq2seq_search(translator, requests, 2, "") != NULL, "requests[1].timeout"));
  requests[1] = requests[0];
  requests[1].constraint_count = 1;
  EXPECT(failed(seq2seq_search(translator, requests, 2, "") != NULL, "requests[1].constraints"));
  requests[1] = requests[0];
  requests[1].size = sizeof requests[1] + 8;
  EXPECT(failed(seq2seq_search(translator, requests, 2, "") != NULL, "requests[1].size"));
  requests[0].size = sizeof requests[0] + 8;
  EXPECT(failed(seq2seq_search(translator, requests, 1, "") != NULL, "requests[0].size"));
  requests[0].size = 0;
  EXPECT(failed(seq2seq_search(translator, requests, 1, "") != NULL, "requests[0].size"));
  requests[0].size = requests[1].size = sizeof requests[0];
  requests[1].prefix = "\xE2\x98\x83"; /* Which the tokenizer does not know: it fails alone. */
  results = seq2seq_search(translator, requests, 2, "");
  EXPECT(results != NULL && seq2seq_get(results, 0, 0) != NULL);
  EXPECT(strstr(seq2seq_error(results, 1), "prefix") != NULL);
  seq2seq_free_results(results);
  EXPECT(seq2seq_get(NULL, 0, 0) == NULL && seq2seq_note(NULL, 0) == NULL);
  seq2seq_free_results(NULL);
  return 1;
}

int main(int argc, char** argv) {
  seq2seq_translator* translator;
  const char* models[1];
  if (argc < 3) return 1;
  models[0] = argv[1];
  if (!test_create(models)) return 1;
  translator = seq2seq_create(models, 1, "threads=1 max_beam=8");
  if (translator == NULL) {
    fprintf(stderr, "%s\n", seq2seq_last_error());
    return 1;
  }
  if (seq2seq_note(translator, 0) != NULL) return 1;
  if (!test_translate(translator, argv[2]) || !test_candidates(translator, argv[2])) return 1;
  if (!test_streaming(translator, argv[2]) || !test_wrong_requests(translator, argv[2])) return 1;
  seq2seq_free(translator);
  seq2seq_free(NULL);
  return 0;
}
