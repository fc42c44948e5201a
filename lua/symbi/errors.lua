--- symbi.errors: what a client's calls fail with. The classes of the SDK as data; an error is a table
--   {name=, kind=, message=, code=, status=, status_code=, response_text=, details=, retry_after=, request={method=, url=}, cause=, ...}
-- with err:is "NotFoundError" true for its class and every class above, and tostring(err) = "NotFoundError: Resource not found".
local M = {}

-- name = { parent, default message, status, code }
local CLASSES = {
    SymbiontError = { nil, "the call failed", nil, "EIO" },
    APIError = { "SymbiontError", "API request failed", nil, "EIO" },
    ConnectionError = { "APIError", "the server cannot be reached", nil, "EIO" },
    TimeoutError = { "APIError", "no answer in time", nil, "ETIMEOUT" },
    ConflictError = { "APIError", "the request conflicts with what is there", 409, "ESTATE" },
    ServerError = { "APIError", "the server failed", 500, "EIO" },
    AuthenticationError = { "SymbiontError", "Authentication failed", 401, "EDENIED" },
    AuthenticationExpiredError = { "AuthenticationError", "Authentication token has expired", 401, "EDENIED" },
    TokenRefreshError = { "AuthenticationError", "Failed to refresh authentication token", 401, "EDENIED" },
    PermissionDeniedError = { "SymbiontError", "Insufficient permissions for this operation", 403, "EDENIED" },
    PolicyDeniedError = { "PermissionDeniedError", "the policies forbid it", 403, "EDENIED" },
    NotFoundError = { "SymbiontError", "Resource not found", 404, "ENOTFOUND" },
    UnsupportedError = { "NotFoundError", "the server does not serve this", 404, "EUNSUPPORTED" },
    RateLimitError = { "SymbiontError", "Rate limit exceeded", 429, "EAGAIN" },
    ConfigurationError = { "SymbiontError", "the configuration is wrong", nil, "EINVAL" },
    ValidationError = { "SymbiontError", "a value is not valid", nil, "EINVAL" },
    MemoryError = { "SymbiontError", "Memory error", nil, "EIO" },
    MemoryStorageError = { "MemoryError", "Memory storage error", nil, "EIO" },
    MemoryRetrievalError = { "MemoryError", "Memory retrieval error", nil, "ENOTFOUND" },
    VectorDatabaseError = { "SymbiontError", "Vector database error", nil, "EIO" },
    QdrantConnectionError = { "VectorDatabaseError", "Qdrant connection error", nil, "EIO" },
    CollectionNotFoundError = { "VectorDatabaseError", "Vector collection not found", 404, "ENOTFOUND" },
    EmbeddingError = { "SymbiontError", "Embedding generation error", nil, "EIO" },
    EndpointError = { "SymbiontError", "HTTP endpoint error", nil, "EIO" },
    EndpointNotFoundError = { "EndpointError", "HTTP endpoint not found", 404, "ENOTFOUND" },
    EndpointConflictError = { "EndpointError", "HTTP endpoint conflict", 409, "ESTATE" },
    EndpointConfigurationError = { "EndpointError", "Invalid endpoint configuration", 400, "EINVAL" },
    EndpointRateLimitError = { "EndpointError", "Endpoint rate limit exceeded", 429, "EAGAIN" },
    WebhookVerificationError = { "SymbiontError", "Webhook verification failed", nil, "EVERIFY" },
    SkillLoadError = { "SymbiontError", "Skill load error", nil, "EIO" },
    SkillScanError = { "SymbiontError", "Skill scan error", nil, "EVERIFY" },
    MetricsExportError = { "SymbiontError", "Metrics export failed", nil, "EIO" },
    MetricsConfigError = { "SymbiontError", "Metrics configuration error", nil, "EINVAL" },
}

local Error = {}
Error.__index = Error
Error.__tostring = function(self) return self.name .. ": " .. tostring(self.message) end

--- True for the class itself, every class above it, and the error's code.
function Error:is(name)
    if name == self.code then return true end
    local class = self.name
    while class do
        if class == name then return true end
        class = CLASSES[class] and CLASSES[class][1]
    end
    return false
end

--- An error object.
function M.new(name, message, fields)
    local class = CLASSES[name] or error("symbi.errors: unknown class '" .. tostring(name) .. "'", 2)
    local e = {}
    for k, v in pairs(fields or {}) do e[k] = v end
    e.name, e.kind, e.message = name, name, message or class[2]
    e.status_code = e.status_code or class[3]
    e.status, e.code = e.status_code, e.code or class[4]
    return setmetatable(e, Error)
end

--- nil, message, err.
function M.fail(name, message, fields)
    local e = M.new(name, message, fields)
    return nil, e.message, e
end

--- True for an object made here.
function M.is_error(value) return getmetatable(value) == Error end

for name, class in pairs(CLASSES) do M[name] = { name = name, parent = class[1], message = class[2], status_code = class[3] } end

return M
