package haccsv

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/progress"
)

// BenchmarkRead reads an export of 100,000 users with every column of HAC.
func BenchmarkRead(b *testing.B) {
	const users = 100_000
	var content bytes.Buffer
	content.WriteString(header + "\r\n")
	for i := range users {
		fmt.Fprintf(&content, "user%06d,user%06d@midori.example,山田,太郎,山田　太郎%d,enabled,1,All,,s3cr3t,,2026-11-25 09:03:11,0,,,,,,営業2課,%022d==\r\n", i, i, i, i)
	}
	path := filepath.Join(b.TempDir(), "users.csv")
	if err := os.WriteFile(path, content.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(content.Len()))
	b.ReportAllocs()
	for b.Loop() {
		s, err := New(path, Options{Count: users}).Read(context.Background(), directory.Standard(), progress.Discard)
		if err != nil || s.Len() != users {
			b.Fatal(err)
		}
	}
}
