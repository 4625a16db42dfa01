package state

import (
	"os"
	"strings"
)

// machineID names this machine since it started. The boot ID is the kernel's:
// containers of one machine share it, a copied disk image does not.
func machineID() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(boot))
}
