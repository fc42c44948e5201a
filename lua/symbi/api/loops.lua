--- Endpoints: the reasoning loop, tools, schedules, channels, metrics. Rows for symbi.api, which explains them.
return {
    -- reasoning: the open-source runtime serves none of these; the embedded runtime and a symbi server do
    { "run_loop", "POST", "agents/{agent_id}/reasoning/loop", group = "reasoning", body = "request:RunReasoningLoopRequest", gives = "RunReasoningLoopResponse", served = "sdk110", errors = "AGENT_NOT_FOUND VALIDATION_FAILED" },
    { "get_loop_status", "GET", "agents/{agent_id}/reasoning/loop/{loop_id}", group = "reasoning", gives = "LoopState", served = "sdk110" },
    { "cancel_loop", "DELETE", "agents/{agent_id}/reasoning/loop/{loop_id}", group = "reasoning", gives = "nothing", served = "sdk110" },
    { "get_journal_entries", "GET", "agents/{agent_id}/reasoning/journal", group = "reasoning", query = "from_sequence:int=0; limit:int=100", cut = "limit", gives = "[JournalEntry]", served = "sdk110" },
    { "compact_journal", "POST", "agents/{agent_id}/reasoning/journal/compact", group = "reasoning", gives = "any", served = "sdk110" },
    { "list_cedar_policies", "GET", "agents/{agent_id}/reasoning/cedar", group = "reasoning", gives = "[CedarPolicy]", served = "sdk110" },
    { "add_cedar_policy", "POST", "agents/{agent_id}/reasoning/cedar", group = "reasoning", body = "policy:CedarPolicy", gives = "nothing", served = "sdk110", errors = "CEDAR_PARSE_ERROR" },
    { "remove_cedar_policy", "DELETE", "agents/{agent_id}/reasoning/cedar/{policy_name}", group = "reasoning", gives = "any", pick = "removed", otherwise = false, served = "sdk110" },
    { "evaluate_cedar_policy", "POST", "agents/{agent_id}/reasoning/cedar/evaluate", group = "reasoning", body = "action:ProposedAction", gives = "LoopDecision", served = "sdk110" },
    { "get_circuit_breaker_status", "GET", "agents/{agent_id}/reasoning/circuit-breakers", group = "reasoning", gives = "{CircuitBreakerStatus}", served = "sdk110" },
    { "reset_circuit_breaker", "POST", "agents/{agent_id}/reasoning/circuit-breakers/{tool_name}/reset", group = "reasoning", gives = "nothing", served = "sdk110" },
    { "recall_knowledge", "POST", "agents/{agent_id}/reasoning/knowledge/recall", group = "reasoning", fields = "query:str!; limit:int=5", cut = "limit", gives = "[str]", served = "sdk110" },
    { "store_knowledge", "POST", "agents/{agent_id}/reasoning/knowledge/store", group = "reasoning", fields = "subject:str!; predicate:str!; object:str!; confidence:float=0.8", gives = "any", served = "sdk110" },
    { "get_tool_profiles", "GET", "agents/{agent_id}/reasoning/tool-profiles", group = "reasoning", gives = "any", served = "sdk110" },
    { "get_loop_diagnostics", "GET", "agents/{agent_id}/reasoning/{loop_id}/diagnostics", group = "reasoning", gives = "any", served = "sdk110" },

    -- tools
    { "list_tools", "GET", "tools", group = "toolclad", gives = "any", served = "sdk110" },
    { "get_tool_info", "GET", "tools/{tool}", group = "toolclad", gives = "any", served = "sdk110", errors = "TOOL_NOT_FOUND" },
    { "get_schema", "GET", "tools/{tool}/schema", group = "toolclad", gives = "any", served = "sdk110", errors = "TOOL_NOT_FOUND" },
    { "validate_manifest", "POST", "tools/validate", group = "toolclad", fields = "path:str!", gives = "any", served = "sdk110", errors = "PATH_NOT_ALLOWED" },
    { "test_tool", "POST", "tools/{tool}/test", group = "toolclad", fields = "args:{any}!", gives = "any", served = "sdk110", errors = "TOOL_NOT_FOUND ARGUMENT_INVALID" },
    { "execute_tool", "POST", "tools/{tool}/execute", group = "toolclad", fields = "args:{any}!", gives = "any", served = "sdk110", errors = "TOOL_NOT_FOUND ARGUMENT_INVALID POLICY_DENIED APPROVAL_DENIED" },
    { "reload_tools", "POST", "tools/reload", group = "toolclad", gives = "any", served = "sdk110" },

    -- schedules
    { "list_schedules", "GET", "schedules", group = "schedules", alias = "list", gives = "[ScheduleSummary]", served = "sdk110 sdk114 js runtime" },
    { "create_schedule", "POST", "schedules", group = "schedules", alias = "create", body = "request:CreateScheduleRequest", gives = "CreateScheduleResponse", served = "sdk110 sdk114 js runtime", errors = "CREATE_SCHEDULE_FAILED" },
    { "get_schedule", "GET", "schedules/{job_id}", group = "schedules", alias = "get", gives = "ScheduleDetail", served = "sdk110 sdk114 js runtime", errors = "SCHEDULE_NOT_FOUND" },
    { "update_schedule", "PUT", "schedules/{job_id}", group = "schedules", alias = "update", body = "request:UpdateScheduleRequest", unset = "omit", gives = "ScheduleDetail", served = "sdk110 sdk114 js runtime", errors = "SCHEDULE_NOT_FOUND UPDATE_SCHEDULE_FAILED" },
    { "delete_schedule", "DELETE", "schedules/{job_id}", group = "schedules", alias = "delete", gives = "DeleteScheduleResponse", served = "sdk110 sdk114 js runtime", errors = "SCHEDULE_NOT_FOUND" },
    { "pause_schedule", "POST", "schedules/{job_id}/pause", group = "schedules", alias = "pause", gives = "ScheduleActionResponse", served = "sdk110 sdk114 js runtime", errors = "SCHEDULE_NOT_FOUND" },
    { "resume_schedule", "POST", "schedules/{job_id}/resume", group = "schedules", alias = "resume", gives = "ScheduleActionResponse", served = "sdk110 sdk114 js runtime", errors = "SCHEDULE_NOT_FOUND" },
    { "trigger_schedule", "POST", "schedules/{job_id}/trigger", group = "schedules", alias = "trigger", gives = "ScheduleActionResponse", served = "sdk110 sdk114 js runtime", errors = "SCHEDULE_NOT_FOUND" },
    { "get_schedule_history", "GET", "schedules/{job_id}/history", group = "schedules", alias = "history", query = "limit:int=50", cut = "limit", cut_in = "history", gives = "ScheduleHistoryResponse", served = "sdk110 sdk114 js runtime", errors = "SCHEDULE_NOT_FOUND" },
    { "get_schedule_next_runs", "GET", "schedules/{job_id}/next-runs", group = "schedules", alias = "next_runs", query = "count:int=10", cut = "count", cut_in = "next_runs", gives = "NextRunsResponse", served = "sdk110 sdk114 js runtime", errors = "SCHEDULE_NOT_FOUND" },
    { "get_scheduler_health", "GET", "health/scheduler", group = "schedules", alias = "health", gives = "SchedulerHealthResponse", served = "sdk110 sdk114 js runtime" },

    -- channels
    { "list_channels", "GET", "channels", group = "channels", alias = "list", gives = "[ChannelSummary]", served = "sdk110 sdk114 js runtime" },
    { "register_channel", "POST", "channels", group = "channels", alias = "register", body = "request:RegisterChannelRequest", gives = "RegisterChannelResponse", served = "sdk110 sdk114 js runtime" },
    { "get_channel", "GET", "channels/{channel_id}", group = "channels", alias = "get", gives = "ChannelDetail", served = "sdk110 sdk114 js runtime", errors = "CHANNEL_NOT_FOUND" },
    { "update_channel", "PUT", "channels/{channel_id}", group = "channels", alias = "update", body = "request:UpdateChannelRequest", unset = "omit", gives = "ChannelDetail", served = "sdk110 sdk114 js runtime", errors = "CHANNEL_NOT_FOUND" },
    { "delete_channel", "DELETE", "channels/{channel_id}", group = "channels", alias = "delete", gives = "DeleteChannelResponse", served = "sdk110 sdk114 js runtime", errors = "CHANNEL_NOT_FOUND" },
    { "start_channel", "POST", "channels/{channel_id}/start", group = "channels", alias = "start", gives = "ChannelActionResponse", served = "sdk110 sdk114 js runtime", errors = "CHANNEL_NOT_FOUND" },
    { "stop_channel", "POST", "channels/{channel_id}/stop", group = "channels", alias = "stop", gives = "ChannelActionResponse", served = "sdk110 sdk114 js runtime", errors = "CHANNEL_NOT_FOUND" },
    { "get_channel_health", "GET", "channels/{channel_id}/health", group = "channels", alias = "health", gives = "ChannelHealthResponse", served = "sdk110 sdk114 js runtime", errors = "CHANNEL_NOT_FOUND" },
    { "list_mappings", "GET", "channels/{channel_id}/mappings", group = "channels", alias = "mappings", gives = "[IdentityMappingEntry]", served = "sdk110 sdk114 js runtime" },
    { "add_mapping", "POST", "channels/{channel_id}/mappings", group = "channels", body = "request:AddIdentityMappingRequest", unset = "omit", gives = "IdentityMappingEntry", served = "sdk110 sdk114 js runtime" },
    { "remove_mapping", "DELETE", "channels/{channel_id}/mappings/{user_id}", group = "channels", gives = "nothing", served = "sdk110 sdk114 js runtime" },
    { "query_audit", "GET", "channels/{channel_id}/audit", group = "channels", alias = "audit", query = "limit:int=50", cut = "limit", cut_in = "entries", gives = "ChannelAuditResponse", served = "sdk110 sdk114 js runtime" },

    -- metrics
    { "get_metrics_snapshot", "GET", "metrics/snapshot", group = "metrics", alias = "snapshot", gives = "any", served = "sdk110" },
    { "get_scheduler_metrics", "GET", "metrics/scheduler", group = "metrics", alias = "scheduler", gives = "any", served = "sdk110" },
    { "get_system_metrics", "GET", "metrics/system", group = "metrics", alias = "system", gives = "any", served = "sdk110" },
    { "export_metrics", "POST", "metrics/export", group = "metrics", alias = "export", gives = "any", served = "sdk110", errors = "NO_EXPORTER" },
    { "get_metrics", "GET", "metrics", group = "metrics", alias = "get", apart = true, gives = "any", served = "sdk114 js runtime" },
}
