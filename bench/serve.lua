-- For wrk: each request translates one line of the file $SENTENCES, in turn.
local lines, next_line = {}, 0
local quote = { ['"'] = '\\"', ["\\"] = "\\\\", ["\t"] = "\\t" }

function init()
  for line in io.lines(os.getenv("SENTENCES")) do
    lines[#lines + 1] = '{"text": "' .. line:gsub('["\\\t]', quote) .. '"}'
  end
end

function request()
  next_line = next_line % #lines + 1
  return wrk.format("POST", "/translate", { ["Content-Type"] = "application/json" }, lines[next_line])
end

function done(summary, latency)
  local seconds = summary.duration / 1e6
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status
    + summary.errors.timeout
  io.write(string.format("| %.0f | %.1f | %.1f | %.1f | %.1f | %d |\n", summary.requests / seconds,
    latency:percentile(50) / 1e3, latency:percentile(90) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3, failed))
end
