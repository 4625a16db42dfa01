package input_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"

	"github.com/hacsync/hacsync/sync/input"
)

func TestNumber_ReadsWhatAJapaneseInputMethodGives(t *testing.T) {
	for text, want := range map[string]int{
		"2": 2, "２": 2, " ４，３４７　": 4347, "4,347": 4347, "1_000": 1000, "１ ０": 10, "٣": -1,
		"-1": -1, "－１": -1, "": -1, "1.5": -1, "two": -1, "二": -1, "99999999999999999999": -1,
	} {
		got, ok := input.Number(text)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q is %d, want %d", text, got, want)
		}
	}
	for text, want := range map[string]int{
		"20": 20, "２０日": 20, "20 日間": 20, "20 days": 20, "1 Day": 1, "２０Ｄ": 20, "日": -1, "20%": -1, "20 weeks": -1, "2 0日": 20,
	} {
		got, ok := input.Days(text)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q is %d days, want %d", text, got, want)
		}
	}
	for text, want := range map[string]int{
		"30%": 30, "３０％": 30, "30": 30, "30 percent": 30, "３０ パーセント": 30, "%": -1, "30%%": -1, "30日": -1,
	} {
		got, ok := input.Percent(text)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q is %d percent, want %d", text, got, want)
		}
	}
}

func TestYes_IsYesInEitherWidthAndLanguage(t *testing.T) {
	for text, want := range map[string]bool{
		"y": true, "Yes": true, "ＹＥＳ": true, "ｙ": true, "はい": true, "ハイ": true, "ﾊｲ": true, "　はい　": true,
		"": false, "n": false, "いいえ": false, "ｎｏ": false, "yes!": false, "1": false,
	} {
		if got := input.Yes(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestFile_ReadsWhatEditorsAndShellsSave(t *testing.T) {
	const text = "{\"a\": \"日本\"}\nb\rc\n"
	crlf := strings.ReplaceAll(text, "\n", "\r\n")
	utf16 := func(e unicode.Endianness, bom unicode.BOMPolicy) string {
		s, err := unicode.UTF16(e, bom).NewEncoder().String(crlf)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	path := filepath.Join(t.TempDir(), "file")
	for name, saved := range map[string]string{
		"as written":                   text,
		"Notepad, UTF-8 with a mark":   "\ufeff" + crlf,
		"PowerShell 5.1, UTF-16":       utf16(unicode.LittleEndian, unicode.UseBOM),
		"UTF-16, the other order":      utf16(unicode.BigEndian, unicode.UseBOM),
		"UTF-16 without a mark":        utf16(unicode.LittleEndian, unicode.IgnoreBOM),
		"the other order, no mark too": utf16(unicode.BigEndian, unicode.IgnoreBOM),
	} {
		if err := os.WriteFile(path, []byte(saved), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := input.File(path); string(got) != text || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		slow, err := io.ReadAll(input.Reader(iotest.OneByteReader(strings.NewReader(saved))))
		if string(slow) != text || err != nil {
			t.Errorf("%s, a byte at a time: %q, %v", name, slow, err)
		}
	}
	sjis, err := japanese.ShiftJIS.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	for name, saved := range map[string]string{"Shift_JIS": sjis, "no text": "\x1f\x8b\x08\x00\x00", "NUL": "a\x00b"} {
		if err := os.WriteFile(path, []byte(saved), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := input.File(path); !errors.Is(err, input.ErrEncoding) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestPEM_LeavesBinaryAsItIs(t *testing.T) {
	const text = "-----BEGIN CERTIFICATE-----\n"
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	for saved, want := range map[string]string{
		text: text, "\ufeff" + text: text, wide: text, "": "",
		"\x30\x00\x01\x00\r\n": "\x30\x00\x01\x00\r\n",
	} {
		if got := input.PEM([]byte(saved)); string(got) != want {
			t.Errorf("%q became %q", saved, got)
		}
	}
}

func TestReader_ChangesNothingElse(t *testing.T) {
	long := bytes.Repeat([]byte("a\r"), 1<<15)
	got, err := io.ReadAll(input.Reader(bytes.NewReader(long)))
	if err != nil || !bytes.Equal(got, long) {
		t.Errorf("%d bytes of %d, %v", len(got), len(long), err)
	}
}
