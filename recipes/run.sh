# shellcheck shell=bash
# Functions shared by the run scripts of the recipes. A script defines usage(), sources this file, names its options in
# `paths` and `values`, calls read_options, and continues in the repository's root. It sets `config`, `minutes` if the
# training time is limited, and `operand`, what an argument without a name is, if it takes any.

say() { echo "run: $*" >&2; }
fail() { say "$*"; exit 1; }

root=$(realpath -- "$(dirname -- "${BASH_SOURCE[0]}")/..")
program=build/release/bin/seq2seq
paths=() values=() overrides=() flags=() operands=()
minutes='' threads='' operand='' running=''

# resolve PATH: prints it independent of the current folder, and relative to the root if it is below it.
resolve() { realpath --canonicalize-missing --no-symlinks --relative-base="$root" -- "$1"; }

# Reads the arguments: --NAME VALUE into the variable NAME (- becomes _), for each NAME in `values`, and in `paths`, which
# are resolved; key=value, and --threads, into `overrides`; others, which are paths too, into `operands`. Then changes to the
# root. Flags of train are in `flags`.
read_options() {
  local option value
  while (($#)); do
    option=${1#--}
    case $1 in
      --help | -h) usage; exit ;;
      -*)
        [[ $1 == --?* && " ${values[*]} ${paths[*]} " == *" $option "* ]] || fail "unknown option $1; see --help"
        (($# > 1)) || fail "$1 needs a value"
        value=$2
        if [[ " ${paths[*]} " == *" $option "* ]]; then value=$(resolve "$2"); fi
        printf -v "${option//-/_}" %s "$value"
        shift 2 ;;
      *=*) overrides+=("$1"); shift ;;
      *)
        [[ -n $operand ]] || fail "'$1' is neither an option nor key=value; see --help"
        [[ -n $1 ]] || fail "$operand is an empty argument"
        operands+=("$(resolve "$1")")
        shift ;;
    esac
  done
  [[ -z $threads ]] || overrides=("train.threads=$threads" "${overrides[@]}")
  cd -- "$root"
}

# Builds the program, and lets it reject misspelt settings before anything is fetched or learnt.
build() {
  recipes/build
  "$program" train -c "$config" ${minutes:+"train.max_minutes=$minutes"} "${overrides[@]}" --dump-config >/dev/null
}

# learn_tokenizer MODEL TEXT... -- OPTION...: learns MODEL; if it exists, checks that it is of the same texts and options.
learn_tokenizer() {
  local model=$1 inputs=() texts=() origin
  shift
  while [[ $1 != -- ]]; do
    texts+=("$1") inputs+=(--input "$1")
    shift
  done
  shift
  origin="$* $(cat -- "${texts[@]}" | sha256sum)"
  if [[ -f $model ]]; then
    local away
    away="move $(dirname -- "$model") away, or rename the data folder"
    [[ -f $model.origin ]] || fail "$model.origin is missing, which records what $model was learnt from: $away"
    [[ $(<"$model.origin") == "$origin" ]] || fail "$model was learnt from other text than ${texts[*]}: $away"
    return
  fi
  say "learning $model"
  mkdir -p -- "$(dirname -- "$model")"
  printf '%s\n' "$origin" >"$model.origin"
  "$program" tokenizer train "$@" "${inputs[@]}" --model "$model"
}

# subword_flags N: the flags of a tokenizer of N subwords that translates. Of a few hundred, none would be left beside those of
# the bytes.
subword_flags() {
  printf '%s ' --type bpe
  if (($1 >= 1000)); then printf '%s ' --byte-fallback; fi
  printf '%s' "--vocab-size $1"
}

# resumable COMMAND...: runs a command that saves what it has done when it is stopped.
resumable() {
  local status=0
  # In the background, so that the traps below do not wait until it ends; in a session of its own, so that it receives a
  # signal once, from stop.
  (
    trap - INT # The shell makes background commands ignore it.
    exec setsid "$@"
  ) &
  running=$!
  wait "$running" || status=$?
  running=''
  return "$status"
}

# train RUN SETTING...: trains, for the time of `minutes`.
train() {
  local time=" for $minutes minutes"
  [[ ${minutes:-0} != 0 ]] || time=''
  say "training$time; the model is $1"
  resumable "$program" train -c "$config" "${flags[@]}" "train.run=$1" ${minutes:+"train.max_minutes=$minutes"} \
    "${@:2}" "${overrides[@]}"
}

# Ends the script after the command that is running has saved; a second Ctrl-C ends that at once.
stop() {
  trap '' TERM HUP
  if [[ -n $running ]]; then
    kill "$running" 2>/dev/null || true
    trap 'kill "$running" 2>/dev/null || true' INT
    while kill -0 "$running" 2>/dev/null; do wait "$running" || true; done
  fi
  say "stopped; repeat the same command to continue"
  exit "$((128 + $(kill -l "$1")))"
}
for signal in INT TERM HUP; do trap "stop $signal" "$signal"; done

# every FILE: prints the distance in lines between five evenly spaced examples.
every() {
  local lines
  lines=$(wc -l <"$1")
  echo "$((lines >= 5 ? lines / 5 : 1))"
}
