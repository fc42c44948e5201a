---@meta symbi.audit

---@class symbi.audit.Event
---@field event string|table JSON text or a table
---@field agent_id? string
---@field loop_id? string
---@field iteration? integer

---@class symbi.audit.Entry
---@field sequence integer
---@field timestamp_ms integer
---@field loop_id string
---@field agent_id string
---@field iteration integer
---@field event string
---@field data? table the event, decoded
---@field prev_hash string
---@field hash string
---@field signature string
---@field damaged? string instead of all but sequence

---@class symbi.audit.Checkpoint
---@field len integer
---@field head string
---@field [string] any

---@class symbi.audit.Report
---@field ok boolean
---@field result string
---@field entries integer
---@field anchored integer
---@field checkpoints integer
---@field bad_sequence? integer
---@field detail? string
---@field public_key? string of an export: the key it was checked with
---@field trusted_key? boolean of an export: whether that key was given, not claimed
---@field [string] any

---@class symbi.audit.OpenOptions
---@field chain? string "main" unless said otherwise
---@field key? string
---@field sign? "entry"|"checkpoint"
---@field clock_slack_ms? integer

--- The writer of a trail: what a gate takes as audit.
---@class symbi.audit.Writer : userdata
local Writer = {}
---@param events symbi.audit.Event|symbi.audit.Event[]
---@param options? { durable?: boolean, records?: table[] }
---@return integer? entries, string? message, symbi.Failure? err
function Writer:commit(events, options) end
---@param events symbi.audit.Event|symbi.audit.Event[]
---@param options? { records?: table[] }
---@return string? batch, string? message, symbi.Failure? err
function Writer:prepare(events, options) end
---@param receipt string
---@return boolean? ok, string? message, symbi.Failure? err
function Writer:confirm(receipt) end
function Writer:abandon() end
---@return boolean? ok, string? message, symbi.Failure? err
function Writer:retract() end
---@return boolean? ok, string? message, symbi.Failure? err
function Writer:check_clock() end
---@return boolean? ok, string? message, symbi.Failure? err
function Writer:accept_clock() end
---@return integer
function Writer:len() end
---@return string hex
function Writer:head() end
function Writer:close() end

--- Verification of entries that come one by one.
---@class symbi.audit.Verifier : userdata
local Verifier = {}
---@param entry symbi.audit.Entry
---@return boolean? ok, string? message, symbi.Failure? err
function Verifier:entry(entry) end
---@param checkpoint symbi.audit.Checkpoint
---@return boolean? ok, string? message, symbi.Failure? err
function Verifier:checkpoint(checkpoint) end
---@return symbi.audit.Report
function Verifier:finish() end
function Verifier:close() end

---@class symbi.audit
local M = {}

---@param store symbi.store.Store
---@param options? symbi.audit.OpenOptions
---@return symbi.audit.Writer? writer, string? message, symbi.Failure? err
function M.open(store, options) end

---@param store symbi.store.Store
---@param options? { chain?: string, public_key?: string, anchor?: false|symbi.audit.Checkpoint }
---@return symbi.audit.Report? report, string? message, symbi.Failure? err
function M.verify(store, options) end

--- The writer's side of a prepared batch.
---@param store symbi.store.Store
---@param batch string
---@param public_key? string
---@return string? receipt, string? message, symbi.Failure? err
function M.apply(store, batch, public_key) end

---@param options { public_key: string, anchor?: symbi.audit.Checkpoint }
---@return symbi.audit.Verifier? verifier, string? message, symbi.Failure? err
function M.verifier(options) end

---@param store symbi.store.Store
---@param chain? string
---@return table? tail, string? message, symbi.Failure? err
function M.tail(store, chain) end

---@param store symbi.store.Store
---@param sequence integer
---@param chain? string
---@return symbi.audit.Entry? entry, string? message, symbi.Failure? err
function M.row(store, sequence, chain) end

---@param store symbi.store.Store
---@param index integer -1: the newest
---@param chain? string
---@return symbi.audit.Checkpoint? checkpoint, string? message, symbi.Failure? err
function M.checkpoint(store, index, chain) end

---@param store symbi.store.Store
---@param chain? string
---@return symbi.audit.Checkpoint? anchor, string? message, symbi.Failure? err
function M.anchor(store, chain) end

--- Walks over entries, and says nothing about their truth.
---@param store symbi.store.Store
---@param options? { chain?: string, from?: integer, to?: integer }
---@return fun(): symbi.audit.Entry?
function M.entries(store, options) end

--- The first digits of a public key's hash: what people compare.
---@param public_key string
---@return string?
function M.key_id(public_key) end

---@param store symbi.store.Store
---@param write fun(line: string)
---@param options? { chain?: string, public_key?: string }
---@return integer? entries, string? message, symbi.Failure? err
function M.export(store, write, options) end

---@param lines fun(): string?
---@param options? { public_key?: string, anchor?: symbi.audit.Checkpoint }
---@return symbi.audit.Report? report, string? message, symbi.Failure? err
function M.verify_export(lines, options) end

return M
