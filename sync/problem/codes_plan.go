package problem

// Family 3: planning. Codes below HS-3900 are reasons why a row is skipped.
const (
	// GuardCancels: deletions reached Max Allowed Deletions.
	// Args: deletions, users, percent, limit.
	GuardCancels Code = "HS-3901"
)

var planClasses = map[Code]Class{
	GuardCancels: Mend,
}
