package haccsv

import (
	"strings"
	"testing"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

const form = "Username,Email Address,Family Name,Given Name,Display Name,Status\r\n" +
	"taro,taro@x.example,山田,太郎,\"山田, 太郎\",enabled\r\nhana,hana@x.example,佐藤,花子,佐藤 花子,disabled\r\n"

// swap writes form with another separator.
func swap(by string) string {
	s := strings.ReplaceAll(form, ",", by)
	return strings.ReplaceAll(s, "山田"+by+" 太郎", "山田, 太郎")
}

func TestRead_ReadsWhatOtherProgramsPutAround(t *testing.T) {
	want := mustRead(t, form, Options{}).Digest()
	for name, tt := range map[string]struct{ content, separator string }{
		"semicolons":              {swap(";"), "semicolon"},
		"tabs":                    {swap("\t"), "tab"},
		"sep=,":                   {"sep=,\r\n" + form, "comma"},
		"SEP=; quoted":            {"\"SEP=;\"\r\n" + swap(";"), "semicolon"},
		"sep=; with columns":      {"sep=;;;;\n" + swap(";"), "semicolon"},
		"sep=tab":                 {"sep=\t\r\n" + swap("\t"), "tab"},
		"#TYPE":                   {"#TYPE System.Object\r\n" + form, "comma"},
		"#TYPE quoted":            {"\"#TYPE System.Management.Automation.PSCustomObject\"\r\n" + form, "comma"},
		"both":                    {"\r\nsep=,\r\n#TYPE X\r\n" + form, "comma"},
		"sep= in UTF-8 with BOM":  {"\ufeffsep=,\r\n" + form, "comma"},
		"blank rows":              {form + ",,,,,\r\n, ,\u3000,\t,\"\",\u00a0\r\n", "comma"},
		"blank rows of any width": {form + ",,\r\n   \r\n\u3000\r\n\"\"\r\n,,,,,,,\r\n", "comma"},
		"blank rows before":       {",,,,,\r\n" + form, "comma"},
		"a blank row between":     {strings.Replace(form, "hana,", ",,,,,\r\nhana,", 1), "comma"},
		"cells as text":           {strings.Replace(strings.Replace(form, "taro,taro@", "=\"taro\",\"=\"\"taro@", 1), "x.example,山田", "x.example\"\"\",山田", 1), "comma"},
		"an apostrophe":           {strings.Replace(form, "taro,", "'taro,", 1), "comma"},
	} {
		s, err := read(t, tt.content, Options{Count: 2})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.Digest() != want || s.About().Separator != tt.separator || s.About().Total != 2 {
			t.Errorf("%s: %+v %+v", name, s.At(0).Record(), s.About())
		}
	}
}

func TestRead_CountsLinesFromBeforeAPreamble(t *testing.T) {
	_, err := read(t, "sep=,\r\n#TYPE X\r\n"+form+"a,b\r\n", Options{})
	if p := problem.Of(err); p == nil || p.Code != problem.FileColumnCount || p.Args["line"] != "6" {
		t.Fatal(err)
	}
	s := mustRead(t, "sep=,\r\n#TYPE X\r\n"+form, Options{})
	if s.At(0).Line() != 4 {
		t.Errorf("line %d", s.At(0).Line())
	}
}

func TestRead_KeepsWhatIsNoWrapper(t *testing.T) {
	s := mustRead(t, "Username,Email,Family Name,Given Name,Microsoft Immutable ID\n"+
		"o'neil,'t.hooft@x.example,'t Hooft,'007,'+abc==\n\"=\"\"007\"\"\",=\"b@x.example\",=x,'=x,=\"WEt4r/aDlE3wtGz0UbVoqQ==\"\n", Options{})
	for _, tt := range []struct {
		row  int
		a    directory.Attribute
		want string
	}{
		{0, directory.MailNickname, "o'neil"},
		{0, directory.UserPrincipalName, "'t.hooft@x.example"},
		{0, directory.Surname, "'t Hooft"},
		{0, directory.GivenName, "007"},
		{0, directory.ImmutableID, "+abc=="},
		{1, directory.MailNickname, "007"},
		{1, directory.UserPrincipalName, "b@x.example"},
		{1, directory.Surname, "=x"},
		{1, directory.GivenName, "=x"},
		{1, directory.ImmutableID, "WEt4r/aDlE3wtGz0UbVoqQ=="},
	} {
		if got, _ := s.At(tt.row).Get(tt.a); got != tt.want {
			t.Errorf("row %d, %s: %q, want %q", tt.row, tt.a, got, tt.want)
		}
	}
}

func TestRead_RefusesOtherFormsByName(t *testing.T) {
	row := func(header string) string {
		return header + "\r\n" + strings.Repeat(",", strings.Count(header, ",")) + "x\r\n"
	}
	for name, tt := range map[string]struct {
		content string
		code    problem.Code
		args    problem.Args
	}{
		"pipes":     {swap("|"), problem.FileSeparator, problem.Args{"separator": "|"}},
		"sep=|":     {"sep=|\n" + swap("|"), problem.FileSeparator, problem.Args{"separator": "|"}},
		"carets":    {swap("^"), problem.FileSeparator, problem.Args{"separator": "^"}},
		"semicolon": {strings.Replace(swap(";"), "Email Address", "Mail", 1), problem.FileNoUPN, nil},
		"Entra's form": {
			"version:v1.0\r\nName [displayName] Required,User name [userPrincipalName] Required\r\na,a@x.example\r\n",
			problem.FileProduct,
			problem.Args{"product": "Microsoft Entra ID (bulk operation)"},
		},
		"Entra's form, saved anew": {"version:v1.0,,\r\nx,y,z\r\n", problem.FileProduct, nil},
		"admin center": {
			row("Block credential,City,Country/Region,Department,DirSyncEnabled,Display name,Fax,First name,Last dirsync time,Last name,Licenses,Object Id,User principal name,When created"),
			problem.FileProduct,
			problem.Args{"product": "Microsoft 365 admin center"},
		},
		"admin center's form": {
			row("Username,First name,Last name,Display name,Job title,Department,Office number,Office phone,Mobile phone,Fax,Alternate email address,Address"),
			problem.FileProduct,
			problem.Args{"product": "Microsoft 365 admin center"},
		},
		"Entra": {
			row("userPrincipalName,displayName,surname,mail,givenName,objectId,userType,jobTitle,department,accountEnabled,usageLocation"),
			problem.FileProduct,
			problem.Args{"product": "Microsoft Entra ID"},
		},
		"Active Directory": {
			row(`"DistinguishedName","Enabled","GivenName","Name","ObjectClass","ObjectGUID","SamAccountName","SID","Surname","UserPrincipalName"`),
			problem.FileProduct,
			problem.Args{"product": "Active Directory"},
		},
		"Google": {
			row("First Name [Required],Last Name [Required],Email Address [Required],Password [Required],Org Unit Path [Required]"),
			problem.FileProduct,
			problem.Args{"product": "Google Workspace"},
		},
		"Okta":   {row("login,firstName,lastName,email,secondEmail,Username"), problem.FileProduct, problem.Args{"product": "Okta"}},
		"Slack":  {row("username,email,status,billing-active,has-2fa,has-sso,userid,fullname,displayname"), problem.FileProduct, problem.Args{"product": "Slack"}},
		"a user": {strings.SplitN(form, "\n", 2)[1], problem.FileNoHeader, nil},
	} {
		_, err := read(t, tt.content, Options{})
		p := problem.Of(err)
		if p == nil || p.Code != tt.code {
			t.Errorf("%s: %v, want %s", name, err, tt.code)
			continue
		}
		for k, v := range tt.args {
			if p.Args[k] != v {
				t.Errorf("%s: %s is %q, want %q", name, k, p.Args[k], v)
			}
		}
	}
	// Custom attributes may have the names of others' columns.
	mustRead(t, strings.Replace(header, "busho", "login,firstName,objectId,userType", 1)+"\r\n"+strings.Replace(taro, "営業2課", "a,b,c,d", 1)+"\r\n", Options{})
}

func TestRead_ABlankRowDoesNotProveTheEnd(t *testing.T) {
	for _, cut := range []string{",,,", ",,,,,", " "} {
		if _, err := read(t, form+cut, Options{}); !problem.Has(err, problem.FileCut) {
			t.Errorf("%q at the end: %v", cut, err)
		}
	}
	if _, err := read(t, strings.SplitN(form, "\r\n", 2)[0]+"\r\n,,,,,\r\n", Options{}); !problem.Has(err, problem.FileOnlyHeader) {
		t.Errorf("only blank rows: %v", err)
	}
}
