---@meta symbi.metrics

---@class symbi.metrics.Exporter
---@field export fun(self: any, snapshot: symbi.metrics.MetricsSnapshot): boolean?, string?, symbi.Error?
---@field shutdown? fun(self: any): boolean?

---@class symbi.metrics.Collector
local Collector = {}
--- A snapshot as it would be exported now.
---@return symbi.metrics.MetricsSnapshot? snapshot, string? message, symbi.Error? err
function Collector:collect() end
--- Exports once, at once; from then on tick does.
---@return boolean? ok, string? message, symbi.Error? err
function Collector:start() end
--- true when it exported; false when nothing was due.
---@param now? number seconds, where the caller has looked at the clock already
---@return boolean? exported, string? message, symbi.Error? err
function Collector:tick(now) end
--- Another name of tick.
---@param now? number
---@return boolean? exported, string? message, symbi.Error? err
function Collector:poll(now) end
function Collector:stop() end

--- What the Symbiont runtime writes and reads of its own metrics.
---@class symbi.metrics.Runtime
---@field from_dict fun(t: table): table?, string?, symbi.Error?
---@field encode fun(snapshot: table, compact?: boolean): string
---@field config fun(t: table): table?, string?, symbi.Error?

---@class symbi.metrics
---@field runtime symbi.metrics.Runtime
local M = {}

---@param t table
---@return symbi.metrics.MetricsSnapshot? snapshot, string? message, symbi.Error? err
function M.snapshot(t) end
--- As snapshot, but the timestamp must be there.
---@param t table
---@return symbi.metrics.MetricsSnapshot? snapshot, string? message, symbi.Error? err
function M.from_dict(t) end
---@param snapshot symbi.metrics.MetricsSnapshot
---@return table
function M.to_dict(snapshot) end
---@param snapshot symbi.metrics.MetricsSnapshot
---@param compact? boolean
---@return string
function M.encode(snapshot, compact) end
---@param config string|symbi.metrics.FileExporterConfig
---@return symbi.metrics.Exporter? exporter, string? message, symbi.Error? err
function M.file(config) end
---@param config symbi.metrics.OtlpExporterConfig|table
---@return symbi.metrics.Exporter? exporter, string? message, symbi.Error? err
function M.otlp(config) end
---@param snapshot symbi.metrics.MetricsSnapshot
---@return table
function M.otlp_payload(snapshot) end
--- Any metrics as the body of an OTLP/HTTP JSON request.
---@param data table resource, scope, metrics, time_unix_nano, start_unix_nano
---@return table
function M.otlp_body(data) end
---@param exporters symbi.metrics.Exporter[]
---@param log? fun(level: string, message: string)
---@return symbi.metrics.Exporter
function M.composite(exporters, log) end
---@param client any a client, or client.metrics
---@param exporter symbi.metrics.Exporter
---@param options? { interval_seconds?: number, log?: function, now?: function, collect?: fun(): symbi.metrics.MetricsSnapshot? }
---@return symbi.metrics.Collector
---@overload fun(exporter: symbi.metrics.Exporter, options?: table): symbi.metrics.Collector
function M.collector(client, exporter, options) end

return M
