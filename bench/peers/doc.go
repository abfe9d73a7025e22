// Package peers has benchmarks of atmcp next to what else one might have used. It
// is a module of its own, so that nobody who imports atmcp gets its
// dependencies. README.md has the figures.
package peers
