#include <iostream>

#include "seq2seq/search/translator.h"

int main(int argc, char** argv) {
  if (argc != 3) return std::cerr << "usage: translate RUN SENTENCE\n", 1;
  auto translator = seq2seq::Translator::Load({argv[1]});
  if (!translator.ok()) return std::cerr << translator.status() << "\n", 1;
  auto results = translator->Translate({argv[2]});
  if (!results.ok()) return std::cerr << results.status() << "\n", 1;
  std::cout << (*results)[0][0].text << "\n";
}
