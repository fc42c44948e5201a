--- Shapes of what the REST contract sends and receives: one line per model or enum of the SDK, read by symbi.api.model. Data only.
--   field:type with ! required, ? may be null, ge/le/max_length limits, =default (JSON; now, empty); types str int float bool datetime any,
--   [T] list, <T> set, {T} object, a|b either, or the name of a shape; name(other) = what the SDK writes when it sends it.
--   In front of the fields: "closed" refuses unknown keys, "exact" refuses unknown and absent ones (the SDK's dataclasses, whose types it
--   does not check), "open" keeps unknown keys; without a word they are dropped.
return {
    models = {
        AgentState = 'enum idle active busy error stopped',
        SecretBackendType = 'enum vault encrypted_file os_keychain',
        VaultAuthMethod = 'enum token kubernetes aws_iam approle',
        McpConnectionStatus = 'enum connected disconnected connecting error',
        KnowledgeSourceType = 'enum document code api_reference conversation',
        ReviewStatus = 'enum submitted pending_analysis analyzing pending_review under_review approved rejected signed',
        FindingSeverity = 'enum low medium high critical',
        FindingCategory = 'enum schema_injection privilege_escalation data_exposure malicious_code resource_abuse',
        Agent =
            'id:str!; name:str!; description:str!; system_prompt:str!; tools:[str]!; model:str!; temperature:float!; top_p:float!; ' ..
            'max_tokens:int!',
        ResourceUsage = 'memory_bytes:int!; cpu_percent:float!; active_tasks:int!',
        AgentStatusResponse = 'agent_id:str!; state:AgentState!; last_activity:datetime!; resource_usage:ResourceUsage!',
        WorkflowExecutionRequest = 'workflow_id:str!; parameters:{any}!; agent_id:str?',
        WorkflowExecutionResponse = 'execution_id:str!; status:str!; started_at:datetime!; result:{any}?',
        ToolProvider = 'name:str!; public_key_url:str?',
        ToolSchema = 'type:str="object"; properties:{any}!; required:[str]=[]',
        Tool = 'name:str!; description:str!; schema(tool_schema):ToolSchema!; provider:ToolProvider!',
        SecurityFinding =
            'finding_id:str!; severity:FindingSeverity!; category:FindingCategory!; title:str!; description:str!; ' ..
            'confidence:float! ge 0 le 1; recommendation:str?',
        AnalysisResults =
            'analysis_id:str!; risk_score:int! ge 0 le 100; findings:[SecurityFinding]!; recommendations:[str]=[]; completed_at:datetime!',
        ReviewSessionState =
            'type:str!; analysis_id:str?; analysis_completed_at:datetime?; critical_findings:[SecurityFinding]=[]; ' ..
            'human_reviewer_id:str?; review_started_at:datetime?',
        ReviewSession =
            'review_id:str!; tool:Tool!; status:ReviewStatus!; state:ReviewSessionState!; submitted_by:str!; submitted_at:datetime!; ' ..
            'estimated_completion:datetime?; priority:str="normal"',
        ReviewSessionCreate = 'tool:Tool!; submitted_by:str!; priority:str="normal"',
        ReviewSessionResponse = 'review_id:str!; status:ReviewStatus!; submitted_at:datetime!; estimated_completion:datetime?',
        ReviewSessionList = 'sessions:[ReviewSession]!; pagination:{any}!',
        HumanReviewDecision = 'decision:str!; comments:str?; reviewer_id:str!',
        HealthResponse = 'status:str!; uptime_seconds:int!; timestamp:datetime!; version:str!',
        ErrorResponse = 'error:str!; code:str!; details:{any}?',
        PaginationInfo = 'page:int!; limit:int!; total:int!; has_next:bool!',
        SigningRequest = 'review_id:str!; signing_key_id:str!',
        SigningResponse = 'signature:str!; signed_at:datetime!; signer_id:str!; signature_algorithm:str!',
        SignedTool = 'tool:Tool!; signature:str!; signed_at:datetime!; signer_id:str!; signature_algorithm:str!; review_id:str!',
        VaultConfig = 'url:str!; auth_method:VaultAuthMethod!; token:str?; role_id:str?; secret_id:str?; kubernetes_role:str?; aws_role:str?',
        SecretBackendConfig = 'backend_type:SecretBackendType!; vault_config:VaultConfig?; file_path:str?; encryption_key:str?',
        SecretRequest = 'agent_id:str!; secret_name:str!; secret_value:str?; description:str?',
        SecretResponse = 'secret_name:str!; agent_id:str!; created_at:datetime!; updated_at:datetime?',
        SecretListResponse = 'secrets:[str]!; agent_id:str!',
        McpServerConfig = 'name:str!; command:[str]!; env:{str}={}; cwd:str?; timeout_seconds:int=30',
        McpConnectionInfo =
            'server_name:str!; status:McpConnectionStatus!; pid:int?; connected_at:datetime?; last_error:str?; tools_count:int=0; ' ..
            'resources_count:int=0',
        McpToolInfo = 'name:str!; description:str!; server_name:str!; schema(tool_schema):{any}!; verified:bool=false; verification_hash:str?',
        McpResourceInfo = 'uri:str!; name:str?; description:str?; mime_type:str?; server_name:str!',
        VectorMetadata = 'source:str!; source_type:KnowledgeSourceType!; chunk_index:int?; timestamp:datetime!; agent_id:str?',
        KnowledgeItem = 'id:str!; content:str!; embedding:[float]?; metadata:VectorMetadata!',
        VectorSearchRequest = 'query:str!; agent_id:str?; source_types:[KnowledgeSourceType]=[]; limit:int=10; similarity_threshold:float=0.7',
        VectorSearchResult = 'item:KnowledgeItem!; similarity_score:float!',
        VectorSearchResponse = 'results:[VectorSearchResult]!; query:str!; total_results:int!',
        ContextQuery = 'query:str!; agent_id:str?; max_context_items:int=5; include_conversation_history:bool=true',
        ContextResponse = 'context_items:[str]!; sources:[str]!; query:str!; relevance_scores:[float]!',
        DslCompileRequest = 'dsl_content:str!; agent_name:str!; validate_only:bool=false',
        DslCompileResponse = 'success:bool!; agent_id:str?; errors:[str]=[]; warnings:[str]=[]; compiled_at:datetime!',
        AgentDeployRequest = 'agent_id:str!; environment:str="development"; config_overrides:{any}={}',
        AgentDeployResponse = 'deployment_id:str!; agent_id:str!; status:str!; deployed_at:datetime!; endpoint_url:str?',
        SystemMetrics =
            'uptime_seconds:int!; memory_usage_bytes:int!; memory_usage_percent:float!; cpu_usage_percent:float!; disk_usage_bytes:int!; ' ..
            'disk_usage_percent:float!; active_agents:int!; total_agents:int!; secrets_count:int!; mcp_connections:int!; ' ..
            'vector_db_items:int!',
        AgentMetrics =
            'agent_id:str!; tasks_completed:int!; tasks_failed:int!; average_response_time_ms:float!; memory_usage_bytes:int!; ' ..
            'cpu_usage_percent:float!; last_activity:datetime!; uptime_seconds:int!',
        ClientConfig =
            'api_key:str?; base_url:str="http://localhost:8080/api/v1"; timeout:int=30; max_retries:int=3; enable_caching:bool=true; ' ..
            'enable_metrics:bool=true; enable_debug:bool=false',
        DatabaseConfig =
            'host:str="localhost"; port:int=5432; database:str="symbiont"; username:str?; password:str?; ssl_mode:str="prefer"; ' ..
            'connection_timeout:int=30; max_connections:int=20',
        AuthConfig =
            'jwt_secret_key:str?; jwt_algorithm:str="HS256"; jwt_expiration_seconds:int=3600; jwt_refresh_expiration_seconds:int=86400; ' ..
            'api_key_header:str="Authorization"; enable_refresh_tokens:bool=true; token_issuer:str="symbiont"; ' ..
            'token_audience:str="symbiont-api"',
        VectorConfig =
            'provider:str="qdrant"; host:str="localhost"; port:int=6333; collection_name:str="symbiont_vectors"; vector_size:int=1536; ' ..
            'distance_metric:str="cosine"; enable_indexing:bool=true; batch_size:int=100',
        LoggingConfig =
            'level:str="INFO"; format:str="%(asctime)s - %(name)s - %(levelname)s - %(message)s"; file_path:str?; ' ..
            'enable_console:bool=true; enable_structured:bool=false; max_file_size:str="10MB"; backup_count:int=5',
        JWTToken = 'token:str!; token_type:str!; expires_at:datetime!; issued_at:datetime!; user_id:str!; roles:[str]=[]',
        AuthResponse =
            'user_id:str!; access_token:str!; refresh_token:str?; token_type:str="Bearer"; expires_in:int!; roles:[str]=[]; ' ..
            'permissions:[str]=[]',
        TokenRefreshRequest = 'refresh_token:str!',
        TokenRefreshResponse = 'access_token:str!; token_type:str="Bearer"; expires_in:int!',
        UserPermissions = 'user_id:str!; roles:[str]!; permissions:[str]!; is_active:bool=true',
        RoleDefinition = 'name:str!; permissions:[str]!; description:str?; expires_at:datetime?',
        RouteMatchType = 'enum path_prefix header_equals json_field_equals',
        AgentRoutingRule = 'condition_type:RouteMatchType!; condition_value:str!; condition_target:str?; agent_id:str!',
        HttpResponseControlConfig = 'default_status:int=200; agent_output_to_json:bool=true; error_status:int=500; echo_input_on_error:bool=false',
        HttpInputConfig =
            'bind_address:str="0.0.0.0"; port:int=8081; path:str="/webhook"; agent_id:str!; auth_header:str?; jwt_public_key_path:str?; ' ..
            'max_body_bytes:int=65536; concurrency:int=10; routing_rules:[AgentRoutingRule]?; ' ..
            'response_control:HttpResponseControlConfig?; forward_headers:[str]=[]; cors_enabled:bool=false; audit_enabled:bool=true',
        HttpInputServerInfo =
            'server_id:str!; config:HttpInputConfig!; status:str!; uptime_seconds:int?; requests_processed:int=0; ' ..
            'active_connections:int=0; last_error:str?',
        HttpInputCreateRequest = 'config:HttpInputConfig!',
        HttpInputUpdateRequest = 'server_id:str!; config:HttpInputConfig!',
        WebhookTriggerRequest = 'server_id:str!; payload:{any}!; headers:{str}={}',
        WebhookTriggerResponse = 'status:str!; response_code:int!; response_body:{any}!; processing_time_ms:float!; agent_id:str!',
        MemoryNode =
            'id:str!; content:{any}!; memory_type:str!; memory_level:str!; timestamp:datetime!; agent_id:str!; conversation_id:str?; ' ..
            'parent_id:str?; children_ids:[str]=[]; importance_score:float=0.0; access_count:int=0; last_accessed:datetime?; ' ..
            'metadata:{any}={}',
        MemoryStoreRequest =
            'content:{any}!; memory_type:str!; memory_level:str!; agent_id:str!; conversation_id:str?; importance_score:float=0.0; ' ..
            'parent_id:str?; metadata:{any}={}',
        MemoryResponse = 'memory:MemoryNode!; success:bool=true; message:str?',
        MemoryQuery = 'memory_id:str?; agent_id:str!; conversation_id:str?; memory_type:str?; memory_level:str?; parent_id:str?; limit:int=50',
        MemorySearchRequest =
            'agent_id:str!; query:{any}?; memory_levels:[str]?; content_contains:str?; importance_threshold:float?; ' ..
            'time_range:{datetime}?; limit:int=50',
        MemorySearchResponse = 'memories:[MemoryNode]!; total_count:int!; search_time_ms:float!; success:bool=true; message:str?',
        ConversationContext =
            'conversation_id:str!; agent_id:str!; memories:[MemoryNode]!; context_summary:str?; created_at:datetime=now; ' ..
            'updated_at:datetime=now; metadata:{any}={}',
        ConsolidationResponse =
            'agent_id:str!; promoted_count:int=0; pruned_count:int=0; consolidated_count:int=0; execution_time_ms:float!; ' ..
            'success:bool=true; message:str?',
        MemorySearchResult = 'memory:MemoryNode!; relevance_score:float!; match_reason:str!; highlighted_content:{any}?',
        Vector = 'id:str|int!; values:[float]!; metadata:{any}={}',
        Point = 'id:str|int!; vector:[float]|{[float]}!; payload:{any}={}',
        SearchQuery = 'vector:[float]!; limit:int=10; score_threshold:float?; filter:{any}?; with_payload:bool=true; with_vector:bool=false',
        CollectionCreateRequest =
            'name:str!; vector_size:int!; distance:str="Cosine"; on_disk_payload:bool=false; hnsw_config:{any}?; optimizers_config:{any}?',
        CollectionResponse = 'collection_name:str!; status:str!; result:{any}?',
        CollectionInfo = 'collection_name:str!; config:{any}!; status:str!; vectors_count:int!; indexed_vectors_count:int!; points_count:int!',
        VectorUpsertRequest = 'collection_name:str!; points:[Point]!; wait:bool=true',
        UpsertResponse = 'collection_name:str!; operation_id:str?; status:str!; points_count:int!',
        VectorPoint = 'id:str|int!; vector:[float]!; payload:{any}={}; score:float?',
        EmbeddingRequest = 'texts:[str]!; model:str="default"; collection_name:str?; metadata:[{any}]?',
        EmbeddingResponse = 'embeddings:[[float]]!; model:str!; processing_time_ms:float!; token_count:int?',
        HttpMethod = 'enum GET POST PUT DELETE PATCH HEAD OPTIONS',
        EndpointStatus = 'enum active inactive maintenance error',
        HttpEndpointCreateRequest =
            'path:str!; method:HttpMethod!; agent_id:str!; description:str?; auth_required:bool=true; rate_limit:int?; ' ..
            'timeout_seconds:int=30; middleware:[str]=[]; metadata:{any}={}',
        HttpEndpointUpdateRequest =
            'endpoint_id:str!; path:str?; method:HttpMethod?; agent_id:str?; description:str?; auth_required:bool?; rate_limit:int?; ' ..
            'timeout_seconds:int?; status:EndpointStatus?; middleware:[str]?; metadata:{any}?',
        EndpointMetrics =
            'endpoint_id:str!; total_requests:int!; successful_requests:int!; failed_requests:int!; average_response_time_ms:float!; ' ..
            'max_response_time_ms:float!; min_response_time_ms:float!; requests_per_minute:float!; error_rate_percent:float!; ' ..
            'last_request_at:datetime?; uptime_seconds:int!',
        HttpEndpointInfo =
            'endpoint_id:str!; path:str!; method:HttpMethod!; agent_id:str!; description:str?; status:EndpointStatus!; ' ..
            'auth_required:bool!; rate_limit:int?; timeout_seconds:int!; middleware:[str]=[]; created_at:datetime!; updated_at:datetime!; ' ..
            'created_by:str!; metrics:EndpointMetrics?; metadata:{any}={}',
        HttpEndpointResponse = 'endpoint_id:str!; status:str!; message:str?; endpoint_info:HttpEndpointInfo?; created_at:datetime?',
        WebhookProviderType = 'enum github stripe slack custom',
        WebhookVerificationConfig = 'provider:WebhookProviderType!; secret:str!; header_name:str?; required_issuer:str?',
        WebhookInvocationStatus = 'enum execution_started completed',
        WebhookInvocationRequest = 'open; prompt:str?; message:str?; system_prompt:str? max_length 4096',
        WebhookToolRun = 'tool:str!; input:{any}={}; output_preview:str!',
        WebhookExecutionStartedResponse = 'status:str="execution_started"; agent_id:str!; message_id:str!; latency_ms:int!; timestamp:str!',
        WebhookCompletedResponse =
            'status:str="completed"; agent_id:str!; response:str!; tool_runs:[WebhookToolRun]=[]; model:str!; provider:str!; ' ..
            'latency_ms:int!; timestamp:str!',
        SignatureStatusType = 'enum verified pinned unsigned invalid revoked',
        ScanSeverityType = 'enum critical warning info',
        ScanFindingModel = 'rule:str!; severity:ScanSeverityType!; message:str!; line:int?; file:str?',
        ScanResultModel = 'passed:bool!; findings:[ScanFindingModel]=[]',
        SkillMetadataModel = 'name:str!; description:str?; raw_frontmatter:{any}={}',
        LoadedSkillModel =
            'name:str!; path:str!; signature_status:SignatureStatusType!; content:str!; metadata:SkillMetadataModel?; ' ..
            'scan_result:ScanResultModel?',
        SkillsConfig =
            'load_paths:[str]=[]; require_signed:bool=false; allow_unsigned_from:[str]=[]; auto_pin:bool=false; scan_enabled:bool=true; ' ..
            'custom_deny_patterns:[str]=[]',
        OtlpProtocol = 'enum grpc http',
        OtlpConfig = 'endpoint:str!; protocol:OtlpProtocol="grpc"; headers:{str}={}; timeout_seconds:int=10',
        FileMetricsConfig = 'path:str!; compact:bool=true',
        MetricsConfig = 'enabled:bool=true; export_interval_seconds:int=60; otlp:OtlpConfig?; file:FileMetricsConfig?',
        SchedulerMetricsSnapshot =
            'jobs_total:int=0; jobs_active:int=0; jobs_paused:int=0; runs_total:int=0; runs_succeeded:int=0; runs_failed:int=0',
        TaskManagerMetricsSnapshot = 'tasks_active:int=0; tasks_queued:int=0; tasks_completed:int=0; tasks_failed:int=0',
        LoadBalancerMetricsSnapshot = 'total_requests:int=0; active_connections:int=0; backends_healthy:int=0; backends_total:int=0',
        SystemResourceMetricsSnapshot =
            'cpu_usage_percent:float=0.0; memory_usage_bytes:int=0; memory_usage_percent:float=0.0; disk_usage_bytes:int=0; ' ..
            'disk_usage_percent:float=0.0',
        MetricsSnapshot =
            'timestamp:datetime!; scheduler:SchedulerMetricsSnapshot?; task_manager:TaskManagerMetricsSnapshot?; ' ..
            'load_balancer:LoadBalancerMetricsSnapshot?; system:SystemResourceMetricsSnapshot?',
        ToolManifestInfo =
            'name:str!; version:str!; description:str!; risk_tier:str!; human_approval:bool=false; arg_count:int!; backend:str!; ' ..
            'source_path:str!',
        ToolValidationResult = 'valid:bool!; errors:[str]=[]; warnings:[str]=[]',
        ToolTestResult = 'command:str!; validations:[str]!; cedar:str?; timeout:int!',
        ToolExecutionResult =
            'status:str!; scan_id:str!; tool:str!; command:str!; duration_ms:int!; timestamp:str!; output_hash:str?; exit_code:int=0; ' ..
            'stderr:str=""; results:{any}={}',
        CommunicationRule = 'id:str?; from_agent:str!; to_agent:str!; action:str!; effect:str="allow"; reason:str=""; priority:int=0; max_depth:int?',
        CommunicationEvaluation = 'allowed:bool!; rule:CommunicationRule?; reason:str=""',
    },
}
