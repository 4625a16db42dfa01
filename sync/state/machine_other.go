//go:build !linux

package state

import "os"

// machineID names this machine.
func machineID() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}
