#include <iostream>

#include "seq2seq/seq2seq.h"

int main(int argc, char** argv) {
  if (argc < 3) return 1;
  auto translator = seq2seq::Translator::Load({argv[1]});
  if (!translator.ok()) {
    std::cerr << translator.status().message() << "\n";
    return 1;
  }
  auto results = translator->Translate({argv[2]});
  if (!results.ok()) {
    std::cerr << results.status().message() << "\n";
    return 1;
  }
  std::cout << (*results)[0][0].text << "\n";
}
