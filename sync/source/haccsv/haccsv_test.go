package haccsv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/source"
)

// header is the whole header of an export, as HENNGE's help lists it, with one
// custom attribute.
const header = "Username,Email Address,Family Name,Given Name,Display Name,Status,Access Policy Group ID," +
	"Access Policy Group Name,OTP Notification Email,OTP Emergency Token,OTP Type,Last Login,Is Admin," +
	"Self Password Reset Email,Password Change Policy,Password Expiration Date,New Password,Role,busho,Microsoft Immutable ID"

const (
	taro = "yamada.taro@midori.example,yamada.taro@midori.example,山田,太郎,山田　太郎,enabled,1,All,,s3cr3t,," +
		"2026-11-25 09:03:11,0,,,,hunter2,,営業2課,WEt4r/aDlE3wtGz0UbVoqQ=="
	jiro  = "jiro,Jiro@midori-logi.example,佐藤,次郎,\"佐藤, \"\"次郎\"\"\r\n様\",disabled,1,All,,,,2026-11-20 10:00:00,0,,,,,,,"
	admin = "hdeadmin,,,,管理者,enabled,,,,,,,1,,,,,full-admin,,"
)

func write(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users (2).csv")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// upTo is s before its first part.
func upTo(s, part string) string {
	before, _, _ := strings.Cut(s, part)
	return before
}

func lines(l ...string) string { return strings.Join(l, "\r\n") + "\r\n" }

func read(t testing.TB, content string, opts Options) (*directory.Snapshot, error) {
	t.Helper()
	opts.Zone = time.UTC
	return New(write(t, content), opts).Read(context.Background(), directory.Standard(), progress.Discard)
}

func mustRead(t testing.TB, content string, opts Options) *directory.Snapshot {
	t.Helper()
	s, err := read(t, content, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRead_TakesTheColumnsOfAnExport(t *testing.T) {
	s := mustRead(t, lines(header, taro, jiro, admin), Options{})
	if s.Len() != 3 || s.Side() != directory.Source {
		t.Fatalf("%d rows of the %v", s.Len(), s.Side())
	}
	want := []struct {
		upn, id, nickname, display, family, given string
		enabled                                   bool
		line                                      int
	}{
		{"yamada.taro@midori.example", "WEt4r/aDlE3wtGz0UbVoqQ==", "yamada.taro", "山田　太郎", "山田", "太郎", true, 2},
		{"Jiro@midori-logi.example", "", "jiro", "佐藤, \"次郎\"\r\n様", "佐藤", "次郎", false, 3},
		{"", "", "hdeadmin", "管理者", "", "", true, 5},
	}
	for i, w := range want {
		u := s.At(i)
		for a, text := range map[directory.Attribute]string{
			directory.UserPrincipalName: w.upn, directory.ImmutableID: w.id, directory.MailNickname: w.nickname,
			directory.DisplayName: w.display, directory.Surname: w.family, directory.GivenName: w.given,
		} {
			if got, set := u.Get(a); got != text || set != (text != "") {
				t.Errorf("row %d: %s is %q %t, want %q", i, a, got, set, text)
			}
		}
		if u.Line() != w.line || u.Marks().Has(directory.Enabled) != w.enabled {
			t.Errorf("row %d: line %d, marks %b", i, u.Line(), u.Marks())
		}
	}
	if p := s.Proof(); !p.Ended || p.Items != 3 || p.Count != -1 {
		t.Errorf("proof %+v", p)
	}
	a := s.About()
	if a.Name != "users (2).csv" || a.Total != 3 || a.Newest != time.Date(2026, 11, 25, 9, 3, 11, 0, time.UTC) || a.Changed.IsZero() || a.Read.IsZero() {
		t.Errorf("about %+v", a)
	}
}

func TestRead_IsTheSameInEveryEncodingAndForm(t *testing.T) {
	text := lines(header, taro, jiro, admin)
	want := mustRead(t, text, Options{}).Digest()
	encode := func(s string, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	tabbed := strings.NewReplacer(",", "\t", "佐藤, ", "佐藤, ").Replace(text)
	forms := map[string]string{
		"BOM":           "\ufeff" + text,
		"Shift_JIS":     encode(japanese.ShiftJIS.NewEncoder().String(text)),
		"UTF-16 LE":     encode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text)),
		"UTF-16 BE":     encode(unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(text)),
		"TSV":           strings.Replace(tabbed, "佐藤\t ", "佐藤, ", 1),
		"LF":            strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n様", "\r\n様"),
		"CR":            strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\r"), "\r様", "\r\n様"),
		"blank lines":   "\r\n" + strings.Replace(text, taro+"\r\n", taro+"\r\n\r\n", 1) + "\r\n",
		"header spaces": strings.Replace(strings.Replace(text, "Display Name", "  display  NAME ", 1), "Username", "\"Username\"", 1),
	}
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			if got := mustRead(t, form, Options{}).Digest(); got != want {
				t.Fatal("another digest")
			}
		})
	}
}

