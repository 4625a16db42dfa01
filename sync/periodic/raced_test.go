//go:build race

package periodic_test

// raced: the race detector watches, and everything takes many times as long.
const raced = true
