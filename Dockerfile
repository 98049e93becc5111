# seq2seq on Debian, with all that the README's commands need. An image with the program built, and then
# the recipe that trains a translator, in the container:
#
#   docker build -t seq2seq .
#   docker run --rm -it -v seq2seq-work:/seq2seq/work seq2seq ./recipes/translate/run
#
# All that a new user does, the tests too, while the image is built: docker build --target tried .
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
EXPOSE 8080