func TestRead_FindsTheUPN(t *testing.T) {
	tests := map[string]struct{ header, want string }{
		"Email Address":              {"Username,Email Address,x", "second"},
		"Email":                      {"Username,Email,x", "second"},
		"Email before Email Address": {"Username,Email Address,Email", "third"},
		"as the API calls it":        {"username,x,Email (UserPrincipalName (UPN))", "third"},
		"Login ID":                   {"Username,Login ID,Email Address", "second"},
		"as HENNGE renamed it":       {"Username,Login ID,Login ID UserPrincipalName", "third"},
		"UserPrincipalName":          {"Username,Email Address,userPrincipalName", "third"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := mustRead(t, tt.header+"\nfirst,second,third\n", Options{})
			if got := s.At(0).UPN(); got != tt.want {
				t.Fatalf("UPN is %q", got)
			}
		})
	}
}

func TestRead_AMissingColumnIsNotAnEmptyOne(t *testing.T) {
	s := mustRead(t, "Username,Email,Family Name\na,a@x.example,\n", Options{})
	for a, want := range map[directory.Attribute]bool{
		directory.Surname: true, directory.GivenName: false, directory.DisplayName: false,
		directory.ImmutableID: false, directory.AccountEnabled: false,
	} {
		if s.HasColumn(a) != want {
			t.Errorf("HasColumn(%s) is %t", a, !want)
		}
	}
	if !s.At(0).Marks().Has(directory.Enabled) {
		t.Error("without Status nobody is disabled")
	}
	for _, name := range []string{"Microsoft Immutable ID", "Microsoft ImmutableID", "immutable id", "Microsoft Immutable ID (Office 365)", " Microsoft  Immutable ID "} {
		if !mustRead(t, "Username,Email,"+name+"\na,a@x.example,x\n", Options{}).HasColumn(directory.ImmutableID) {
			t.Errorf("%q is not known", name)
		}
	}
}

