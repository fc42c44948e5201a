---@meta symbi.skills

---@alias symbi.skills.Profile "strict"|"seed"|"runtime"

---@class symbi.skills.ScannerOptions
---@field profile? symbi.skills.Profile
---@field rules? { name: string, pattern: string, severity: string, message: string }[]
---@field deny_content? string[]
---@field deny_files? string[]
---@field deny_shell? string[]
---@field allow_executables? string[]
---@field limits? { file_bytes?: integer, files?: integer, depth?: integer }
---@field suppress? { rule: string, path?: string, line?: integer, reason: string, until_time?: string }[]
---@field progress? fun(files: integer, path: string)
---@field [string] any

---@class symbi.skills.Finding
---@field rule string
---@field severity string
---@field category string
---@field message string
---@field file? string
---@field line? integer
---@field column? integer
---@field excerpt? string
---@field how? string

---@class symbi.skills.Report
---@field passed boolean
---@field findings symbi.skills.Finding[]
---@field totals table

---@class symbi.skills.Scanner
local Scanner = {}
--- A scan under way, for those who read the files themselves.
---@return symbi.skills.Scan? scan, string? message, symbi.Failure? err
function Scanner:begin() end
---@param content string
---@param path? string
---@return symbi.skills.Finding[]? findings, string? message, symbi.Failure? err
function Scanner:scan(content, path) end
---@param path string
---@return symbi.skills.Report? report, string? message, symbi.Failure? err
function Scanner:scan_file(path) end
---@param dir string
---@return symbi.skills.Report? report, string? message, symbi.Failure? err
function Scanner:scan_dir(dir) end
--- The references' name of scan.
---@param content string
---@param path? string
---@return symbi.skills.Finding[]? findings, string? message, symbi.Failure? err
function Scanner:scan_content(content, path) end
--- The references' name of scan_dir.
---@param dir string
---@return symbi.skills.Report? report, string? message, symbi.Failure? err
function Scanner:scan_skill(dir) end
function Scanner:close() end

---@class symbi.skills.Scan : userdata
local Scan = {}
---@param path string
---@param bytes string
function Scan:content(path, bytes) end
---@param path string
---@param why string
---@param amount? integer
---@param limit? integer
function Scan:unread(path, why, amount, limit) end
---@param suppression { rule: string, path?: string, line?: integer, reason: string, until_ms?: integer }
---@return boolean? ok, string? message, symbi.Failure? err
function Scan:suppress(suppression) end
---@return symbi.skills.Finding[]
function Scan:findings() end
---@return boolean
function Scan:passed() end
---@return table
function Scan:totals() end
function Scan:close() end

---@class symbi.skills.LoaderOptions
---@field load_paths? string[]
---@field require_signed? boolean
---@field allow_unsigned_from? string[]
---@field auto_pin? boolean
---@field scan_enabled? boolean
---@field block_on_scan? boolean
---@field custom_deny_patterns? string[]
---@field profile? symbi.skills.Profile
---@field suppress? table[]
---@field pins? symbi.schemapin.Pins|symbi.schemapin.FileStore
---@field resolver? symbi.schemapin.Resolver
---@field discovery? symbi.schemapin.Doc
---@field now? integer
---@field [string] any

---@class symbi.skills.Skill
---@field name string
---@field path string
---@field signature_status string
---@field signature? any
---@field content string
---@field metadata? { name?: string, description?: string, raw_frontmatter?: string }
---@field problems any
---@field scan_result? symbi.skills.Report

---@class symbi.skills.Loader
local Loader = {}
--- Every skill that may be used, and why the others may not.
---@return symbi.skills.Skill[] skills, { path: string, name: string, reason: string, message: string }[] rejected
function Loader:load_all() end
---@param dir string
---@return symbi.skills.Skill? skill, string? message, symbi.Failure? err
function Loader:load_skill(dir) end
--- The folders that hold a SKILL.md.
---@return any folders
function Loader:find() end
function Loader:close() end

---@class symbi.skills
local M = {}

---@param options? symbi.skills.ScannerOptions
---@return symbi.skills.Scanner? scanner, string? message, symbi.Failure? err
function M.scanner(options) end
---@param options? symbi.skills.LoaderOptions
---@return symbi.skills.Loader? loader, string? message, symbi.Failure? err
function M.loader(options) end
---@param profile symbi.skills.Profile
---@return table[]
function M.rules(profile) end
---@param profile symbi.skills.Profile
---@return { file_bytes?: integer, files?: integer, depth?: integer }
function M.limits(profile) end
--- Gives every file below dir to the scan.
---@param scanner symbi.skills.Scanner
---@param scan symbi.skills.Scan
---@param dir string
---@param visit? fun(path: string, kind: string, bytes?: string)
---@return any ok, string? message, symbi.Failure? err
function M.walk(scanner, scan, dir, visit) end

return M
