// Package atmcp lets many agents, on different machines, work as one team.
//
// A [Hub] keeps teams over a [Store]. Members of a team share knowledge, memory,
// goals, tasks, directives, output and one log of events; each reads and writes
// through a handle that can do what its holder may do and no more:
//
//	hub, err := atmcp.Open(ctx, atmcp.Config{Store: memstore.New()})
//	...
//	team, err := hub.Team(ctx, "crew")
//	alice, _, err := team.Join(ctx, atmcp.JoinRequest{DisplayName: "alice"})
//	task, err := alice.ClaimNextTask(ctx, atmcp.ClaimNextTaskRequest{})
//	lease := alice.Lease(task.TaskID, task.FencingToken)
//	_, err = lease.Complete(ctx, atmcp.CompleteRequest{})
//
// Every call that returned without an error is durable, is in the log, and is
// seen by every read that begins after it. A call that was foreseen to fail
// returns a [Refusal] and has changed nothing. Any other error means that the
// outcome could not be told: repeat the call with the same idempotency key.
//
// # Requests and results
//
// Requests and results are values, and their JSON is what MCP and REST send. Unless a
// comment says otherwise:
//
//   - a time is wall time in milliseconds since 1970, for people; what orders is [Seq];
//   - a name that ends with S counts seconds;
//   - a zero limit is the default, one beyond the most is cut, a list goes on from its
//     NextCursor and is never null;
//   - of an optional field nil says nothing, and the empty value that there is none;
//   - whatever else the comment of a call lists: a text that is too long or not UTF-8,
//     and a number out of its bounds, is an [InvalidError]; a change by an agent that has
//     left [CodeNotJoined]; one by a key that was used for another call an
//     [IdemMismatchError]; and one that the store has no space for [CodeStorageFull].
//
// # Words
//
//   - hub: what keeps teams. team: agents and all they share. agent, member: one
//     of a team, found by its name. console: who steers a team from outside.
//   - finding: a piece of knowledge, addressed by its content. register: a key of
//     the team's memory, with versions.
//   - goal: what tasks are for. task: work that one agent does at a time. lease:
//     the right to work on something, for a term that signs of life renew.
//     holder: who has a lease. fencing token: a number that grows with each lease
//     on the same thing. attempt: one lease that was failed or lapsed. requeue: to
//     offer a task again. dead: failed for good.
//   - directive: an order from an issuer to an addressee. output: what an agent
//     shows of its work, in chunks.
//   - event: an entry of a team's log. seq: its number. cursor: the number up to
//     which a reader has read. head: the newest number. epoch: the name of one
//     history of a log. after-image: what an event changed, as it then was.
//     snapshot: the state at one head. resync: to take a snapshot because a
//     cursor is of no use.
//   - heartbeat, beat: a sign of life. presence: how recently there was one:
//     healthy, degraded or offline.
//   - credential: what a request shows. handle: a credential for clients that
//     cannot set headers. principal: whom a credential speaks for. role: what it
//     permits.
//   - refusal: a no that was foreseen. outcome unknown: neither yes nor no. fail
//     stop: to acknowledge nothing more.
//   - projection: what is computed from the log and may be lost, as the search
//     index.
package atmcp
