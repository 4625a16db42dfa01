package main

import (
	"encoding/json"
	"strconv"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

func itoa(n int) string { return strconv.Itoa(n) }

// foldDomain is the form in which domains are stored.
func foldDomain(d string) string { return directory.FoldUPN(d) }

// storedProblem reads the problem of a journal row; nil where there is none.
func storedProblem(raw json.RawMessage) *problem.Stored {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var s problem.Stored
	if json.Unmarshal(raw, &s) != nil || s.Code == "" {
		return nil
	}
	return &s
}
