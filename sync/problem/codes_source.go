package problem

// Family 2: source. name is what the source is called, file a path, line a
// physical line of the file from 1, url an address of the HAC API, page a page
// of it from 1.
const (
	// SourceEmpty: the source has no row at all. Args: name.
	SourceEmpty Code = "HS-2001"
	// SourceIncomplete: not everything that was read was kept, or the source
	// was not read to its end. Args: name, rows, items.
	SourceIncomplete Code = "HS-2002"
	// SourceCount: the source has another number of users than the person says
	// HAC shows. Args: name, rows, expected.
	SourceCount Code = "HS-2003"
	// SourceTooLarge: a value or the whole is larger than a snapshot holds.
	// Args: name, line.
	SourceTooLarge Code = "HS-2004"

	// FileNotFound: there is no such file. Args: file.
	FileNotFound Code = "HS-2010"
	// FileNotReadable: the file cannot be opened or read. Args: file.
	FileNotReadable Code = "HS-2011"
	// FileNotAFile: the path is a folder, a pipe or a device. Args: file.
	FileNotAFile Code = "HS-2012"
	// FileTooBig: larger than any user export. Args: file, size, limit (both in MiB).
	FileTooBig Code = "HS-2013"
	// FileChanged: the file was written while it was read. Args: file.
	FileChanged Code = "HS-2014"
	// FileEmpty: the file has no byte, or no line with anything on it. Args: file.
	FileEmpty Code = "HS-2015"
	// FileOnlyHeader: the file has column names and no user. Args: file.
	FileOnlyHeader Code = "HS-2016"

	// FileEncoding: the text is in no encoding that is known, or is damaged.
	// Args: file, line.
	FileEncoding Code = "HS-2020"
	// FileNUL: a NUL character; the file is no text, or was damaged. Args:
	// file, line.
	FileNUL Code = "HS-2021"
	// FileNoUPN: no column holds the UPN. Args: file, columns (those seen).
	FileNoUPN Code = "HS-2022"
	// FileHeaderTwice: two columns have one name. Args: file, column, first,
	// second (numbers of the columns, from 1).
	FileHeaderTwice Code = "HS-2023"
	// FileColumnCount: a row has another number of columns than the header.
	// Args: file, line, want, got.
	FileColumnCount Code = "HS-2024"
	// FileQuoteOpen: a quotation mark is opened and never closed. Args: file,
	// line (where it was opened).
	FileQuoteOpen Code = "HS-2025"
	// FileQuoteBare: a quotation mark is inside a value. Args: file, line.
	FileQuoteBare Code = "HS-2026"
	// FileCut: the last row is not whole, or may not be. Args: file, line.
	FileCut Code = "HS-2027"
	// FileRowTooLong: a row is longer than any user's. Args: file, line.
	FileRowTooLong Code = "HS-2028"
	// FileBadRows: several rows are not as they should be; the cause is a
	// source.BadRows. Args: file, bad (how many), lines (of the first of them).
	FileBadRows Code = "HS-2029"

	// FileForeign: the text is in an encoding that is known and not read. Args:
	// file, encoding.
	FileForeign Code = "HS-2033"
	// FileUnsure: the text may be in one of several encodings, and which one cannot
	// be decided. Args: file, line (of the first character that is not ASCII),
	// encodings.
	FileUnsure Code = "HS-2034"
	// FileProduct: the file is the export, or a form, of another product. Args:
	// file, product, columns (those seen).
	FileProduct Code = "HS-2035"
	// FileNoUsername: no column holds the Username, and none is mapped to the
	// alias. Args: file, columns (those seen).
	FileNoUsername Code = "HS-2036"
	// FileSeparator: the columns are separated by a character that no export
	// has. Args: file, separator.
	FileSeparator Code = "HS-2037"
	// FileNoHeader: the first line is a user, not the names of columns. Args: file.
	FileNoHeader Code = "HS-2038"

	// MappingColumn: a mapped custom attribute is no column of the source.
	// Args: name, column, columns (those seen).
	MappingColumn Code = "HS-2030"
	// MappingTarget: a mapping to an attribute that is not to be mapped to, or
	// is mapped twice. Args: name, column, attribute.
	MappingTarget Code = "HS-2031"
	// MappingSecret: a mapping from a column that is never read. Args: name,
	// column.
	MappingSecret Code = "HS-2032"

	// HACUnreachable: no connection to the HAC API. Args: url.
	HACUnreachable Code = "HS-2040"
	// HACCredentials: there is no client ID or secret for the HAC API, or they
	// cannot be opened. Args: url.
	HACCredentials Code = "HS-2041"
	// HACRefused: the token endpoint refuses the client. Args: url, status.
	HACRefused Code = "HS-2042"
	// HACForbidden: the API refuses a token that was just issued. Args: url,
	// status, page.
	HACForbidden Code = "HS-2043"
	// HACNotFound: the address is not there. Args: url, page.
	HACNotFound Code = "HS-2044"
	// HACThrottled: the API asks to wait, again and again. Args: url, page.
	HACThrottled Code = "HS-2045"
	// HACUnavailable: the API fails, again and again. Args: url, status, page.
	HACUnavailable Code = "HS-2046"
	// HACAnswer: an answer that is not the list of users it should be. Args:
	// url, page.
	HACAnswer Code = "HS-2047"
	// HACCursor: a page points back to one that was read. Args: url, page.
	HACCursor Code = "HS-2048"
	// HACTwice: a user comes twice; the list changed while it was read. Args:
	// url, page, user.
	HACTwice Code = "HS-2049"
	// HACNoUPN: not one user of the answer has a UPN under the names known.
	// Args: url, fields (those seen).
	HACNoUPN Code = "HS-2050"
	// HACAddress: the address of the API is not usable. Args: url.
	HACAddress Code = "HS-2051"
)

var sourceClasses = map[Code]Class{
	SourceEmpty:      Mend,
	SourceIncomplete: Retry,
	SourceCount:      Mend,
	SourceTooLarge:   Mend,
	FileNotFound:     Mend,
	FileNotReadable:  Mend,
	FileNotAFile:     Mend,
	FileTooBig:       Mend,
	FileChanged:      Retry,
	FileEmpty:        Mend,
	FileOnlyHeader:   Mend,
	FileEncoding:     Mend,
	FileNUL:          Mend,
	FileNoUPN:        Mend,
	FileHeaderTwice:  Mend,
	FileColumnCount:  Mend,
	FileQuoteOpen:    Mend,
	FileQuoteBare:    Mend,
	FileCut:          Mend,
	FileRowTooLong:   Mend,
	FileBadRows:      Mend,
	FileForeign:      Mend,
	FileUnsure:       Mend,
	FileProduct:      Mend,
	FileNoUsername:   Mend,
	FileSeparator:    Mend,
	FileNoHeader:     Mend,
	MappingColumn:    Mend,
	MappingTarget:    Mend,
	MappingSecret:    Mend,
	HACUnreachable:   Retry,
	HACCredentials:   Mend,
	HACRefused:       Mend,
	HACForbidden:     Mend,
	HACNotFound:      Mend,
	HACThrottled:     Retry,
	HACUnavailable:   Retry,
	HACAnswer:        Retry,
	HACCursor:        Retry,
	HACTwice:         Retry,
	HACNoUPN:         Mend,
	HACAddress:       Mend,
}
