"""A client as people wrote them for the Python original: the heartbeat sidecar and a
worker without MCP, with nothing but the standard library. It takes one directive,
works on it, reports it, and prints what it was answered as one JSON object."""

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

URL, TEAM, TOKEN, NAME = (os.environ[k] for k in ("ATMCP_URL", "ATMCP_TEAM", "ATMCP_TOKEN", "ATMCP_NAME"))


def call(method, path, body=None, bearer=True):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{URL}/api/teams/{urllib.parse.quote(TEAM)}{path}", data=data, method=method)
    request.add_header("Content-Type", "application/json")
    if bearer:
        request.add_header("Authorization", f"Bearer {TOKEN}")
    else:
        request.add_header("X-ATMcp-Token", TOKEN)
    try:
        with urllib.request.urlopen(request, timeout=40) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def main():
    said = {}
    me = urllib.parse.quote(NAME)
    said["beat"] = call("POST", "/heartbeat", {"display_name": NAME, "status_summary": "online"}, bearer=False)
    said["nameless"] = call("POST", "/heartbeat", {"status_summary": "online"})
    said["stranger"] = call("GET", "/agents/nobody/inbox?wait_ms=0")
    print("ready", file=sys.stderr, flush=True)
    said["inbox"] = call("GET", f"/agents/{me}/inbox?wait_ms=30000&limit=1")
    order = said["inbox"][1]["directives"][0]["directive_id"]
    said["claim"] = call("POST", f"/directives/{order}/claim", {"agent": NAME, "token": TOKEN})
    said["again"] = call("POST", f"/directives/{order}/claim", {"agent": NAME})
    said["output"] = call("POST", f"/agents/{me}/output", {"text": "▶ started\n", "directive_id": order})
    said["usage"] = call("POST", f"/agents/{me}/usage", {
        "directive_id": order, "model": "opus", "input_tokens": 1200, "output_tokens": 34, "cache_read": 5,
        "cache_creation": 6, "cost_usd": 0.25, "num_turns": 2, "duration_ms": 900, "token": TOKEN})
    said["report"] = call("POST", f"/directives/{order}/report", {
        "agent": NAME, "status": "done", "result_summary": "all well", "output": "all well\nand more", "token": TOKEN})
    said["late"] = call("POST", f"/directives/{order}/report", {"agent": NAME, "status": "failed"})
    said["paused"] = call("POST", "/heartbeat", {"display_name": NAME, "status_summary": "paused: budget reached", "progress_pct": 0})
    json.dump(said, sys.stdout)


main()
