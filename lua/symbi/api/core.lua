--- Endpoints: system, agents, messages, workflows, communication rules, approvals. Rows for symbi.api, which explains them.
return {
    -- system
    { "health_check", "GET", "health", gives = "HealthResponse", served = "sdk110 sdk114 js runtime" },
    { "get_status", "GET", "status", gives = "any", served = "runtime" },
    { "is_live", "GET", "health/live", gives = "alive", served = "runtime" },
    { "is_ready", "GET", "health/ready", gives = "alive", served = "runtime" },
    { "get_metrics", "GET", "metrics", gives = "any", served = "sdk110 sdk114 js runtime" },
    { "get_agent_metrics", "GET", "agents/{agent_id}/metrics", gives = "AgentMetrics", served = "sdk110", errors = "AGENT_NOT_FOUND" },

    -- agents
    { "list_agents", "GET", "agents", query = 'detailed:bool=false', gives = "any", served = "sdk110 sdk114 js runtime" },
    { "get_agent_status", "GET", "agents/{agent_id}/status", gives = "AgentStatusResponse", served = "sdk114 js runtime", errors = "AGENT_NOT_FOUND", instead = "agents/{agent_id}" },
    { "create_agent", "POST", "agents", body = "agent:Agent", loose = true, gives = "any", served = "sdk110 sdk114 js runtime", errors = "AGENT_CREATION_FAILED AGENT_EXISTS" },
    { "update_agent", "PUT", "agents/{agent_id}", body = "agent:{any}", gives = "any", served = "js runtime", errors = "AGENT_NOT_FOUND AGENT_UPDATE_FAILED" },
    { "delete_agent", "DELETE", "agents/{agent_id}", gives = "any", served = "sdk110 sdk114 js runtime", errors = "AGENT_NOT_FOUND" },
    { "execute_agent", "POST", "agents/{agent_id}/execute", fields = "input:any?", gives = "any", served = "sdk114 js runtime", errors = "AGENT_NOT_FOUND" },
    { "re_execute_agent", "POST", "agents/{agent_id}/re-execute", fields = "input(input_data):any?", gives = "any", served = "sdk110", errors = "AGENT_NOT_FOUND" },
    { "get_agent_history", "GET", "agents/{agent_id}/history", query = "limit:int?", gives = "any", served = "js runtime", errors = "AGENT_NOT_FOUND" },
    { "send_heartbeat", "POST", "agents/{agent_id}/heartbeat", fields = "state:str!; metadata:{any}?; last_result:any?; agentpin_jwt:str?", gives = "nothing", served = "sdk114 js runtime", errors = "AGENT_NOT_FOUND" },
    { "push_agent_event", "POST", "agents/{agent_id}/events", fields = "event_type:str!; payload:any!; agentpin_jwt:str?", gives = "nothing", served = "sdk114 js runtime", errors = "AGENT_NOT_FOUND" },

    -- messages
    { "send_message", "POST", "agents/{agent_id}/messages", fields = "sender:str!; payload:any!; ttl_seconds:int?; topic:str?; agentpin_jwt:str?", gives = "any", served = "sdk114 js runtime", errors = "AGENT_NOT_FOUND POLICY_DENIED" },
    { "receive_messages", "GET", "agents/{agent_id}/messages", gives = "any", served = "sdk114 js runtime", errors = "AGENT_NOT_FOUND" },
    { "get_message_status", "GET", "messages/{message_id}/status", gives = "any", served = "sdk114 js runtime" },

    -- workflows
    { "execute_workflow", "POST", "workflows/execute", body = "request:WorkflowExecutionRequest", gives = "any", served = "sdk114 js runtime", instead = "workflows" },

    -- communication rules
    { "list_communication_rules", "GET", "communication/rules", group = "communication", alias = "list", gives = "any", served = "sdk110" },
    { "add_communication_rule", "POST", "communication/rules", group = "communication", alias = "add", body = "rule:CommunicationRule", as_given = true, gives = "any", served = "sdk110" },
    { "remove_communication_rule", "DELETE", "communication/rules/{rule_id}", group = "communication", alias = "remove", gives = "any", served = "sdk110", errors = "COMMUNICATION_RULE_NOT_FOUND" },
    { "evaluate_communication", "POST", "communication/evaluate", group = "communication", alias = "evaluate", fields = "sender:str!; recipient:str!; action:str!", gives = "any", served = "sdk110" },

    -- approvals
    { "list_approvals", "GET", "approvals", group = "approvals", alias = "list", gives = "any", served = "runtime" },
    { "approve", "POST", "approvals/{approval_id}/approve", group = "approvals", fields = "reason:str?", gives = "any", served = "runtime" },
    { "deny", "POST", "approvals/{approval_id}/deny", group = "approvals", fields = "reason:str?", gives = "any", served = "runtime" },
}
