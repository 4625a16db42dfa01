// Package flow is the way from sign-in to a finished sync as steps without a
// terminal. A step asks a question, checks the answer, names an effect and says
// what comes next. Nothing in a step does I/O: what has to be read or written
// is an Effect, which the driver runs with a context and hands back. The line
// by line walk (tui/plain) and the screens drive the same steps, so that both
// ask the same things in the same order and share every rule.
//
// Start here. The way of one key, such as space on a row of the preview:
//
//  1. screen/shell.go: Shell.Update; what works everywhere is done, the rest is the screen's
//  2. screen/preview_keys.go: the key becomes an Answer {Command: CmdOut, Rows: 4}
//     (line by line, plain/understand.go makes it of "out 4")
//  3. flow.go: Flow.Answer; view.go: View.takes refuses what is not offered
//  4. step_preview.go: previewStep.answer; preview_commands.go: the row of the command says what it does
//  5. review/review.go: the row is left out of the plan as it is read
//  6. flow.go: Flow.apply; the turn stays, goes to another step, or has effects
//  7. driver.go: Driver.Take runs effects, and their reports and ends wait in its mailbox
//  8. flow.go: Flow.Event and Flow.Finish; the step takes them in event and done
//  9. flow.go: Flow.View; a value that says what is true, asked and offered now
//  10. screen/shell.go: sync gives it to the screen; screen/frame.go draws it
package flow
