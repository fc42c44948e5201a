-- The server's metrics, now and every minute into a file.
local symbi = require "symbi"
local client = symbi.client { raise = true }
print(client.metrics:snapshot().timestamp)
local exporter = symbi.metrics.composite { symbi.metrics.file(os.getenv "METRICS_FILE" or "/var/log/symbiont/metrics.json") }
local collector = symbi.metrics.collector(client.metrics, exporter, { interval_seconds = 60 })
collector:start() -- exports at once; collector:tick() from the program's own loop does it again when the minute is over
