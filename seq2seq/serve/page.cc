#include "seq2seq/serve/page.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace seq2seq {

namespace {

constexpr char kPage[] = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>seq2seq</title>
<style>
:root { color-scheme: light dark; --ground: #fbfaf8; --ink: #22211f; --faint: #77736b;
  --line: #e2dfd8; --heat: 196, 78, 24; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #181818; --ink: #e8e6e1; --faint: #98948c; --line: #35332f; --heat: 255, 140, 70; }
}
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem 4rem; background: var(--ground);
  color: var(--ink); font: 16px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.2rem; font-weight: 600; margin: 0 0 1rem; }
h2 { font-size: .8rem; font-weight: 600; color: var(--faint); margin: 2rem 0 .5rem; }
textarea { box-sizing: border-box; width: 100%; min-height: 6rem; padding: .75rem; font: inherit;
  color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 6px; resize: vertical; }
.controls { display: flex; gap: 1rem; align-items: center; margin-top: .75rem; color: var(--faint); }
button { font: inherit; padding: .4rem 1.2rem; border: 0; border-radius: 6px; color: #fff;
  background: rgb(196, 78, 24); cursor: pointer; }
button:disabled { opacity: .5; cursor: default; }
input { font: inherit; width: 4rem; color: inherit; background: transparent; border: 1px solid var(--line);
  border-radius: 6px; padding: .3rem .5rem; }
#best { font-size: 1.35rem; margin: 1.5rem 0 0; min-height: 2rem; }
#error { color: #b3261e; }
ol { list-style: none; margin: 0; padding: 0; }
ol li { display: flex; justify-content: space-between; gap: 1rem; border-top: 1px solid var(--line); padding: .35rem 0; }
ol span:last-child { color: var(--faint); font-variant-numeric: tabular-nums; }
.map { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; }
th { font-weight: 400; white-space: nowrap; padding: .15rem .4rem; }
thead th { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left; }
tbody th { text-align: right; }
td { width: 1.6rem; height: 1.6rem; border: 1px solid var(--line); background: rgba(var(--heat), var(--a)); }
</style>
</head>
<body>
<h1>seq2seq</h1>
<form id="form">
<textarea id="text" placeholder="Type a sentence" aria-label="Sentence" autofocus></textarea>
<div class="controls"><button id="go">Translate</button>
<label>Beam <input id="beam" type="number" min="1" max="{{max_beam}}" value="{{beam}}"></label><span id="time"></span></div>
</form>
<p id="best" aria-live="polite"></p>
<p id="error" role="alert"></p>
<div id="more" hidden>
<h2>Translations and their scores</h2>
<ol id="list"></ol>
<h2>Attention weights</h2>
<div class="map"><table id="map"></table></div>
</div>
<script>
const $ = id => document.getElementById(id);
const make = (tag, text) => { const e = document.createElement(tag); if (text !== undefined) e.textContent = text; return e; };
const readable = subword => subword === '</s>' ? '(end)' : subword.replaceAll('\u2581', ' ').trim();
function show(found) {
  const best = found[0];
  $('best').textContent = best.text;
  $('list').replaceChildren(...found.map(one => {
    const row = make('li');
    row.append(make('span', one.text), make('span', one.score.toFixed(3)));
    return row;
  }));
  $('more').hidden = !best.attention;
  if (!best.attention) return;
  const head = make('thead'), top = make('tr'), body = make('tbody');
  top.append(make('th'), ...best.source_pieces.map(subword => make('th', readable(subword))));
  head.append(top);
  best.attention.forEach((weights, i) => {
    const row = make('tr');
    row.append(make('th', i < best.pieces.length ? readable(best.pieces[i]) : '(end)'));
    for (const weight of weights) {
      const cell = make('td');
      cell.style.setProperty('--a', weight.toFixed(2));
      cell.title = weight.toFixed(2);
      row.append(cell);
    }
    body.append(row);
  });
  $('map').replaceChildren(head, body);
}
$('form').addEventListener('submit', async event => {
  event.preventDefault();
  $('error').textContent = '';
  $('go').disabled = true;
  const start = performance.now();
  try {
    const beam = Number($('beam').value), wishes = beam === {{beam}} ? {} : { beam };
    const n_best = {{sample}} ? {{n_best}} : Math.min(beam, {{n_best}});
    const response = await fetch('translate', { method: 'POST',
      body: JSON.stringify({ text: $('text').value, n_best, attention: true, ...wishes }) });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    show(answer.results[0].translations);
    $('time').textContent = Math.round(performance.now() - start) + ' ms';
  } catch (error) {
    $('error').textContent = error.message;
  }
  $('go').disabled = false;
});
$('text').addEventListener('keydown', event => {
  if (event.key === 'Enter' && !event.shiftKey) { event.preventDefault(); $('form').requestSubmit(); }
});
const asked = new URLSearchParams(location.search).get('text');  // A link may contain a sentence.
if (asked) { $('text').value = asked; $('form').requestSubmit(); }
</script>
</body>
</html>
)";

}  // namespace

std::string PageFor(const SearchOptions& search, const SearchLimits& limits) {
  return absl::StrReplaceAll(kPage,
                             {{"{{beam}}", absl::StrCat(search.beam)},
                              {"{{max_beam}}", absl::StrCat(limits.max_beam)},
                              {"{{n_best}}", absl::StrCat(std::min<int64_t>(5, limits.max_n_best))},
                              {"{{sample}}", search.sample ? "true" : "false"}});
}

}  // namespace seq2seq
