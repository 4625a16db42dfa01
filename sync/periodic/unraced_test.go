//go:build !race

package periodic_test

// raced: the race detector is on, and everything takes many times as long.
const raced = false
