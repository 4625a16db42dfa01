package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// newestExport returns the newest file in the folder of downloads that looks like
// an export of HENNGE Access Control, empty for none: it is offered first, and its
// content is shown before it is used.
func newestExport(ctx context.Context) string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	dir := filepath.Join(home, "Downloads")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	newest, at := "", time.Time{}
	for _, e := range entries {
		info, err := e.Info()
		if ctx.Err() != nil {
			return ""
		}
		if err != nil || !info.Mode().IsRegular() || !strings.EqualFold(filepath.Ext(e.Name()), ".csv") || !info.ModTime().After(at) {
			continue
		}
		if path := filepath.Join(dir, e.Name()); looksLikeExport(path) {
			newest, at = path, info.ModTime()
		}
	}
	return newest
}

// looksLikeExport reports whether a file begins with the columns that every export
// has; they are ASCII in each of its encodings except UTF-16.
func looksLikeExport(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	head, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return false
	}
	head, _, _ = bytes.Cut(head, []byte("\n"))
	head = bytes.ReplaceAll(head, []byte{0}, nil)
	return bytes.Contains(head, []byte("Username")) && bytes.Contains(head, []byte("Email"))
}
