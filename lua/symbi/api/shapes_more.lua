--- The shapes outside the SDK's main module, in the notation of symbi.api.shapes. Data only.
return {
    reasoning = {
        FinishReason = 'enum stop tool_calls max_tokens content_filter',
        ProposedActionType = 'enum tool_call delegate respond terminate',
        LoopDecisionType = 'enum allow deny modify',
        TerminationReasonType = 'enum completed max_iterations max_tokens timeout policy_denial error',
        RecoveryStrategyType = 'enum retry fallback cached_result llm_recovery escalate dead_letter',
        LoopEventType = 'enum started reasoning_complete policy_evaluated tools_dispatched observations_collected terminated recovery_triggered',
        CircuitState = 'enum closed open half_open',
        Usage = 'prompt_tokens:int!; completion_tokens:int!; total_tokens:int!',
        ToolDefinition = 'name:str!; description:str!; parameters:any!',
        ToolCallRequest = 'id:str!; name:str!; arguments:str!',
        InferenceOptions =
            'max_tokens:int!; temperature:float=0.7; tool_definitions:[ToolDefinition]=[]; response_format:{any}={"type":"text"}; ' ..
            'model:str?; extra:{any}={}',
        InferenceResponse = 'content:str!; tool_calls:[ToolCallRequest]=[]; finish_reason:FinishReason!; usage:Usage!; model:str!',
        Observation = 'source:str!; content:str!; is_error:bool=false; metadata:{str}={}',
        ProposedAction =
            'type:ProposedActionType!; call_id:str?; name:str?; arguments:str?; target:str?; message:str?; content:str?; reason:str?; ' ..
            'output:str?',
        LoopDecision = 'decision:LoopDecisionType!; reason:str?; modified_action:ProposedAction?',
        RecoveryStrategy =
            'type:RecoveryStrategyType!; max_attempts:int?; base_delay_ms:int?; alternatives:[str]?; max_staleness_ms:int?; ' ..
            'max_recovery_attempts:int?; queue:str?; context_snapshot:bool?',
        TerminationReason = 'type:TerminationReasonType!; reason:str?; message:str?',
        LoopConfig =
            'max_iterations:int=10; max_total_tokens:int=100000; timeout_ms:int=300000; ' ..
            'default_recovery:RecoveryStrategy={"type":"dead_letter"}; tool_timeout_ms:int=30000; max_concurrent_tools:int=4; ' ..
            'context_token_budget:int=4096; tool_definitions:[ToolDefinition]=[]',
        LoopState =
            'agent_id:str!; iteration:int!; total_usage:Usage!; pending_observations:[Observation]=[]; started_at:str!; ' ..
            'current_phase:str!; metadata:{any}={}',
        LoopResult = 'output:str!; iterations:int!; total_usage:Usage!; termination_reason:TerminationReason!; duration_ms:int!',
        LoopEvent =
            'type:LoopEventType!; agent_id:str?; config:LoopConfig?; iteration:int?; actions:[ProposedAction]?; usage:Usage?; ' ..
            'action_count:int?; denied_count:int?; tool_count:int?; duration_ms:int?; observation_count:int?; reason:TerminationReason?; ' ..
            'iterations:int?; total_usage:Usage?; tool_name:str?; strategy:RecoveryStrategy?; error:str?',
        JournalEntry = 'sequence:int!; timestamp:str!; agent_id:str!; iteration:int!; event:LoopEvent!',
        CedarPolicy = 'name:str!; source:str!; active:bool=true',
        KnowledgeConfig = 'max_context_items:int=5; relevance_threshold:float ge 0 le 1=0.7; auto_persist:bool=false',
        CircuitBreakerConfig = 'failure_threshold:int ge 1=5; recovery_timeout_ms:int ge 0=30000; half_open_max_calls:int ge 1=3',
        CircuitBreakerStatus = 'state:CircuitState!; failure_count:int! ge 0; success_count:int! ge 0; config:CircuitBreakerConfig!',
        RunReasoningLoopRequest =
            'config:LoopConfig!; initial_message:str!; inference_options:InferenceOptions?; cedar_policies:[CedarPolicy]?; ' ..
            'knowledge_config:KnowledgeConfig?',
        RunReasoningLoopResponse = 'loop_id:str!; result:LoopResult!; journal_entries:[JournalEntry]=[]',
    },
    config = {
        ConfigSource = 'enum environment file vault default',
        DatabaseConfig =
            'closed; host:str="localhost"; port:int=5432; database:str="symbiont"; username:str?; password:str?; ssl_mode:str="prefer"; ' ..
            'connection_timeout:int=30; max_connections:int=20',
        AuthConfig =
            'closed; jwt_secret_key:str?; jwt_algorithm:str="HS256"; jwt_expiration_seconds:int=3600; ' ..
            'jwt_refresh_expiration_seconds:int=86400; api_key_header:str="Authorization"; enable_refresh_tokens:bool=true; ' ..
            'token_issuer:str="symbiont"; token_audience:str="symbiont-api"',
        VectorConfig =
            'closed; provider:str="qdrant"; host:str="localhost"; port:int=6333; collection_name:str="symbiont_vectors"; ' ..
            'vector_size:int=1536; distance_metric:str="cosine"; enable_indexing:bool=true; batch_size:int=100',
        LoggingConfig =
            'closed; level:str="INFO"; format:str="%(asctime)s - %(name)s - %(levelname)s - %(message)s"; file_path:str?; ' ..
            'enable_console:bool=true; enable_structured:bool=false; max_file_size:str="10MB"; backup_count:int=5',
        ClientConfig =
            'closed; api_key:str?; base_url:str="http://localhost:8080/api/v1"; timeout:int=30; max_retries:int=3; ' ..
            'database:DatabaseConfig={}; auth:AuthConfig={}; vector:VectorConfig={}; logging:LoggingConfig={}; enable_caching:bool=true; ' ..
            'enable_metrics:bool=true; enable_debug:bool=false',
    },
    auth = {
        AuthMethod = 'enum api_key jwt oauth2 basic',
        TokenType = 'enum access refresh api_key',
        Permission = 'enum read write delete admin execute',
        Role = 'name:str!; permissions:<Permission>!; description:str?; expires_at:datetime?',
        AuthToken =
            'token:str!; token_type:TokenType!; expires_at:datetime!; issued_at:datetime!; user_id:str!; roles:[str]=[]; ' ..
            'permissions:<Permission>=[]; metadata:{any}={}',
        AuthUser =
            'user_id:str!; username:str?; email:str?; roles:[str]=[]; permissions:<Permission>=[]; is_active:bool=true; ' ..
            'last_login:datetime?; metadata:{any}={}',
    },
    schedules = {
        CreateScheduleRequest =
            'exact; name:str!; cron_expression:str!; agent_name:str!; timezone:str="UTC"; policy_ids:[str]=[]; one_shot:bool=false',
        CreateScheduleResponse = 'exact; job_id:str!; next_run:str?!; status:str!',
        UpdateScheduleRequest = 'exact; cron_expression:str?; timezone:str?; policy_ids:[str]?; one_shot:bool?',
        ScheduleSummary =
            'exact; job_id:str!; name:str!; cron_expression:str!; timezone:str!; status:str!; enabled:bool!; next_run:str?!; ' ..
            'run_count:int!',
        ScheduleDetail =
            'exact; job_id:str!; name:str!; cron_expression:str!; timezone:str!; status:str!; enabled:bool!; one_shot:bool!; ' ..
            'next_run:str?!; last_run:str?!; run_count:int!; failure_count:int!; created_at:str!; updated_at:str!',
        ScheduleRunEntry = 'exact; run_id:str!; started_at:str!; completed_at:str?!; status:str!; error:str?!; execution_time_ms:int?!',
        ScheduleHistoryResponse = 'exact; job_id:str!; history:[ScheduleRunEntry]!',
        NextRunsResponse = 'exact; job_id:str!; next_runs:[str]!',
        ScheduleActionResponse = 'exact; job_id:str!; action:str!; status:str!',
        DeleteScheduleResponse = 'exact; job_id:str!; deleted:bool!',
        SchedulerHealthResponse =
            'exact; is_running:bool!; store_accessible:bool!; jobs_total:int!; jobs_active:int!; jobs_paused:int!; jobs_dead_letter:int!; ' ..
            'global_active_runs:int!; max_concurrent:int!; runs_total:int!; runs_succeeded:int!; runs_failed:int!; ' ..
            'average_execution_time_ms:float!; longest_run_ms:float!',
    },
    channels = {
        RegisterChannelRequest = 'exact; name:str!; platform:str!; config:{any}={}',
        RegisterChannelResponse = 'exact; id:str!; name:str!; platform:str!; status:str!',
        UpdateChannelRequest = 'exact; config:{any}?',
        ChannelSummary = 'exact; id:str!; name:str!; platform:str!; status:str!',
        ChannelDetail = 'exact; id:str!; name:str!; platform:str!; status:str!; config:{any}!; created_at:str!; updated_at:str!',
        ChannelActionResponse = 'exact; id:str!; action:str!; status:str!',
        DeleteChannelResponse = 'exact; id:str!; deleted:bool!',
        ChannelHealthResponse =
            'exact; id:str!; connected:bool!; platform:str!; workspace_name:str?!; channels_active:int!; last_message_at:str?!; ' ..
            'uptime_secs:int!',
        IdentityMappingEntry =
            'exact; platform_user_id:str!; platform:str!; symbiont_user_id:str!; email:str?!; display_name:str!; roles:[str]!; ' ..
            'verified:bool!; created_at:str!',
        AddIdentityMappingRequest = 'exact; platform_user_id:str!; symbiont_user_id:str!; display_name:str!; roles:[str]=[]; email:str?',
        ChannelAuditEntry = 'exact; timestamp:str!; event_type:str!; user_id:str?!; channel_id:str?!; agent:str?!; details:{any}!',
        ChannelAuditResponse = 'exact; channel_id:str!; entries:[ChannelAuditEntry]!',
    },
    metrics = {
        SchedulerMetrics = 'exact; jobs_total:int=0; jobs_active:int=0; jobs_paused:int=0; runs_total:int=0; runs_succeeded:int=0; runs_failed:int=0',
        TaskManagerMetrics = 'exact; tasks_active:int=0; tasks_queued:int=0; tasks_completed:int=0; tasks_failed:int=0',
        LoadBalancerMetrics = 'exact; total_requests:int=0; active_connections:int=0; backends_healthy:int=0; backends_total:int=0',
        SystemResourceMetrics =
            'exact; cpu_usage_percent:float=0.0; memory_usage_bytes:int=0; memory_usage_percent:float=0.0; disk_usage_bytes:int=0; ' ..
            'disk_usage_percent:float=0.0',
        MetricsSnapshot =
            'exact; timestamp:str!; scheduler:SchedulerMetrics?; task_manager:TaskManagerMetrics?; load_balancer:LoadBalancerMetrics?; ' ..
            'system:SystemResourceMetrics?',
        OtlpProtocol = 'enum grpc http',
        OtlpExporterConfig = 'exact; endpoint:str="http://localhost:4317"; protocol:OtlpProtocol="grpc"; headers:{str}={}; timeout_seconds:int=10',
        FileExporterConfig = 'exact; path:str="metrics.json"; compact:bool=true',
        MetricsExporterConfig = 'exact; enabled:bool=true; export_interval_seconds:int=60; otlp:OtlpExporterConfig?; file:FileExporterConfig?',
    },
    memory = {
        MemoryLevel = 'enum short_term long_term episodic semantic',
        MemoryType = 'enum conversation fact experience context metadata',
        MemoryNode =
            'exact; id:str!; content:{any}!; memory_type:MemoryType!; memory_level:MemoryLevel!; timestamp:datetime!; agent_id:str!; ' ..
            'conversation_id:str?; parent_id:str?; children_ids:[str]=empty; importance_score:float=0.0; access_count:int=0; ' ..
            'last_accessed:datetime?; metadata:{any}=empty',
    },
}
