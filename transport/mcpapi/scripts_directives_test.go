package mcpapi_test

func directiveScripts() map[string]func(*script) {
	return map[string]func(*script){
		"send_directive": sendDirective, "inbox": inbox, "claim_directive": claimDirective, "report_directive": reportDirective,
		"wait_directive": waitDirective, "cancel_directive": cancelDirective, "list_directives": listDirectives,
	}
}

// sent is a directive from ann to bob.
func (s *script) sent(instruction string) string {
	s.t.Helper()
	return s.made("ann", "send_directive", "directive_id", args{"to_agent": "bob", "instruction": instruction})
}

func sendDirective(s *script) {
	first := s.show("sent", "ann", args{"to_agent": "bob", "instruction": "review parse.go", "payload": args{"lines": []int{1, 90}}})
	s.show("an answer that expires", "bob", args{
		"to_agent": "ann", "instruction": "see my notes", "re": first.JSON["directive_id"], "thread": "review", "expires_s": 60,
	})
	s.show("unknown_agent", "ann", args{"to_agent": "zoe", "instruction": "x"})
	s.show("unknown_directive", "ann", args{"to_agent": "bob", "instruction": "x", "re": "nonsense"})
	s.call("eve", "inbox", nil)
	s.retire("eve")
	s.show("forbidden", "ann", args{"to_agent": "eve", "instruction": "x"})
	s.show("wrong arguments", "ann", args{"to_agent": "bob", "instruction": "", "payload": []int{1}})
}

func inbox(s *script) {
	s.sent("review parse.go")
	s.show("one waits", "bob", args{"wait_ms": 25000})
	s.show("none", "ann", nil)
	s.show("not_joined", "", nil)
	s.showWith("not_joined, with a token that is not good", s.wrongToken(), nil)
	s.show("wrong arguments", "bob", args{"wait_ms": "25000", "include_running": 1})
}

func claimDirective(s *script) {
	id := s.sent("review parse.go")
	s.show("claimed", "bob", args{"directive_id": id})
	s.show("not_pending", "bob", args{"directive_id": id})
	s.show("claimed with a lease", "bob", args{"directive_id": s.sent("review lex.go"), "lease_ttl_s": 60})
	s.show("not_yours", "ann", args{"directive_id": id})
	s.show("unknown_directive", "bob", args{"directive_id": "nonsense"})
	s.show("wrong arguments", "bob", args{"directive_id": id, "lease_ttl_s": -1})
}

func reportDirective(s *script) {
	id := s.sent("review parse.go")
	s.show("done", "bob", args{"directive_id": id, "status": "done", "result_summary": "two remarks", "output": "…"})
	s.show("already_final", "bob", args{"directive_id": id, "status": "failed"})
	leased := s.sent("review lex.go")
	s.call("bob", "claim_directive", args{"directive_id": leased, "lease_ttl_s": 60})
	s.show("stale_token", "bob", args{"directive_id": leased, "status": "done", "fencing_token": 99})
	s.show("bad_status", "bob", args{"directive_id": leased, "status": "finished"})
	s.show("not_yours", "ann", args{"directive_id": leased, "status": "done"})
	s.show("unknown_directive", "bob", args{"directive_id": "nonsense", "status": "done"})
}

func waitDirective(s *script) {
	id := s.sent("review parse.go")
	s.show("not final yet", "ann", args{"directive_id": id})
	s.call("bob", "report_directive", args{"directive_id": id, "status": "done", "result_summary": "two remarks"})
	s.show("final", "ann", args{"directive_id": id, "wait_ms": 30000})
	s.show("unknown_directive", "ann", args{"directive_id": "nonsense"})
}

func cancelDirective(s *script) {
	id := s.sent("review parse.go")
	s.show("not_yours", "bob", args{"directive_id": id})
	s.show("cancelled", "ann", args{"directive_id": id})
	s.show("already_final", "ann", args{"directive_id": id})
	s.show("unknown_directive", "ann", args{"directive_id": "nonsense"})
}

func listDirectives(s *script) {
	s.sent("review parse.go")
	s.made("bob", "send_directive", "directive_id", args{"to_agent": "ann", "instruction": "see my notes"})
	s.show("all", "ann", nil)
	s.show("those you sent, brief", "ann", args{"role": "sent", "view": "brief"})
	s.show("those that are done", "ann", args{"role": "received", "status": "done"})
	s.show("wrong arguments", "ann", args{"cursor": "nonsense"})
}