func TestRead_MapsCustomAttributes(t *testing.T) {
	content := lines(header, taro, jiro, admin)
	s := mustRead(t, content, Options{Mappings: []source.Mapping{{From: "BUSHO", To: directory.Department}}})
	if v, _ := s.At(0).Get(directory.Department); v != "営業2課" {
		t.Errorf("department is %q", v)
	}
	s = mustRead(t, content, Options{Mappings: []source.Mapping{{From: "busho", To: directory.DisplayName}}})
	if v, _ := s.At(0).Get(directory.DisplayName); v != "営業2課" {
		t.Errorf("a mapping does not take the attribute over: %q", v)
	}
	refused := map[string]struct {
		mappings []source.Mapping
		want     problem.Code
	}{
		"no such column": {[]source.Mapping{{From: "shozoku", To: directory.Department}}, problem.MappingColumn},
		"a secret":       {[]source.Mapping{{From: "New Password", To: directory.Department}}, problem.MappingSecret},
		"to the status":  {[]source.Mapping{{From: "busho", To: directory.AccountEnabled}}, problem.MappingTarget},
		"one target twice": {[]source.Mapping{
			{From: "busho", To: directory.Department}, {From: "Family Name", To: directory.Department},
		}, problem.MappingTarget},
	}
	for name, tt := range refused {
		if _, err := read(t, content, Options{Mappings: tt.mappings}); !problem.Has(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRead_RefusesWithFileLineAndReason(t *testing.T) {
	whole := lines(header, taro, jiro, admin)
	sjis, err := japanese.ShiftJIS.NewEncoder().String(whole)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		content string
		code    problem.Code
		args    problem.Args // those that matter
	}{
		"empty file":             {"", problem.FileEmpty, nil},
		"only blank lines":       {"\r\n\n\r\n", problem.FileEmpty, nil},
		"only a BOM":             {"\ufeff", problem.FileEmpty, nil},
		"only a header":          {header + "\n", problem.FileOnlyHeader, nil},
		"a header without break": {header, problem.FileOnlyHeader, nil},
		"no UPN column":          {"Username,Name\na,b\n", problem.FileNoUPN, problem.Args{"columns": "Username, Name"}},
		"no Username column":     {"UserName ID,Email\na,b\n", problem.FileNoUsername, problem.Args{"columns": "UserName ID, Email"}},
		"a user for a header":    {taro + "\r\n" + taro + "\r\n", problem.FileNoHeader, nil},
		"a column twice":         {"Email,busho, BUSHO \na@x.example,1,2\n", problem.FileHeaderTwice, problem.Args{"column": "busho", "first": "2", "second": "3"}},
		"a value too few":        {lines("Email,Username", "a@x.example,1", "b@x.example"), problem.FileColumnCount, problem.Args{"line": "3", "want": "2", "got": "1"}},
		"a value too many":       {lines("Email,Username", "a@x.example,1,2"), problem.FileColumnCount, problem.Args{"line": "2", "want": "2", "got": "3"}},
		"the line of a row behind a quoted break": {
			lines("Email,Username", "a@x.example,\"1\n\r\n2\r3\"", "b@x.example"), problem.FileColumnCount, problem.Args{"line": "6"},
		},
		"cut in the middle of a row":       {lines("Email,Username", "a@x.example,1") + "b@x.exa", problem.FileCut, problem.Args{"line": "3"}},
		"cut in the last value":            {upTo(whole, "VoqQ=="), problem.FileCut, problem.Args{"line": "2"}},
		"cut in a quoted value":            {upTo(whole, "様"), problem.FileQuoteOpen, problem.Args{"line": "3"}},
		"a quotation mark never closed":    {lines("Email,Username", "a@x.example,\"1", "b@x.example,2"), problem.FileQuoteOpen, problem.Args{"line": "2"}},
		"opened on a later line of a row":  {lines("Email,Username,x", "a@x.example,\"1\n2\",\"3"), problem.FileQuoteOpen, problem.Args{"line": "3"}},
		"a bare quotation mark":            {lines("Email,Username", "a@x.example,1\"2\""), problem.FileQuoteBare, problem.Args{"line": "2"}},
		"text behind a quotation mark":     {lines("Email,Username", "a@x.example,\"1\"2"), problem.FileQuoteBare, problem.Args{"line": "2"}},
		"NUL":                              {lines("Email,Username", "a@x.example,1", "b@x.example,\x00"), problem.FileNUL, problem.Args{"line": "3"}},
		"UTF-16 without BOM, cut":          {"E\x00m\x00a\x00i\x00l\x00\n\x00a\x00\n", problem.FileNUL, problem.Args{"line": "1"}},
		"neither UTF-8 nor Shift_JIS":      {lines("Email,Username", "a@x.example,\xff\xfd"), problem.FileEncoding, problem.Args{"line": "2"}},
		"an odd byte in UTF-8":             {lines(header, taro, "\x82"), problem.FileEncoding, problem.Args{"line": "3"}},
		"an odd byte behind a BOM":         {"\ufeff" + lines("Email,Username", "a@x.example,\x82\xa0"), problem.FileEncoding, problem.Args{"line": "2"}},
		"Shift_JIS cut within a character": {upTo(sjis, "\x91\xbe") + "\x91", problem.FileCut, problem.Args{"line": "2"}},
		"cut within a character, damaged":  {lines(header, taro, "\x82") + upTo(taro, "\x8e"), problem.FileEncoding, problem.Args{"line": "3"}},
		"a row without end":                {lines("Email,Username") + strings.Repeat("x", maxRow+2), problem.FileRowTooLong, problem.Args{"line": "2"}},
		"a picture":                        {"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", problem.FileNUL, problem.Args{"line": "3"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := write(t, tt.content)
			s, err := New(path, Options{}).Read(context.Background(), directory.Standard(), progress.Discard)
			if s != nil {
				t.Fatal("gave a snapshot")
			}
			p := problem.Of(err)
			if p == nil || p.Code != tt.code {
				t.Fatalf("got %v, want %s", err, tt.code)
			}
			if p.Args["file"] != path {
				t.Errorf("file %q", p.Args["file"])
			}
			for k, v := range tt.args {
				if p.Args[k] != v {
					t.Errorf("%s is %q, want %q", k, p.Args[k], v)
				}
			}
			if _, err := New(path, Options{}).Look(context.Background()); !problem.Has(err, tt.code) {
				t.Errorf("a look says %v", err)
			}
		})
	}
}

func TestRead_ReportsEveryBadRow(t *testing.T) {
	rows := []string{"Email,Username"}
	for i := range 60 {
		row := fmt.Sprintf("u%d@x.example,1", i)
		if i%2 == 1 {
			row += ",2"
		}
		rows = append(rows, row)
	}
	_, err := read(t, lines(rows...), Options{})
	var bad *source.BadRows
	if !problem.Has(err, problem.FileBadRows) || !errors.As(err, &bad) {
		t.Fatal(err)
	}
	if bad.Total != 30 || len(bad.Rows) != mostBadRows || bad.Rows[1].Args["line"] != "5" || bad.Rows[1].Code != problem.FileColumnCount {
		t.Fatalf("%d bad rows, told %d: %v", bad.Total, len(bad.Rows), bad)
	}
	if a := problem.Of(err).Args; a["bad"] != "30" || !strings.HasPrefix(a["lines"], "3, 5, 7,") {
		t.Fatalf("args %v", a)
	}
}

func TestRead_ComparesTheCountOfHAC(t *testing.T) {
	content := lines(header, taro, jiro, admin)
	if s := mustRead(t, content, Options{Count: 3}); s.Proof().Count != 3 {
		t.Errorf("proof %+v", s.Proof())
	}
	for _, count := range []int{2, 4} {
		_, err := read(t, content, Options{Count: count})
		if p := problem.Of(err); p == nil || p.Code != problem.SourceCount || p.Args["rows"] != "3" || p.Args["expected"] != fmt.Sprint(count) {
			t.Errorf("with %d: %v", count, err)
		}
	}
	// The default administrator, who has no UPN, counts.
	if _, err := read(t, lines(header, taro, jiro), Options{Count: 3}); !problem.Has(err, problem.SourceCount) {
		t.Errorf("cut between two rows: %v", err)
	}
}

// A valid file cut at any byte is refused, unless all that is missing is line
// breaks or whole rows; whole rows are missed with the count.
func TestRead_RefusesAFileCutAnywhere(t *testing.T) {
	quoted := `"Username","Email","Microsoft Immutable ID"` + "\r\n" + `"a ""b""","a@x.example","WEt4r/aDlE3wtGz0UbVoqQ=="` + "\r\n" + `"","b@x.example",""` + "\r\n"
	sjis, err := japanese.ShiftJIS.NewEncoder().String(lines(header, taro, jiro, admin))
	if err != nil {
		t.Fatal(err)
	}
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(lines("Username,Email,busho", "a,a@x.example,課", "b,b@x.example,\"課\""))
	if err != nil {
		t.Fatal(err)
	}
	for name, whole := range map[string]string{
		"export":               lines(header, taro, jiro, admin),
		"LF":                   strings.ReplaceAll(lines(header, taro, jiro, admin), "\r\n", "\n"),
		"behind a BOM":         "\ufeff" + lines(header, taro, jiro, admin),
		"names at the end":     lines("Username,Email,busho", "a,a@x.example,営業部", "b,b@x.example,総務部"),
		"Shift_JIS":            sjis,
		"UTF-16":               wide,
		"all quoted":           quoted,
		"quoted custom at end": lines("Username,Email,busho", `a,a@x.example,"x ""y"" z"`, `b,b@x.example,""`),
	} {
		t.Run(name, func(t *testing.T) {
			full := mustRead(t, whole, Options{})
			dir := t.TempDir()
			for cut := range len(whole) {
				path := filepath.Join(dir, "cut.csv")
				if err := os.WriteFile(path, []byte(whole[:cut]), 0o600); err != nil {
					t.Fatal(err)
				}
				s, err := New(path, Options{}).Read(context.Background(), directory.Standard(), progress.Discard)
				if err == nil && !wholeRowsOf(full, s) {
					t.Fatalf("cut at byte %d of %d, %q, was taken: %+v", cut, len(whole), whole[max(0, cut-20):cut], s.At(s.Len()-1).Record())
				}
				if err != nil && problem.Of(err) == nil {
					t.Fatalf("cut at byte %d: %v", cut, err)
				}
				// A file that just ends gets no warning of a damaged encoding, once it has
				// enough characters to decide the encoding.
				if cut > len(whole)/2 && problem.Has(err, problem.FileEncoding) {
					t.Fatalf("cut at byte %d of %d, %q: %v", cut, len(whole), whole[max(0, cut-20):cut], err)
				}
				s, err = New(path, Options{Count: full.Len()}).Read(context.Background(), directory.Standard(), progress.Discard)
				if err == nil && (s.Len() != full.Len() || !wholeRowsOf(full, s) && !lastIDLost(full, s)) {
					t.Fatalf("cut at byte %d of %d, %q, was taken with the count", cut, len(whole), whole[max(0, cut-20):cut])
				}
			}
		})
	}
}

// wholeRowsOf reports whether each row of s is that of full.
func wholeRowsOf(full, s *directory.Snapshot) bool {
	for u := range s.All() {
		a, b := u.Record(), full.At(u.Row()).Record()
		if a.UPN != b.UPN || a.ImmutableID != b.ImmutableID || !slices.Equal(a.Values, b.Values) || a.Marks != b.Marks {
			return false
		}
	}
	return true
}

// lastIDLost reports whether all that differs is an absent immutable ID in the
// last row, which changes nothing in the destination.
func lastIDLost(full, s *directory.Snapshot) bool {
	last := s.Len() - 1
	a, b := s.At(last).Record(), full.At(last).Record()
	return a.ImmutableID == "" && a.UPN == b.UPN && slices.Equal(a.Values, b.Values)
}

func TestRead_TakesALastRowWithoutBreakOnlyIfItIsWhole(t *testing.T) {
	base := "Email,Username,Microsoft Immutable ID\na@x.example,1,WEt4r/aDlE3wtGz0UbVoqQ==\n"
	tests := map[string]struct {
		row   string
		count int
		ok    bool
	}{
		"an ID with its padding":                {"b@x.example,1,WEt4r/aDlE3wtGz0UbVoqQ==", 0, true},
		"an ID cut in its padding":              {"b@x.example,1,WEt4r/aDlE3wtGz0UbVoqQ=", 0, false},
		"an ID cut before its padding":          {"b@x.example,1,WEt4r/aDlE3wtGz0UbVo", 0, false},
		"a quoted ID":                           {`b@x.example,1,"WEt4"`, 0, true},
		"no ID":                                 {"b@x.example,1,", 0, false},
		"no ID, counted":                        {"b@x.example,1,", 2, true},
		"an ID cut before its padding, counted": {"b@x.example,1,WEt4", 2, false},
		"a column missing, counted":             {"b@x.example,1", 2, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := read(t, base+tt.row, Options{Count: tt.count})
			if tt.ok && err != nil || !tt.ok && !problem.Has(err, problem.FileCut) {
				t.Fatal(err)
			}
		})
	}
}

func TestRead_RefusesWhatIsNoReadableFile(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big.csv")
	if err := os.WriteFile(big, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(big, maxSize+1); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]problem.Code{
		filepath.Join(dir, "nothing.csv"): problem.FileNotFound,
		dir:                               problem.FileNotAFile,
		os.DevNull:                        problem.FileNotAFile,
		big:                               problem.FileTooBig,
		filepath.Join(dir, "a\x00b"):      problem.FileNotReadable,
	} {
		_, err := New(path, Options{}).Read(context.Background(), nil, progress.Discard)
		if p := problem.Of(err); p == nil || p.Code != want || p.Args["file"] != path {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
}

func TestRead_RefusesAFileThatChangesMeanwhile(t *testing.T) {
	var content bytes.Buffer
	content.WriteString("Email,Username\n")
	for i := range 30_000 {
		fmt.Fprintf(&content, "user%06d@x.example,1\n", i)
	}
	changes := map[string]func(path string) error{
		"appended": func(path string) error {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteString("new@x.example,1\n")
			return err
		},
		"replaced": func(path string) error {
			if err := os.WriteFile(path+".new", content.Bytes(), 0o600); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		},
		"truncated": func(path string) error { return os.Truncate(path, int64(content.Len()-21*100)) },
		"overwritten, with its old time": func(path string) error {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			b := bytes.Clone(content.Bytes())
			b[len(b)-3] = 'X'
			if err := os.WriteFile(path, b, 0o600); err != nil {
				return err
			}
			return os.Chtimes(path, time.Time{}, info.ModTime())
		},
		"removed": os.Remove,
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			path := write(t, content.String())
			done := false
			s, err := New(path, Options{}).Read(context.Background(), nil, progress.Func(func(progress.Event) {
				if !done {
					done = true
					if err := change(path); err != nil {
						t.Error(err)
					}
				}
			}))
			if s != nil || !problem.Has(err, problem.FileChanged) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func TestRead_StopsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := New(write(t, lines(header, taro)), Options{}).Read(ctx, nil, progress.Discard); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestRead_ReportsProgressToTheEnd(t *testing.T) {
	content := "Email,Username\n" + strings.Repeat("a@x.example,a\n", 5*every)
	var events []progress.Event
	if _, err := New(write(t, content), Options{}).Read(context.Background(), nil, progress.Func(func(e progress.Event) {
		events = append(events, e)
	})); err != nil {
		t.Fatal(err)
	}
	last := events[len(events)-1]
	if len(events) != 6 || !last.Ended || last.Done != 5*every || last.Total != 5*every || events[0].Total != 5*every {
		t.Fatalf("events %+v", events)
	}
}

func TestLook_ReportsWhatIsInAFile(t *testing.T) {
	o, err := New(write(t, "\ufeff"+lines(header, taro, jiro, admin)), Options{Zone: time.UTC}).Look(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if o.Encoding != "UTF-8 with BOM" || o.Comma != "comma" || o.Rows != 3 || len(o.Columns) != 20 || o.Changed.IsZero() {
		t.Errorf("overview %+v", o)
	}
	if o.Domains["midori.example"] != 1 || o.Domains["midori-logi.example"] != 1 || o.Domains[""] != 1 {
		t.Errorf("domains %v", o.Domains)
	}
	want := map[string]source.Recognised{
		"Username":               {Attribute: directory.MailNickname, Use: source.Mapped, Example: "yamada.taro@midori.example"},
		"Email Address":          {Attribute: directory.UserPrincipalName, Use: source.Mapped, Example: "yamada.taro@midori.example"},
		"Microsoft Immutable ID": {Attribute: directory.ImmutableID, Use: source.Mapped, Example: "WEt4r/aDlE3wtGz0UbVoqQ=="},
		"Status":                 {Attribute: directory.AccountEnabled, Use: source.Read, Example: "enabled"},
		"Last Login":             {Use: source.Read, Example: "2026-11-25 09:03:11"},
		"busho":                  {Use: source.NotMapped, Example: "営業2課"},
		"New Password":           {Use: source.Never},
		"OTP Emergency Token":    {Use: source.Never},
		"Role":                   {Use: source.Never},
	}
	for _, c := range o.Columns {
		if w, ok := want[c.Column]; ok {
			w.Column = c.Column
			if c != w {
				t.Errorf("got %+v, want %+v", c, w)
			}
		}
	}
	if s := fmt.Sprintf("%+v", o); strings.Contains(s, "hunter2") || strings.Contains(s, "s3cr3t") {
		t.Error("a secret is in the overview")
	}
}

func TestParseTime(t *testing.T) {
	want := time.Date(2026, 11, 25, 9, 3, 0, 0, time.UTC)
	jst := time.FixedZone("JST", 9*3600)
	for s, zone := range map[string]*time.Location{
		"2026-11-25 09:03:00": time.UTC, "2026/11/25 9:03": time.UTC, "2026-11-25T09:03:00Z": jst,
		"2026-11-25T18:03:00+09:00": time.UTC, "2026-11-25 18:03:00": jst, "2026-11-25 09:03:00 UTC": jst,
		"2026/11/25 18:03:00 JST": time.UTC, "2026-11-25T18:03:00.000+0900": time.UTC, "1795597380": jst, "1795597380000": jst,
		" 2026-11-25 09:03:00.000 +0000 ": jst,
	} {
		if got, ok := parseTime(s, zone); !ok || !got.Equal(want) {
			t.Errorf("%q is %v %t", s, got, ok)
		}
	}
	for _, s := range []string{"", "-", "never", "0", "2026-13-01"} {
		if got, ok := parseTime(s, time.UTC); ok {
			t.Errorf("%q is %v", s, got)
		}
	}
}

func TestCleanPath(t *testing.T) {
	home := func() (string, error) { return "/home/mori", nil }
	tests := []struct {
		in        string
		separator rune
		want      string
	}{
		{`/home/mori/users (2).csv`, '/', `/home/mori/users (2).csv`},
		{` "/home/mori/users (2).csv" `, '/', `/home/mori/users (2).csv`},
		{`'/home/mori/users (2).csv'`, '/', `/home/mori/users (2).csv`},
		{`/home/mori/users\ \(2\).csv`, '/', `/home/mori/users (2).csv`},
		{`file:///home/mori/users%20(2).csv`, '/', `/home/mori/users (2).csv`},
		{`~/users.csv`, '/', `/home/mori/users.csv`},
		{`~`, '/', `/home/mori`},
		{`~mori/users.csv`, '/', `~mori/users.csv`},
		{`C:\Users\mori\Downloads\users (2).csv`, '\\', `C:\Users\mori\Downloads\users (2).csv`},
		{`"C:\Users\mori\users.csv"`, '\\', `C:\Users\mori\users.csv`},
		{`& 'C:\Users\mori\users.csv'`, '\\', `C:\Users\mori\users.csv`},
		{`file:///C:/Users/mori/users%20(2).csv`, '\\', `C:\Users\mori\users (2).csv`},
		{`file://server/share/users.csv`, '\\', `\\server\share\users.csv`},
		{`C:\Users\mori\users.csv`, '/', `C:\Users\mori\users.csv`},
		{`~\users.csv`, '\\', `/home/mori\users.csv`},
		{``, '/', ``},
		{`"`, '/', `"`},
	}
	for _, tt := range tests {
		if got := cleanPath(tt.in, tt.separator, home); got != tt.want {
			t.Errorf("%s with %c is %s, want %s", tt.in, tt.separator, got, tt.want)
		}
	}
}
