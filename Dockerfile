# seq2seq on Debian, built, with all that the README's commands need; what they make is kept in a volume:
#
#   docker build -t seq2seq .
#   docker run --rm -it -v seq2seq-work:/seq2seq/work seq2seq ./recipes/translate/run
#
# `--target tried` also passes the tests, trains a minute and serves; `--build-arg SUITE=trixie` takes Debian 13.
ARG SUITE=bookworm
FROM debian:${SUITE}-slim AS built
WORKDIR /seq2seq
COPY . .
RUN tests/systems/newcomer setup
RUN tests/systems/newcomer build

FROM built AS tried
RUN tests/systems/newcomer check
RUN tests/systems/newcomer recipe use

FROM built
ENV PATH=/seq2seq/build/release/bin:$PATH
