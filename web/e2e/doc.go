// Package e2e drives the dashboard in a real browser: its tests start a hub behind the
// handlers that the server has, open pages of it in Chromium, and look at what a person
// would see. There is nothing in it to import; it is a module of its own, so that nobody
// who uses the library has a browser's protocol among their dependencies.
//
//	go -C web/e2e test ./...                     all of it, about four minutes on two cores
//	go -C web/e2e test -run Shots -update ./...  makes the pictures in docs/img anew
//	go -C web/e2e test -run NoMoreTheLonger -soak 5m ./...  a page under load, for so long: does it grow?
//
// The browser is the one that ATMCP_CHROME names, or else chromium in the PATH. Where
// there is none the tests are skipped, unless ATMCP_E2E is "required".
package e2e
