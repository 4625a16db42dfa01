//go:build !linux

package run_test

import "testing"

func smallDisk(t *testing.T) string {
	t.Helper()
	t.Skip("a small disk is made on Linux alone")
	return ""
}
