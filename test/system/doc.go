// Package system holds the promises of the whole: a hub over its stores, its MCP
// endpoint, and processes that are killed. It has tests only.
//
// What one package promises by itself is tested beside it; here many clients race,
// stores fail at every point, days pass in a bubble, and what is left afterwards is
// checked against the log and against what was acknowledged.
package system
