package problem

// Family 9: hacsync itself, whatever it was doing.
const (
	// Internal: what must not happen did. Args: what.
	Internal Code = "HS-9001"
	// Cancelled: the user stopped it.
	Cancelled Code = "HS-9002"
	// TookTooLong: a deadline passed. Args: what.
	TookTooLong Code = "HS-9003"
	// UnknownLanguage: the program does not speak it. Args: language.
	UnknownLanguage Code = "HS-9004"
)

var oursClasses = map[Code]Class{
	Cancelled:       Mend,
	TookTooLong:     Retry,
	UnknownLanguage: Mend,
}
