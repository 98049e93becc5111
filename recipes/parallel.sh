# shellcheck shell=bash
# Functions for parallel text, shared by the run scripts of recipes that translate; sourced after run.sh. The script sets
# `data`, a folder of texts, `source` and `target`, their languages.

# require_texts NAME...: fails if one of the texts, as train.en, is not in the folder.
require_texts() {
  local file complete=true
  for file; do
    if [[ ! -f $data/$file ]]; then
      say "$data/$file is missing"
      complete=false
    fi
  done
  $complete || exit 1
}

# Prints the names, as test_2016_flickr, of the test sets that have both languages.
test_sets() {
  local file name
  for file in "$data"/test*."$source"; do
    [[ -f $file ]] || continue
    name=$(basename -- "$file" ".$source")
    if [[ -f $data/$name.$target ]]; then
      echo "$name"
    else
      say "$data/$name.$target is missing, so $name is left out"
    fi
  done
}

# spaceless LANGUAGE: whether it is written without spaces between words. There BLEU counts characters, and training selects
# the best checkpoint by chrF, which counts characters anyway.
spaceless() { [[ $1 == ja || $1 == zh* || $1 == th ]]; }

# check_model OPTION RUN: fails if RUN is no folder of a trained model.
check_model() {
  local step
  for step in . best latest; do
    [[ ! -f $2/$step/model.safetensors ]] || return 0
  done
  fail "$1: $2 is not a trained model: it has no best/model.safetensors"
}

# is_weight TEXT: whether data.weights may have it.
is_weight() { [[ $1 =~ ^([0-9]+\.?[0-9]*|\.[0-9]+)$ ]] && awk -v weight="$1" 'BEGIN { exit !(weight > 0 && weight <= 1000) }'; }
