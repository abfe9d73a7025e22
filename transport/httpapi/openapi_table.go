package httpapi

import "github.com/atmcp/atmcp"

// What lists take, and what every change takes.
const (
	listed = " cursor limit:integer view max_bytes:integer"
	keyed  = " idem_key"
	// steered is what changes of a console take: the join token and the operator name
	// the console.
	steered = keyed + " console"
)

// operations says of each route what its handler reads and answers.
func operations() map[string]operation {
	team := "/api/teams/{team}"
	return map[string]operation{
		"GET /":                 {summary: "what stands behind the address"},
		"GET /dashboard":        {summary: "leads to the page of a team", query: "team"},
		"GET /workbench":        {summary: "leads to where the page sends directives", query: "team"},
		"GET /healthz":          {summary: "whether the process lives"},
		"GET /readyz":           {summary: "whether it can work; 503 if not", result: readiness{}},
		"GET /api/openapi.json": {summary: "this description"},
		"GET /api/limits":       {summary: "what is too much", result: limitsShown{}},
		"GET /metrics":          {summary: "how the server does, in the text form of Prometheus"},

		"GET /api/teams":                            {summary: "the teams, archived ones among them", query: "cursor limit:integer", result: teamList{}},
		"POST /api/teams":                           {summary: "make a team; its tokens are shown this once", body: "name! join_token dashboard_token directives_from identity", result: CreatedTeam{}},
		"GET " + team:                               {summary: "a team and its policy", result: atmcp.TeamInfo{}},
		"PATCH " + team:                             {summary: "rename, archive or reopen a team, or change its policy", body: "name archived:boolean directives_from identity", result: atmcp.TeamInfo{}},
		"GET " + team + "/tokens":                   {summary: "a team's tokens, without their secrets", query: "cursor limit:integer", result: atmcp.ListTokensResult{}},
		"POST " + team + "/tokens":                  {summary: "one token more, shown this once", body: "role name", result: atmcp.CreateTokenResult{}},
		"DELETE " + team + "/tokens/{id}":           {summary: "revoke a token, and within a second what stands on it", result: atmcp.RevokeTokenResult{}},
		"POST " + team + "/tokens/{id}/rotate":      {summary: "a new token in the place of another, which stays good for the overlap", body: "overlap_s:integer", result: atmcp.RotateTokenResult{}},
		"POST /api/session":                         {summary: "sign a browser in: a cookie for a token or a code", body: "token code", result: atmcp.SessionInfo{}},
		"GET /api/session":                          {summary: "as whom a browser is signed in", result: sessionList{}},
		"DELETE /api/session":                       {summary: "sign a browser out"},
		"GET /api/overview":                         {summary: "the teams that the caller may read, a line each", query: "cursor limit:integer", result: overview{}},
		"POST /api/session/codes":                   {summary: "a link that signs a browser in once, within a minute", result: signInCode{}},
		"GET /api/whoami":                           {summary: "whom a token stands for", result: holder{}},
		"POST " + team + "/directives":              {summary: "give an agent an order", body: "to_agent! instruction! payload:object priority:integer re thread expires_s:integer" + steered, result: atmcp.SendDirectiveResult{}},
		"POST " + team + "/directives/{id}/cancel":  {summary: "take an order back", body: steered, result: atmcp.CancelDirectiveResult{}},
		"POST " + team + "/tasks":                   {summary: "put a task on the board", body: "title! description goal_id parent_id priority:integer weight:integer depends_on:strings lease_ttl_s:integer required_capabilities:strings max_attempts:integer" + steered, result: atmcp.CreateTaskResult{}},
		"PATCH " + team + "/tasks/{id}":             {summary: "change what a task says", body: "title description priority:integer weight:integer depends_on:strings reason" + steered, result: atmcp.TaskResult{}},
		"POST " + team + "/tasks/{id}/cancel":       {summary: "end a task undone", body: "reason" + steered, result: atmcp.TaskResult{}},
		"POST " + team + "/tasks/{id}/reopen":       {summary: "offer a task again that has ended", body: "reason" + steered, result: atmcp.TaskResult{}},
		"POST " + team + "/tasks/{id}/release":      {summary: "end a lease on a task and offer it again", body: "reason" + steered, result: atmcp.TaskResult{}},
		"POST " + team + "/tasks/{id}/reassign":     {summary: "give a task to an agent", body: "to_agent! reason" + steered, result: atmcp.TaskResult{}},
		"POST " + team + "/goals":                   {summary: "set a goal", body: "title! description" + steered, result: atmcp.CreateGoalResult{}},
		"POST " + team + "/goals/{id}/close":        {summary: "close a goal", body: steered, result: atmcp.CloseGoalResult{}},
		"POST " + team + "/agents/{ref}/retire":     {summary: "end a membership", body: steered, result: atmcp.RetireAgentResult{}},
		"POST " + team + "/memory/{key}":            {summary: "write a register", body: "value!:any expected_version:integer" + steered, result: atmcp.SetMemoryResult{}},
		"POST " + team + "/knowledge":               {summary: "share a finding", body: "title! body tags:strings task_id supersedes valid_until:integer" + steered, result: atmcp.PostKnowledgeResult{}},
		"POST " + team + "/knowledge/{id}/retract":  {summary: "take a finding back", body: steered, result: atmcp.RetractKnowledgeResult{}},
		"POST " + team + "/console/command":         {summary: "one line of the original's console; help lists the words", body: "command" + steered, result: commandReply{}},
		"POST " + team + "/heartbeat":               {summary: "a sign of life, which renews leases and enrols a new name", body: "display_name! status_summary current_task_id progress_pct:integer capabilities:strings", result: atmcp.HeartbeatResult{}},
		"POST " + team + "/agents/{ref}/output":     {summary: "add to an agent's output", body: "text! directive_id" + keyed, result: atmcp.AppendOutputResult{}},
		"GET " + team + "/agents/{ref}/inbox":       {summary: "an agent's directives; wait_ms waits for one", query: "include_running:boolean limit:integer max_bytes:integer wait_ms:integer", result: atmcp.InboxResult{}},
		"POST " + team + "/directives/{id}/claim":   {summary: "begin work on an order", body: "agent! lease_ttl_s:integer" + keyed, result: atmcp.ClaimDirectiveResult{}},
		"POST " + team + "/directives/{id}/report":  {summary: "end an order: done or failed", body: "agent! status! result_summary output fencing_token:integer" + keyed, result: atmcp.ReportDirectiveResult{}},
		"POST " + team + "/directives/{id}/release": {summary: "give an order back that was begun", body: "agent! fencing_token:integer note attempted:boolean" + keyed, result: atmcp.ReleaseDirectiveResult{}},
		"POST " + team + "/agents/{ref}/usage":      {summary: "what a run of an agent's model used", body: "directive_id model input_tokens:number output_tokens:number cache_read:number cache_creation:number cost_usd:number num_turns:number duration_ms:number" + keyed, result: atmcp.ReportUsageResult{}},
		"GET " + team + "/snapshot":                 {summary: "the whole team as a page shows it first; v=2 at one head, to follow with a feed", query: "v tasks_cursor goals_cursor", result: snapshot{}},
		"GET " + team + "/status":                   {summary: "the team at a glance", result: atmcp.TeamStatus{}},
		"GET " + team + "/agents":                   {summary: "the members, with live presence", query: listed, result: atmcp.ListAgentsResult{}},
		"GET " + team + "/agents/{ref}/detail":      {summary: "one agent: what it was told, has done and wrote last", result: agentShown{}},
		"GET " + team + "/agents/{ref}/output":      {summary: "output after a chunk, or the newest page", query: "since_seq:integer before_seq:integer limit:integer max_bytes:integer", result: atmcp.GetAgentOutputResult{}},
		"GET " + team + "/tasks":                    {summary: "tasks by priority, then by age", query: "status assignee goal_id since_event_id:integer" + listed, result: atmcp.ListTasksResult{}},
		"GET " + team + "/tasks/{id}":               {summary: "a task and who held it", result: taskShown{}},
		"GET " + team + "/goals":                    {summary: "goals with their progress", query: listed, result: atmcp.ListGoalsResult{}},
		"GET " + team + "/directives":               {summary: "directives, the newest first", query: "status agent role" + listed, result: atmcp.ListDirectivesResult{}},
		"GET " + team + "/directives/{id}":          {summary: "a directive; wait_ms waits for its end", query: "wait_ms:integer", result: atmcp.WaitDirectiveResult{}},
		"GET " + team + "/knowledge":                {summary: "findings by words, or the newest", query: "query tag author since_event_id:integer units excerpt:integer" + listed, result: foundList{}},
		"GET " + team + "/knowledge/{id}":           {summary: "a finding and who said it", result: atmcp.FindingDetail{}},
		"GET " + team + "/memory":                   {summary: "registers by key", query: "prefix" + listed, result: atmcp.ListMemoryResult{}},
		"GET " + team + "/memory/{key}":             {summary: "a register", result: atmcp.GetMemoryResult{}},
		"GET " + team + "/memory/{key}/history":     {summary: "the versions of a register", query: listed, result: atmcp.MemoryHistoryResult{}},
		"GET " + team + "/usage":                    {summary: "what models used in 5 hours, 7 days and 30 days", result: atmcp.TeamUsage{}},
		"GET " + team + "/memory/{key}/diff":        {summary: "how one version of a register became another, by lines", query: "from:integer to:integer", result: atmcp.MemoryDiff{}},
		"GET " + team + "/usage/history":            {summary: "what models used, hour by hour", query: "hours:integer", result: atmcp.UsageHistory{}},
		"GET " + team + "/burnup":                   {summary: "how a goal, or the team, came on, and when it may be done", query: "goal", result: atmcp.BurnUp{}},
		"GET " + team + "/graph":                    {summary: "what waits for what, placed in layers", query: "goal around depth:integer", result: atmcp.Graph{}},
		"GET " + team + "/timeline":                 {summary: "who held which task, and when", query: "from:integer to:integer width:integer", result: atmcp.Timeline{}},
		"GET " + team + "/connect":                  {summary: "how a client of MCP is connected, without the token", query: "client agent auth scope lang", result: guideShown{}},
		"GET " + team + "/connect/{ref}":            {summary: "how far an agent got that somebody connects", result: arrivalShown{}},
		"GET " + team + "/work":                     {summary: "how each agent's holds of tasks ended, and when it wrote last", result: atmcp.TeamWork{}},
		"GET " + team + "/attention":                {summary: "what wants to be looked at, the most urgent first", result: atmcp.Attention{}},
		"GET " + team + "/events":                   {summary: "the log in pages, forward or back; wait_ms waits for more", query: "since:integer since_event_id:integer before:integer limit:integer kind agent epoch wait_ms:integer", result: eventsAnswer{}},
		"GET " + team + "/stream":                   {summary: "the team as server-sent events; see docs/feeds.md", query: "since:integer since_event_id:integer epoch output"},
		"GET /ws/{team}":                            {summary: "the team over WebSocket; see docs/feeds.md", query: "since:integer since_event_id:integer epoch v token"},
	}
}
