// Package flow is the way from sign-in to a finished sync as steps without a
// terminal. A step asks a question, checks the answer, names an effect and says
// what comes next. Nothing in a step does I/O: what has to be read or written
// is an Effect, which the driver runs with a context and hands back. The line
// by line walk (tui/plain) and the screens drive the same steps, so that both
// ask the same things in the same order and share every rule.
package flow
